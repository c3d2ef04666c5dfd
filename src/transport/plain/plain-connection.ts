import type { Logger } from 'pino'
import type { RawData } from 'ws'
import { stringify } from '../../execution/raw-json.ts'
import type { Caller } from '../../repository/access.ts'
import { type EpochcastError, ERROR_CODES } from '../../task/errors.ts'
import type { Callers } from '../callers.ts'
import { type Clients, holderOf } from '../clients.ts'
import { Liveness } from '../websocket/liveness.ts'
import { MessageBudget } from '../websocket/message-budget.ts'
import { attach, type Peer } from '../websocket/peer.ts'
import { SocketCaller, TRY_AGAIN_LATER } from '../websocket/socket-caller.ts'
import type { KeptConnection, Upgraded } from '../websocket/socket-server.ts'
import { SocketWriter } from '../websocket/socket-writer.ts'

export interface PlainConnectionOptions {
  readonly clients: Clients
  readonly callers: Callers
  readonly logger: Logger
  readonly maxBufferedBytes: number
  readonly translate: (error: unknown) => Pick<EpochcastError, 'message' | 'extensions'>
}

/** Something that goes on until its socket closes. */
export interface PlainStream {
  /** Resolves at its end. */
  run(): Promise<void>
  stop(): Promise<void>
}

const NORMAL = 1000
const POLICY_VIOLATION = 1008
export const TEXT_OF_PING = /^\s*(?:ping|\{\s*"type"\s*:\s*"ping".*\})\s*$/s

/** One WebSocket of a page that speaks JSON, and mostly listens. */
export class PlainConnection implements KeptConnection {
  readonly slice: number
  readonly id: number
  readonly openedAt = performance.now()
  readonly writer: SocketWriter
  protected readonly peer: Peer<PlainConnection>
  protected readonly options: PlainConnectionOptions
  readonly #caller: SocketCaller
  protected readonly budget: MessageBudget
  readonly #liveness = new Liveness()
  #stream: PlainStream | undefined
  #isOver = false

  constructor({ peer, socket, slice, caller }: Upgraded<PlainConnection>, options: PlainConnectionOptions) {
    const { clients, callers, maxBufferedBytes } = options
    this.slice = slice
    this.id = clients.log.nextConnection()
    this.peer = peer
    this.options = options
    this.#caller = new SocketCaller(callers, caller)
    this.budget = new MessageBudget(clients.limits.operationsPerSecond)
    this.writer = new SocketWriter(peer, socket, maxBufferedBytes, holderOf(caller), clients.waiting)
    attach(this, peer, socket)
  }

  get caller(): Caller {
    return this.#caller.current
  }

  get isOver(): boolean {
    return this.#isOver
  }

  say(message: object): void {
    void this.writer.sendMessage(stringify(message))
  }

  /** Runs a stream to its end, and closes the socket; what it fails with is told before. */
  async serve(stream: PlainStream): Promise<void> {
    if (this.#isOver) return stream.stop()
    this.#stream = stream
    try {
      await stream.run()
      await this.writer.drained()
      this.peer.close(NORMAL, 'the stream is complete')
    } catch (error) {
      this.refuse(error)
    }
  }

  /** Tells what is wrong, and closes the socket with a code that says whether to come back. */
  refuse(error: unknown): void {
    if (this.#isOver) return
    const { message, extensions } = this.options.translate(error)
    this.options.clients.refusals.addAll([{ extensions }], 'websocket', this.caller.address)
    this.say({ type: 'error', message, ...extensions, timestamp: new Date().toISOString() })
    const code = extensions.code as keyof typeof ERROR_CODES
    const mayComeBack = ERROR_CODES[code]?.retryable ?? false
    this.peer.close(mayComeBack ? TRY_AGAIN_LATER : POLICY_VIOLATION, code)
  }

  /** Pages keep their connection alive by words of their own; whatever else they say is left alone. */
  receive(data: RawData): void {
    if (this.budget.take(performance.now()) !== 0) {
      this.options.clients.refusals.add('RATE_LIMITED', 'websocket', this.caller.address)
      return void this.peer.close(TRY_AGAIN_LATER, 'too many messages (EPOCHCAST_OPERATIONS_PER_SECOND)')
    }
    const text = String(data)
    if (TEXT_OF_PING.test(text)) this.say({ type: 'pong', timestamp: new Date().toISOString() })
  }

  checkTimes(_now: number, date: number): void {
    const expired = this.#caller.expired(date)
    if (expired) this.peer.close(expired.code, expired.reason)
  }

  probe(): void {
    const peer = this.peer
    if (!this.#liveness.probe(this.writer)) peer.terminate()
    else if (peer.readyState === peer.OPEN) peer.ping()
  }

  showAlive(): void {
    this.#liveness.answered()
  }

  // Messages are small here, and read whole at once.
  meter(_chunk: Buffer): void {}
  terminateIfUnread(): void {}

  failed(err: Error): void {
    this.options.logger.debug({ err }, 'a socket failed')
  }

  async ended(code: number): Promise<void> {
    this.#isOver = true
    this.options.clients.socketClosed(this, code)
    this.writer.forget()
    await this.#stream?.stop().catch((err: unknown) => {
      this.options.logger.error({ err }, 'a stream of a plain socket was not freed')
    })
  }
}
