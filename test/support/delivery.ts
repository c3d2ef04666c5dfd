import { Writable } from 'node:stream'
import type { ExecutionArgs, ExecutionResult } from 'graphql'
import { onTestFinished } from 'vitest'
import type { WebSocket } from 'ws'
import { SharedEncoding } from '../../src/delivery/encoding.ts'
import { LiveGroups } from '../../src/delivery/live-group.ts'
import type { EventBatch, Outlet } from '../../src/delivery/outlet.ts'
import { type Shared, Subscriber } from '../../src/delivery/subscriber.ts'
import { Turns } from '../../src/delivery/turns.ts'
import type { EventLog } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import type { EventEncoder } from '../../src/execution/compile-selection.ts'
import { EventExecution } from '../../src/execution/event-execution.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { type Replay, trainingStream } from '../../src/feed/training-stream.ts'
import type { DeliveredEvent } from '../../src/task/stream-event.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { GraphQLWsOutlet } from '../../src/transport/websocket/graphql-ws-outlet.ts'
import { SocketWriter } from '../../src/transport/websocket/socket-writer.ts'
import type { Data } from './graphql.ts'

export interface FeedSettings {
  readonly ringEvents?: number
  readonly pageBytes?: number
  /** Of all rings together. */
  readonly ringBytes?: number
  /** Long by default: what only the check notices is noticed too late. */
  readonly checkMs?: number
}

export function feedsOf(log: EventLog, settings: FeedSettings = {}): Feeds {
  const { ringEvents = 256, pageBytes = 1_000_000, ringBytes = 1_000_000, checkMs = 1_000_000 } = settings
  const feeds = new Feeds(log, {
    ringEvents,
    checkMs,
    pages: { maxBytes: pageBytes },
    ringBytes,
    onError: (error) => {
      throw error
    },
  })
  onTestFinished(() => feeds.close())
  return feeds
}

export function memoryLog(retainEvents = 10_000): MemoryStore {
  const log = new MemoryStore({ retainEvents, retainSeconds: 3600, maxBytes: 100_000_000 })
  onTestFinished(() => log.close())
  return log
}

/** Takes what a server writes to a socket, or nothing while it is paused; `messages` are what a client would read. */
export class Sink extends Writable {
  readonly messages: { id: string; payload: Data }[] = []
  isPaused = false
  #rest = Buffer.alloc(0)
  #held: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 16_384 })
  }

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    this.#decode()
    if (this.isPaused) this.#held = taken
    else taken()
  }

  resume(): void {
    this.isPaused = false
    const held = this.#held
    this.#held = undefined
    held?.()
  }

  #decode(): void {
    for (;;) {
      const bytes = this.#rest
      if (bytes.length < 2) return
      if (bytes[0] !== 0x81) throw new Error(`a frame begins with ${bytes[0]}`)
      const short = bytes[1] as number
      const start = short < 126 ? 2 : short === 126 ? 4 : 10
      if (bytes.length < start) return
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
      if (bytes.length < start + length) return
      this.messages.push(JSON.parse(bytes.toString('utf8', start, start + length)))
      this.#rest = bytes.subarray(start + length)
    }
  }
}

/** An operation's outlet to a sink. */
export function outletTo(sink: Sink, id = '1', maxBufferedBytes = 65_536): Outlet {
  const peer = { OPEN: 1, readyState: 1, extensions: '' } as WebSocket
  const socket = sink as unknown as ConstructorParameters<typeof SocketWriter>[1]
  return new GraphQLWsOutlet(new SocketWriter(peer, socket, maxBufferedBytes), id)
}

/** Texts as a batch, for outlets that look at nothing else. */
export const batchOf = (texts: readonly string[], isShared = true): EventBatch => ({
  events: [],
  texts,
  isShared,
})

export interface SubscribeOptions {
  readonly replay?: Partial<Replay>
  readonly id?: string
  readonly maxStreamMs?: number
  readonly maxBufferedBytes?: number
  readonly sink?: Sink
  /** Done once, between its first look at the top and its joining of others there. */
  readonly atTop?: () => Promise<void>
}

export interface Subscribed {
  readonly sink: Sink
  readonly subscriber: Subscriber
  /** Resolves at the end. */
  readonly done: Promise<unknown>
  /** The payloads so far. */
  readonly got: () => Data[]
  readonly ended: () => boolean
}

/** An encoding that counts, of operations that select all there is. */
export class Counted {
  encoded = 0
  executed: (string | undefined)[] = []
  /** What the encoder leaves to execution. */
  isLeft: (event: DeliveredEvent) => boolean = () => false
  execute: (args: ExecutionArgs) => Promise<ExecutionResult> = async ({ rootValue }) => ({
    data: { event: shown(rootValue as DeliveredEvent) },
  })
  readonly encoding: SharedEncoding

  constructor() {
    const encode: EventEncoder = (event) => {
      if (this.isLeft(event)) return null
      this.encoded++
      return JSON.stringify({ data: { event: shown(event) } })
    }
    const execution = new EventExecution(encode, {} as ExecutionArgs, (args) => {
      this.executed.push((args.rootValue as DeliveredEvent).type)
      return this.execute(args)
    })
    this.encoding = new SharedEncoding(execution)
  }
}

const shown = ({ type, cursor, timestamp, ...event }: DeliveredEvent) => ({
  type,
  cursor,
  timestamp,
  offset: event.offset,
})

/** Subscribers of the tasks of one log, as a server has them, but for their sockets. */
export class FanOutOfOne {
  readonly feeds: Feeds
  readonly shared: Shared = { groups: new LiveGroups(), turns: new Turns(8) }
  open = 0

  constructor(feeds: Feeds) {
    this.feeds = feeds
  }

  async subscribe(
    key: TaskKey,
    { encoding }: Pick<Counted, 'encoding'>,
    options: SubscribeOptions = {},
  ): Promise<Subscribed> {
    const found = await this.feeds.snapshot(key)
    if (!found) throw new Error(`no task ${key.id}`)
    const { replay = {}, id = '1', maxStreamMs = 60_000, maxBufferedBytes, sink = new Sink() } = options
    const stream = await trainingStream(
      this.feeds,
      found,
      { after: null, last: null, ...replay },
      { maxStreamMs },
    )
    const read = stream.read.bind(stream)
    let { atTop } = options
    stream.read = async () => {
      const item = await read()
      if (item?.kind !== 'top' || !atTop) return item
      const happen = atTop
      atTop = undefined
      await happen()
      return item
    }
    const subscriber = new Subscriber({
      stream,
      encoding,
      shared: this.shared,
      outlet: outletTo(sink, id, maxBufferedBytes),
      held: {
        close: () => {
          this.open--
        },
      },
    })
    this.open++
    let isOver = false
    const done = subscriber.start().finally(() => {
      isOver = true
    })
    done.catch(() => {})
    return {
      sink,
      subscriber,
      done,
      got: () => sink.messages.filter((message) => message.id === id).map(({ payload }) => payload),
      ended: () => isOver,
    }
  }
}
