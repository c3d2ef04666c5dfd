// @ts-check
import { burst } from './burst.js'
import { calls } from './calls.js'
import { connect } from './connect.js'
import { fanout } from './fanout.js'
import { ingest } from './ingest.js'
import { latency } from './latency.js'
import { memory } from './memory.js'
import { relay } from './relay.js'
import { resume } from './resume.js'
import { slow } from './slow.js'
import { tasks } from './tasks.js'
import { workers } from './workers.js'

/** In the order of the table. */
export const SCENARIOS = [
  fanout,
  tasks,
  relay,
  burst,
  calls,
  latency,
  memory,
  connect,
  resume,
  slow,
  ingest,
  workers,
]
