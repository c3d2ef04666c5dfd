import type { ViewLinks } from '../auth/view-links.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { ExternalRun } from '../dispatch/register-external.ts'
import type { Trainers } from '../dispatch/trainers.ts'
import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import type { OutputLog } from '../event-log/output-log.ts'
import type { Store } from '../event-log/store.ts'
import type { TaskIndex } from '../event-log/task-index.ts'
import type { EngineWait } from '../feed/engine-wait.ts'
import type { Feeds } from '../feed/feeds.ts'
import type { OutputPages } from '../feed/output-pages.ts'
import type { Pacing } from '../feed/pacing.ts'
import type { SeriesReader } from '../feed/series-reader.ts'
import type { TaskUpdates } from '../feed/task-updates.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { OutputIngest } from '../ingest/output-ingest.ts'
import type { Caller } from '../repository/access.ts'
import type { TaskCatalog } from '../repository/task-catalog.ts'
import type { TaskRecords } from '../repository/task-records.ts'
import type { Answer } from './answer.ts'

/** What resolvers delegate to; the same for every operation of a server. */
export interface Services {
  readonly version: string
  readonly channelPrefixes: readonly string[]
  /** Of trainingProgress. */
  readonly maxStreamMs: number
  /** Of streams of states; null for no bound. */
  readonly maxStateStreamMs: number | null
  readonly log: EventLog
  readonly tasks: TaskIndex
  readonly catalog: TaskCatalog
  readonly engine: Pick<Store, 'status'>
  readonly engineWait: EngineWait
  readonly feeds: Feeds
  readonly pacing: Pacing
  readonly series: SeriesReader
  /** What trainers print: where it is stored, read and taken. */
  readonly output: {
    readonly log: OutputLog
    readonly pages: OutputPages
    readonly ingest: OutputIngest
    /** Silence after the end of a task by which its output counts as complete. */
    readonly quietMs: number
  }
  readonly updates: TaskUpdates
  readonly ingest: Ingest
  readonly dispatch: Dispatch
  /** Of runs that come with an id of their own. */
  registerExternal(caller: Caller, run: ExternalRun): Promise<Snapshot>
  readonly records: TaskRecords
  readonly trainers: Trainers
  readonly viewLinks: ViewLinks
}

/** The opening of a subscription, which may have to wait. */
export interface Opening {
  /** Its client has left meanwhile. */
  readonly isLeft: boolean
}

export interface Context {
  /** Who calls; what that allows is decided by `repository/access.ts`. Never a reason for other content. */
  readonly caller: Caller
  /**
   * What makes the content of results differ: subscribers of one audience share one execution and one encoding,
   * whoever they are. One value for everybody as long as nothing differs.
   */
  readonly audience: string
  /** The cursor with which an EventSource comes back (`Last-Event-ID`); it wins over what its document says. */
  readonly lastEventId?: string
  /** Where a door can tell whether its client is still there. */
  readonly opening?: Opening
  /** Of one execution; there is none where nobody would write it. */
  readonly answer?: Answer
  readonly services: Services
}
