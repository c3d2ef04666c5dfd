import type { Duplex } from 'node:stream'
import { CloseCode, type WebSocket as ProtocolSocket, type Server } from 'graphql-ws'
import type { Logger } from 'pino'
import { type RawData, WebSocket } from 'ws'
import type { Turns } from '../../delivery/turns.ts'
import { withRawJson } from '../../execution/raw-json.ts'
import { ANYONE, type Caller } from '../../repository/access.ts'
import { parseJson } from '../../task/json.ts'
import { withText } from '../document-request.ts'
import { notJsonInShort } from '../not-json.ts'
import { Liveness } from './liveness.ts'
import { SocketWriter } from './socket-writer.ts'

export interface ConnectionOptions {
  readonly protocol: Server<Connection>
  readonly logger: Logger
  readonly maxBufferedBytes: number
  /** In which messages are taken: thousands that come back at once send theirs at once, too. */
  readonly turns: Turns
}

/** What may wait for a client that goes on asking and does not read. */
export const MAX_UNREAD_BYTES = 16 * 1024 * 1024

/** Bytes of a close frame's reason. */
const MAX_REASON_BYTES = 123
/** Characters of one that is cut: each has at most three bytes. */
const CUT_REASON_LENGTH = 40

type Take = Parameters<ProtocolSocket['onMessage']>[0]

/** A WebSocket that knows its connection, so that one set of listeners serves all of them. */
export class Peer extends WebSocket {
  connection: Connection | undefined
}

/**
 * One WebSocket between `ws` and graphql-ws. There are thousands of them, most of them silent: what each of
 * them holds is counted in bytes, which is why nothing here is a closure.
 */
export class Connection implements ProtocolSocket {
  readonly slice: number
  /** Who calls; the same for all operations of the socket. */
  readonly caller: Caller
  readonly writer: SocketWriter
  readonly #peer: Peer
  readonly #options: ConnectionOptions
  readonly #closed: (code: number, reason: string) => Promise<void>
  #take: Take | undefined
  /** Messages that wait for their turn. */
  #untaken = 0
  readonly #liveness = new Liveness()

  /**
   * @param socket what `peer` was made of at the upgrade
   * @param slice the part of the connections with which it is probed
   */
  constructor(peer: Peer, socket: Duplex, slice: number, options: ConnectionOptions) {
    this.slice = slice
    this.#peer = peer
    this.#options = options
    this.caller = ANYONE
    this.writer = new SocketWriter(peer, socket, options.maxBufferedBytes)
    peer.connection = this
    peer.on('message', onMessage)
    peer.on('ping', onPing)
    peer.on('pong', onPong)
    peer.on('error', onError)
    peer.on('close', onClose)
    this.#closed = options.protocol.opened(this, this)
  }

  get protocol(): string {
    return this.#peer.protocol
  }

  send(message: string): Promise<void> | undefined {
    return this.writer.sendMessage(withRawJson(message))
  }

  close(code: number, reason: string): void {
    // The library repeats what a client sent, and a longer reason is none that ws would send.
    const isTooLong = Buffer.byteLength(reason) > MAX_REASON_BYTES
    this.#peer.close(code, isTooLong ? `${reason.slice(0, CUT_REASON_LENGTH)}…` : reason)
  }

  onMessage(take: Take): void {
    this.#take = take
  }

  receive(data: RawData): void {
    if (!this.terminateIfUnread()) return
    this.#untaken++
    this.#options.turns.take(() => {
      if (--this.#untaken === 0 && this.#peer.isPaused) this.#peer.resume()
      // What an ended connection began, nobody would end.
      if (this.#peer.readyState === this.#peer.OPEN) this.#receiveNow(data)
    })
    // Nothing more is read from it until then: what waits for its turn is bounded by what is read at once.
    if (this.#untaken > 0) this.#peer.pause()
  }

  /** Not async: a message is under way as long as its subscription, and would be kept as long. */
  #receiveNow(data: RawData): void {
    const text = String(data)
    let message: unknown
    try {
      message = parseJson(text)
    } catch {
      this.close(CloseCode.BadRequest, notJsonInShort(text))
      return
    }
    // Messages of a server are no failure of ours where a client sends them.
    if (SERVER_TYPES.has((message as { type?: unknown } | null)?.type))
      return this.close(CloseCode.BadRequest, 'Invalid message received')
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
    try {
      await this.#closed(code, reason)
    } catch (err) {
      this.#options.logger.error({ err }, 'a socket was not freed')
    }
  }
}

function onMessage(this: WebSocket, data: RawData): void {
  ;(this as Peer).connection?.receive(data)
}

/** `ws` responds by itself. */
function onPing(this: WebSocket): void {
  ;(this as Peer).connection?.terminateIfUnread()
}

function onPong(this: WebSocket): void {
  ;(this as Peer).connection?.showAlive()
}

function onError(this: WebSocket, error: Error): void {
  ;(this as Peer).connection?.failed(error)
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  void (this as Peer).connection?.ended(code, String(reason))
}

const SERVER_TYPES: ReadonlySet<unknown> = new Set(['connection_ack', 'next', 'error'])
