import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { Services } from '../../schema/context.ts'
import type { Operations } from '../operations.ts'
import { SocketServer, type SocketServerOptions, type Upgraded } from '../websocket/socket-server.ts'
import type { SocketDoor } from '../websocket/upgrades.ts'
import type { PlainConnection, PlainConnectionOptions } from './plain-connection.ts'
import { RelayConnection } from './relay-connection.ts'
import { RelayLane } from './relay-lane.ts'
import { checkTaskId, RelayRuns, type RelaySender } from './relay-runs.ts'

export interface RelaySocketsOptions
  extends PlainConnectionOptions,
    Omit<SocketServerOptions, 'handleProtocols'> {
  readonly services: Services
  readonly operations: Operations
}

const RELAY_PATH = '/ws/ingest'
/** Senders of which it is remembered what they sent last; more are found again by what is in the store. */
const MAX_SENDERS = 10_000

/**
 * `/ws/ingest[?task_id=…][&channel_prefix=…][&name=…]`: takes what trainers send that were made for a hand-made relay
 * (`relay-messages.ts`).
 */
export function relaySockets(options: RelaySocketsOptions): SocketDoor {
  const { services, operations, clients } = options
  const runs = new RelayRuns(services, clients.limits.relayQuietMs)
  const stopping = new AbortController()
  const lanes = new LRUCache<string, RelayLane>({ max: MAX_SENDERS })
  /** Those with messages that are being applied. */
  const busy = new Set<Promise<unknown>>()
  const sockets = new SocketServer<PlainConnection>(options, serve)

  function serve(upgraded: Upgraded<PlainConnection>, request: IncomingMessage): void {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost')
    const sender = senderBy(searchParams)
    const laneFor = ({ caller }: RelayConnection, of: RelaySender): RelayLane => {
      const key = runs.keyOf(caller, of)
      const lane = lanes.get(key) ?? new RelayLane(of, { runs, operations, signal: stopping.signal })
      lanes.set(key, lane)
      return lane
    }
    const connection = new RelayConnection(upgraded, {
      ...options,
      isAcknowledged: searchParams.get('ack') === 'true',
      async apply(from, message) {
        const isNamed = sender.taskId !== null || message.taskId === null
        if (!isNamed) checkTaskId(message.taskId as string)
        const of = isNamed ? sender : { ...sender, taskId: message.taskId }
        const lane = laneFor(from, of)
        const applied = lane.receive(from.caller, message)
        const settled = applied.then(
          () => {},
          () => {},
        )
        busy.add(settled)
        void settled.then(() => busy.delete(settled))
        return await applied
      },
    })
    try {
      runs.check(connection.caller, sender)
      const release = laneFor(connection, sender).hold()
      upgraded.peer.once('close', release)
    } catch (error) {
      connection.refuse(error)
    }
  }

  return {
    accepts: (path) => path === RELAY_PATH || path === `${RELAY_PATH}/`,
    identifiesLater: false,
    get socketCount() {
      return sockets.count
    },
    upgrade: (...upgrade) => sockets.upgrade(...upgrade),
    async close(withinMs) {
      await sockets.close(withinMs)
      stopping.abort()
      await Promise.all(busy)
    },
  }
}

function senderBy(search: URLSearchParams): RelaySender {
  return {
    taskId: search.get('task_id'),
    channelPrefix: search.get('channel_prefix'),
    name: search.get('name') ?? search.get('run'),
  }
}
