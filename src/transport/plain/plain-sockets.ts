import type { IncomingMessage } from 'node:http'
import type { Shared } from '../../delivery/subscriber.ts'
import { holdersOf } from '../../repository/access.ts'
import type { Services } from '../../schema/context.ts'
import { EpochcastError, quote } from '../../task/errors.ts'
import { LIMITS } from '../../task/limits.ts'
import type { OpenSubscription } from '../open-subscriptions.ts'
import { SocketServer, type SocketServerOptions, type Upgraded } from '../websocket/socket-server.ts'
import type { SocketDoor } from '../websocket/upgrades.ts'
import { PlainConnection, type PlainConnectionOptions } from './plain-connection.ts'
import { type AskedTask, PlainStreams } from './plain-streams.ts'
import { decoded } from './task-path.ts'
import { wholeParam } from './whole-param.ts'

export interface PlainSocketsOptions
  extends PlainConnectionOptions,
    Omit<SocketServerOptions, 'maxMessageBytes' | 'handleProtocols'> {
  readonly services: Services
  /** What all doors deliver by. */
  readonly shared: Shared
}

const PATH = '/ws/'
/** Pages say next to nothing. */
const MAX_MESSAGE_BYTES = 16 * 1024

/**
 * WebSockets that speak plain JSON, for pages that were made for a hand-made relay: `/ws/{prefix}/{task_id}` and
 * `/ws/tasks/{task_id}/progress?channel_prefix=…` (`progress-messages.ts`), `/ws/metrics[?task_id=…]` (`metrics-messages.ts`) and
 * `/ws/heartbeat`.
 */
export function plainSockets(options: PlainSocketsOptions): SocketDoor {
  const { services, clients } = options
  const streams = new PlainStreams(services, options.shared)
  const sockets = new SocketServer<PlainConnection>(
    { ...options, maxMessageBytes: MAX_MESSAGE_BYTES },
    (upgraded, request) => void serve(upgraded, request),
  )

  async function serve(upgraded: Upgraded<PlainConnection>, request: IncomingMessage): Promise<void> {
    const connection = new PlainConnection(upgraded, options)
    let held: OpenSubscription | undefined
    try {
      const asked = askedBy(request.url ?? '')
      held = clients.subscriptions.open(holdersOf(connection.caller), asked.field)
      switch (asked.kind) {
        case 'heartbeat':
          return await streams.heartbeat(connection)
        case 'all':
          return await streams.ofAll(connection)
        case 'task':
          return await streams.ofTask(connection, asked.task, asked.shape, asked.last)
      }
    } catch (error) {
      connection.refuse(error)
    } finally {
      held?.close()
    }
  }

  return {
    accepts: (path) => path.startsWith(PATH),
    identifiesLater: false,
    get socketCount() {
      return sockets.count
    },
    upgrade: (...upgrade) => sockets.upgrade(...upgrade),
    close: (withinMs) => sockets.close(withinMs),
  }
}

type Asked = { readonly field: string } & (
  | { readonly kind: 'heartbeat' | 'all' }
  | {
      readonly kind: 'task'
      readonly task: AskedTask
      readonly shape: 'progress' | 'metrics'
      readonly last: number
    }
)

/** @throws EpochcastError BAD_INPUT, NOT_FOUND */
function askedBy(target: string): Asked {
  const { pathname, searchParams } = new URL(target, 'http://localhost')
  // So that whoever comes late has something to draw.
  const last = wholeParam(searchParams, 'last', 0, LIMITS.last) ?? 1
  const parts = pathname.slice(PATH.length).split('/').map(decoded)
  if (parts.length > 1 && parts.at(-1) === '') parts.pop()
  const [first = '', second = ''] = parts
  const prefix = searchParams.get('channel_prefix')
  const ofTask = (id: string, channelPrefix: string | null, shape: 'progress' | 'metrics'): Asked => ({
    ...{ kind: 'task', shape, last, field: `ws/${shape}` },
    task: { id, channelPrefix },
  })
  if (parts.length === 1 && first === 'heartbeat') return { kind: 'heartbeat', field: 'ws/heartbeat' }
  if (parts.length === 1 && first === 'metrics') {
    const id = searchParams.get('task_id')
    return id ? ofTask(id, prefix, 'metrics') : { kind: 'all', field: 'ws/metrics' }
  }
  if (first === 'tasks' && parts.length === 3 && parts[2] === 'progress')
    return ofTask(second, prefix, 'progress')
  const id = parts.pop() ?? ''
  if (parts.length > 0 && id !== '' && !parts.includes('')) return ofTask(id, parts.join(':'), 'progress')
  throw new EpochcastError(
    'NOT_FOUND',
    `there is no WebSocket at ${quote(pathname)}; expected /ws/{prefix}/{task_id}, /ws/tasks/{task_id}/progress, /ws/metrics or /ws/heartbeat`,
  )
}
