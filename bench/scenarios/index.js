// @ts-check
import { connect } from './connect.js'
import { fanout } from './fanout.js'
import { ingest } from './ingest.js'
import { memory } from './memory.js'

/** In the order of the table. */
export const SCENARIOS = [fanout, memory, connect, ingest]
