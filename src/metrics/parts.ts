import type { Bridge } from '../bridge/bridge.ts'
import type { Mirror } from '../bridge/mirror.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { Store } from '../event-log/store.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import type { Feeds } from '../feed/feeds.ts'
import type { TaskUpdates } from '../feed/task-updates.ts'
import type { LocalLauncher } from '../launcher/local.ts'
import type { TaskCatalog } from '../repository/task-catalog.ts'
import type { Clients } from '../transport/clients.ts'
import type { OpenResponses } from '../transport/open-responses.ts'
import type { Operations } from '../transport/operations.ts'
import type { WebSocketTransport } from '../transport/websocket/upgrades.ts'

/** The parts of a server that count; their numbers are read when somebody asks, and written by nobody here. */
export interface Parts {
  readonly version: string
  readonly clients: Clients
  readonly responses: OpenResponses
  readonly webSocket: Pick<WebSocketTransport, 'socketCount'>
  readonly operations: Pick<Operations, 'groupCount' | 'deliveryCounts'>
  readonly feeds: Pick<Feeds, 'size' | 'counts' | 'pageBytes'>
  readonly updates: Pick<TaskUpdates, 'size'>
  readonly writer: Pick<TaskWriter, 'counts'>
  readonly dispatch: Pick<Dispatch, 'counts'>
  readonly local: Pick<LocalLauncher, 'runningCount' | 'waitingCount'>
  /** Null where no channels are listened to. */
  readonly bridge: Pick<Bridge, 'isOwner' | 'heldCount' | 'counts'> | null
  /** Null where no events are published. */
  readonly mirror: Pick<Mirror, 'waitingCount' | 'counts'> | null
  readonly catalog: Pick<TaskCatalog, 'index'>
  readonly store: Pick<Store, 'name' | 'status' | 'watchCount'>
  readonly isStopping: () => boolean
}
