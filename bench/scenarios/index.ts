import { burst } from './burst.ts'
import { calls } from './calls.ts'
import { charts } from './charts.ts'
import { connect } from './connect.ts'
import { curves } from './curves.ts'
import { doors, fanout } from './fanout.ts'
import { ingest } from './ingest.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { relay } from './relay.ts'
import { resume } from './resume.ts'
import { slow } from './slow.ts'
import { tasks } from './tasks.ts'
import { workers } from './workers.ts'

/** In the order of the table. */
export const SCENARIOS = [
  fanout,
  doors,
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
  curves,
  charts,
  workers,
]
