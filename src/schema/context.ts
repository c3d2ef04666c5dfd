import type { Dispatch } from '../dispatch/dispatch.ts'
import type { Trainers } from '../dispatch/trainers.ts'
import type { EventLog } from '../event-log/event-log.ts'
import type { Feeds } from '../feed/feeds.ts'
import type { TaskUpdates } from '../feed/task-updates.ts'
import type { Ingest } from '../ingest/ingest.ts'

/** What resolvers delegate to; the same for every operation of a server. */
export interface Services {
  readonly version: string
  readonly channelPrefixes: readonly string[]
  readonly maxStreamMs: number
  readonly log: EventLog
  readonly feeds: Feeds
  readonly updates: TaskUpdates
  readonly ingest: Ingest
  readonly dispatch: Dispatch
  readonly trainers: Trainers
}

export interface Context {
  /**
   * Whose eyes see the results, as far as that matters: callers with the same text are shown the same, and may
   * share it. `anyone` as long as there is no authentication.
   */
  readonly viewer: string
  readonly services: Services
}
