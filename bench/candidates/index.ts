import { BARE, type Candidate, EPOCHCAST, YOGA } from './candidate.ts'
import { epochcast } from './epochcast.ts'
import { bareWs, yoga } from './references.ts'

export const CANDIDATES: Record<string, Candidate> = { [BARE]: bareWs, [EPOCHCAST]: epochcast, [YOGA]: yoga }
