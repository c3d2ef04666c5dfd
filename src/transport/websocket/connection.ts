import { CloseCode, type WebSocket as ProtocolSocket, type Server } from 'graphql-ws'
import type { Logger } from 'pino'
import type { RawData } from 'ws'
import { withRawJson } from '../../execution/raw-json.ts'
import type { Caller } from '../../repository/access.ts'
import { EpochcastError } from '../../task/errors.ts'
import { jsonText, parseJson } from '../../task/json.ts'
import type { Callers } from '../callers.ts'
import { BURST_SECONDS, type Clients, holderOf } from '../clients.ts'
import { withText } from '../document-request.ts'
import { notJsonInShort } from '../not-json.ts'
import type { RefusalCode } from '../refusal-counts.ts'
import { FrameMeter } from './frame-meter.ts'
import { Liveness } from './liveness.ts'
import { MessageBudget } from './message-budget.ts'
import { attach, type Peer } from './peer.ts'
import { SocketCaller, TRY_AGAIN_LATER } from './socket-caller.ts'
import type { KeptConnection, Upgraded } from './socket-server.ts'
import { SocketWriter } from './socket-writer.ts'

export interface ConnectionOptions {
  readonly protocol: Server<Connection>
  readonly logger: Logger
  readonly clients: Clients
  readonly callers: Callers
  readonly maxMessageBytes: number
  readonly maxBufferedBytes: number
  /** Time for a new socket to send connection_init. */
  readonly connectionInitMs: number
  /** What a client is told of an error. */
  readonly translate: (error: unknown) => Pick<EpochcastError, 'message' | 'extensions'>
}

/** What may wait for a client that goes on asking and does not read. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024
/** What may wait of earlier answers when a client asks for another. */
export const MAX_UNREAD_BYTES_TO_ASK = 1024 * 1024
/** Time for a client to take the close frame of a socket that is not read any more. */
const LAST_WORDS_MS = 500

/** A message of up to so many bytes does not pause its socket while it waits for its turn. */
const SMALL_BYTES = 4096

/** Bytes of a close frame's reason. */
const MAX_REASON_BYTES = 123
/** Characters of one that is cut: each has at most three bytes. */
const CUT_REASON_LENGTH = 40

type Take = Parameters<ProtocolSocket['onMessage']>[0]

/**
 * One WebSocket between `ws` and graphql-ws. There are thousands of them, most of them silent: what each of
 * them holds is counted in bytes, which is why nothing here is a closure.
 */
export class Connection implements ProtocolSocket, KeptConnection {
  readonly slice: number
  readonly writer: SocketWriter
  readonly #caller: SocketCaller
  readonly id: number
  readonly openedAt = performance.now()
  readonly #peer: Peer<Connection>
  readonly #options: ConnectionOptions
  readonly #closed: (code: number, reason: string) => Promise<void>
  #take: Take | undefined
  #isInitialised = false
  /** It has had its time for connection_init, and is about to be closed where none waits for its turn. */
  #isLate = false
  /** Nothing more is read from it. */
  #isRefused = false
  /** Messages that wait for their turn. */
  #untaken = 0
  readonly #liveness = new Liveness()
  readonly #meter: FrameMeter
  /** Counted so far of what `#meter` has. */
  #receivedBytes = 0
  readonly #budget: MessageBudget
  /** Of the message that is being taken, where it is one too many. */
  #retryAfterMs = 0

  constructor({ peer, socket, slice, caller }: Upgraded<Connection>, options: ConnectionOptions) {
    const { clients, maxBufferedBytes, maxMessageBytes } = options
    this.slice = slice
    this.id = clients.log.nextConnection()
    this.#peer = peer
    this.#options = options
    this.#caller = new SocketCaller(options.callers, caller)
    this.#budget = new MessageBudget(clients.limits.operationsPerSecond)
    this.#meter = new FrameMeter(maxMessageBytes)
    this.writer = new SocketWriter(peer, socket, maxBufferedBytes, holderOf(caller), clients.waiting)
    attach(this, peer, socket)
    this.#closed = options.protocol.opened(this, this)
  }

  get protocol(): string {
    return this.#peer.protocol
  }

  send(message: string): Promise<void> | undefined {
    const text = withRawJson(message)
    if (!this.terminateIfUnread()) return undefined
    return this.writer.sendMessage(text)
  }

  close(code: number, reason: string): void {
    // The library repeats what a client sent, and a longer reason is none that ws would send.
    const isTooLong = Buffer.byteLength(reason) > MAX_REASON_BYTES
    this.#peer.close(code, isTooLong ? `${reason.slice(0, CUT_REASON_LENGTH)}…` : reason)
  }

  /** Who calls; the same for all operations of the socket, until its token is replaced. */
  get caller(): Caller {
    return this.#caller.current
  }

  /** By what `connection_init` carries. */
  async authenticate(params: unknown): Promise<boolean> {
    this.#isInitialised = true
    const refusal = await this.#caller.authenticate(params)
    if (refusal) this.close(refusal.code, refusal.reason)
    return refusal === null
  }

  async onPing(payload: Record<string, unknown> | undefined): Promise<void> {
    const answer = await this.#caller.pong(payload, this.#options.translate)
    // One that is too deep to be written is not repeated; the ping is answered all the same.
    await this.send(jsonText({ type: 'pong', ...(answer && { payload: answer }) }) ?? '{"type":"pong"}')
  }

  onMessage(take: Take): void {
    this.#take = take
  }

  receive(data: RawData): void {
    if (!this.terminateIfUnread()) return
    // When it comes, not when it is its turn: others may have come by then.
    const retryAfterMs = this.#budget.take(performance.now())
    if (retryAfterMs === null)
      return void this.#refuse('RATE_LIMITED', 'too many messages (EPOCHCAST_OPERATIONS_PER_SECOND)')
    this.#untaken++
    this.#options.clients.turns.take(this.writer.holder, () => {
      const peer = this.#peer
      // Of one that is closing, too: it ends once the close frame of its client is read.
      if (--this.#untaken === 0 && peer.isPaused && !this.#isRefused) peer.resume()
      // What an ended connection began, nobody would end.
      if (peer.readyState === peer.OPEN) this.#receiveNow(data, retryAfterMs)
    })
    // Nothing more is read from it until then: what waits for its turn is bounded by what is read at once. Beside a small
    // one, as all have that connect, there may come another.
    if (this.#untaken > 1 || (this.#untaken === 1 && (data as Buffer).length > SMALL_BYTES))
      this.#peer.pause()
  }

  /** Not async: a message is under way as long as its subscription, and would be kept as long. */
  #receiveNow(data: RawData, retryAfterMs: number): void {
    const text = String(data)
    let message: unknown
    try {
      message = parseJson(text)
    } catch (error) {
      this.close(CloseCode.BadRequest, notJsonInShort(text, error))
      return
    }
    // Messages of a server are no failure of ours where a client sends them.
    if (SERVER_TYPES.has((message as { type?: unknown } | null)?.type))
      return void this.close(CloseCode.BadRequest, 'Invalid message received')
    // For `checkOperation`, which the library calls before anything else.
    this.#retryAfterMs = retryAfterMs
    // graphql-ws takes a message that is parsed already, and then does not keep its text.
    this.#take?.(withText(message) as string).catch((err: unknown) => {
      this.#options.logger.error({ err }, 'a message failed unexpectedly')
      this.close(CloseCode.InternalServerError, 'Internal server error')
    })
  }

  /** Ends a peer that asks, but does not read the responses. */
  terminateIfUnread(): boolean {
    if (this.writer.bufferedBytes <= MAX_UNREAD_BYTES) return true
    this.#peer.terminate()
    return false
  }

  /**
   * Whether it may begin another operation now.
   *
   * @throws EpochcastError RATE_LIMITED, OVERLOADED, with `retryAfterMs`
   */
  checkOperation(): void {
    const { operationsPerSecond } = this.#options.clients.limits
    const retryAfterMs = this.#retryAfterMs
    if (retryAfterMs > 0) {
      throw new EpochcastError(
        'RATE_LIMITED',
        `too many messages of this socket; expected at most ${operationsPerSecond} a second and ${BURST_SECONDS * operationsPerSecond} at once (EPOCHCAST_OPERATIONS_PER_SECOND). Try again in ${retryAfterMs} ms`,
        { details: { retryAfterMs } },
      )
    }
    const { bufferedBytes, holder } = this.writer
    this.#options.clients.waiting.check(holder)
    if (bufferedBytes > MAX_UNREAD_BYTES_TO_ASK) {
      throw new EpochcastError(
        'OVERLOADED',
        `${bufferedBytes} bytes of earlier answers wait for this socket to read them; expected at most ${MAX_UNREAD_BYTES_TO_ASK}. Try again in 1000 ms`,
        { details: { retryAfterMs: 1000 } },
      )
    }
  }

  /** Counts what has come of messages. */
  meter(chunk: Buffer): void {
    const { received } = this.#options.clients
    const { holder } = this.writer
    this.#meter.push(chunk)
    const { bytes } = this.#meter
    if (bytes === this.#receivedBytes) return
    received.add(holder, bytes - this.#receivedBytes)
    const isMore = bytes > this.#receivedBytes
    this.#receivedBytes = bytes
    if (isMore && received.isOver(holder))
      this.#refuse('OVERLOADED', 'too many bytes of messages that have not come whole')
  }

  /** To be called now and then: ends a peer that takes too long to begin, or for a message, or whose token has expired. */
  checkTimes(now: number, date: number): void {
    const expired = this.#caller.expired(date)
    if (expired) return void this.close(expired.code, expired.reason)
    const { clients, connectionInitMs } = this.#options
    if (!this.#isInitialised && !this.#isLate && now - this.openedAt >= connectionInitMs) {
      this.#isLate = true
      // There may be thousands; and what has come before is taken before.
      clients.turns.take(this.writer.holder, () => {
        if (!this.#isInitialised)
          this.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout')
      })
    }
    const { requestMs } = clients.limits
    const { startedAt } = this.#meter
    if (startedAt === null || now - startedAt < requestMs) return
    // What waits for its turn has come, and stands before what has not.
    if (this.#untaken > 0 || this.#peer.isPaused) return
    this.#refuse(
      'REQUEST_TIMEOUT',
      `a message has not come whole within ${requestMs / 1000} s (EPOCHCAST_REQUEST_SECONDS)`,
    )
  }

  /** Ends a peer that may come back; reads nothing more of it meanwhile. */
  #refuse(code: RefusalCode, reason: string): void {
    const peer = this.#peer
    if (peer.readyState !== peer.OPEN) return
    this.#isRefused = true
    this.#options.clients.refusals.add(code, 'websocket', this.caller.address)
    peer.close(TRY_AGAIN_LATER, reason)
    peer.pause()
    setTimeout(() => peer.terminate(), LAST_WORDS_MS)
  }

  /** To be called now and then: ends a peer that stands still. */
  probe(): void {
    const peer = this.#peer
    if (!this.#liveness.probe(this.writer)) peer.terminate()
    else if (peer.readyState === peer.OPEN) peer.ping()
  }

  showAlive(): void {
    this.#liveness.answered()
  }

  failed(err: Error): void {
    // The client's doing, such as a message over the bound; ws closes the socket with the fitting code.
    this.#options.logger.debug({ err }, 'a socket failed')
  }

  async ended(code: number, reason: string): Promise<void> {
    this.#options.clients.socketClosed(this, code)
    this.writer.forget()
    this.#options.clients.received.add(this.writer.holder, -this.#receivedBytes)
    this.#receivedBytes = 0
    try {
      await this.#closed(code, reason)
    } catch (err) {
      this.#options.logger.error({ err }, 'a socket was not freed')
    }
  }
}

const SERVER_TYPES: ReadonlySet<unknown> = new Set(['connection_ack', 'next', 'error'])
