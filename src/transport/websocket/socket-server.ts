import type { IncomingMessage } from 'node:http'
import { availableParallelism } from 'node:os'
import type { Duplex } from 'node:stream'
import { type Server, WebSocketServer } from 'ws'
import type { Caller } from '../../repository/access.ts'
import { EpochcastError } from '../../task/errors.ts'
import type { Clients } from '../clients.ts'
import { endSoon, rawResponse } from '../refusals.ts'
import { spread } from '../spread.ts'
import { OpenPeers, Peer, type PeerConnection } from './peer.ts'

/** A connection that is looked at now and then. */
export interface KeptConnection extends PeerConnection {
  /** The part of the connections with which it is probed. */
  readonly slice: number
  /** Ends a peer that stands still. */
  probe(): void
  /**
   * Ends a peer that takes too long to begin, or for a message, or whose token has expired.
   *
   * @param now by `performance.now()`
   * @param date milliseconds since 1970
   */
  checkTimes(now: number, date: number): void
}

export interface SocketServerOptions {
  readonly clients: Clients
  /** Largest message of a client, in bytes. */
  readonly maxMessageBytes: number
  /** Whether messages are compressed for clients that offer it. */
  readonly compression: boolean
  /** Time between pings; a socket that then stands still is ended. */
  readonly keepAliveMs: number
  readonly handleProtocols?: (protocols: Set<string>) => string | false
}

/** Of one upgrade. */
export interface Upgraded<C extends KeptConnection> {
  readonly peer: Peer<C>
  readonly socket: Duplex
  readonly slice: number
  readonly caller: Caller
}

/** Messages that are inflated or compressed at a time, in threads that are to leave this one its processor. */
const COMPRESSED_AT_ONCE = Math.max(1, Math.min(4, availableParallelism() - 1))
/** Parts of the time between pings, in each of which a part of the sockets is pinged. */
const KEEP_ALIVE_SLICES = 50
/** Time for a client to confirm a close before its socket is cut, and when the server stops. */
const CLOSE_TIMEOUT_MS = 5000
const STOP_TIMEOUT_MS = 2000
/** Of the close codes that are not fatal to graphql-ws clients, the one for a server that goes down. */
const GOING_AWAY = 1001
export const STOPPING = new EpochcastError('SHUTTING_DOWN', 'the server is stopping')
/** Frames and pieces of them in which one message may come. */
const MAX_FRAGMENTS = 256
const MAX_PIECES = 4096

/** The WebSockets of one kind: from the upgrade on they have a connection, until they are closed. */
export class SocketServer<C extends KeptConnection> {
  readonly #sockets: Server<typeof Peer<C>>
  readonly #peers = new OpenPeers<C>()
  readonly #connect: (upgraded: Upgraded<C>, request: IncomingMessage) => void
  readonly #keepAlive: NodeJS.Timeout
  #slice = 0
  #newest = 0

  /** @param connect gives an upgraded socket its connection (`attach`) */
  constructor(
    options: SocketServerOptions,
    connect: (upgraded: Upgraded<C>, request: IncomingMessage) => void,
  ) {
    this.#connect = connect
    // Not among the library's types yet.
    const closing: object = { closeTimeout: CLOSE_TIMEOUT_MS }
    this.#sockets = new WebSocketServer<typeof Peer<C>>({
      noServer: true,
      clientTracking: false,
      WebSocket: Peer,
      maxPayload: options.maxMessageBytes,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_PIECES,
      ...closing,
      perMessageDeflate: options.compression && { concurrencyLimit: COMPRESSED_AT_ONCE },
      ...(options.handleProtocols && { handleProtocols: options.handleProtocols }),
    })
    // No WebSocket after all; the library would say so in HTML.
    this.#sockets.on('wsClientError', ({ message }, socket) =>
      endSoon(socket, rawResponse('400 Bad Request', new EpochcastError('BAD_REQUEST', message))),
    )
    options.clients.everySweep(() => {
      const now = performance.now()
      const date = Date.now()
      for (const { connection } of this.#peers) connection?.checkTimes(now, date)
    })
    // Each of them once in the time, but never all at once: thousands of pings and pongs would hold up events.
    this.#keepAlive = setInterval(() => this.#probe(), options.keepAliveMs / KEEP_ALIVE_SLICES)
  }

  get count(): number {
    return this.#peers.size
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller): void {
    this.#sockets.handleUpgrade(request, socket, head, (peer) => {
      this.#newest = (this.#newest + 1) % KEEP_ALIVE_SLICES
      this.#peers.add(peer)
      this.#connect({ peer, socket, slice: this.#newest, caller }, request)
    })
  }

  /**
   * Closes every socket with 1001, spread over a time.
   *
   * @param withinMs for those that are open; the last ones then have a moment to confirm it
   */
  async close(withinMs = 0): Promise<void> {
    const peers = this.#peers
    await spread([...peers], withinMs, (socket) => socket.close(GOING_AWAY, STOPPING.message))
    clearInterval(this.#keepAlive)
    const cut = setTimeout(() => {
      for (const peer of peers) peer.terminate()
    }, STOP_TIMEOUT_MS)
    // Those whose upgrade was under way, too.
    for (const peer of peers) peer.close(GOING_AWAY, STOPPING.message)
    await Promise.all([peers.empty(), new Promise((resolve) => this.#sockets.close(resolve))])
    clearTimeout(cut)
  }

  #probe(): void {
    this.#slice = (this.#slice + 1) % KEEP_ALIVE_SLICES
    for (const { connection } of this.#peers) if (connection?.slice === this.#slice) connection.probe()
  }
}
