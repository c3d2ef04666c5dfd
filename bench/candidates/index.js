// @ts-check
import { BARE, EPOCHCAST, YOGA } from './candidate.js'
import { epochcast } from './epochcast.js'
import { bareWs, yoga } from './references.js'

/** @type {Record<string, import('./candidate.js').Candidate>} */
export const CANDIDATES = { [BARE]: bareWs, [EPOCHCAST]: epochcast, [YOGA]: yoga }
