import type { Duplex } from 'node:stream'
import { type RawData, WebSocket } from 'ws'

/** What is told of what comes over a WebSocket. There are thousands of them: it is no closure, and has none. */
export interface PeerConnection {
  /** Bytes have come, of whatever. */
  meter(chunk: Buffer): void
  receive(data: RawData): void
  /** A ping has come, which `ws` responds to by itself. */
  terminateIfUnread(): void
  /** A pong has come. */
  showAlive(): void
  failed(error: Error): void
  ended(code: number, reason: string): Promise<void>
}

/** A WebSocket that knows its connection, so that one set of listeners serves all of them. */
export class Peer<C extends PeerConnection = PeerConnection> extends WebSocket {
  connection: C | undefined
  /** Where it is listed as long as it is open. */
  among: OpenPeers<C> | undefined
}

/** The open WebSockets of a server. `ws` would keep such a list by a closure for each. */
export class OpenPeers<C extends PeerConnection = PeerConnection> {
  readonly #peers = new Set<Peer<C>>()
  #onEmpty = () => {}

  get size(): number {
    return this.#peers.size
  }

  [Symbol.iterator](): IterableIterator<Peer<C>> {
    return this.#peers.values()
  }

  add(peer: Peer<C>): void {
    this.#peers.add(peer)
    peer.among = this
  }

  delete(peer: Peer<C>): void {
    this.#peers.delete(peer)
    if (this.#peers.size === 0) this.#onEmpty()
  }

  /** Resolves once there are none. */
  async empty(): Promise<void> {
    if (this.#peers.size === 0) return
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
  }
}

/** @param socket what `peer` was made of at the upgrade */
export function attach<C extends PeerConnection>(connection: C, peer: Peer<C>, socket: Duplex): void {
  peer.connection = connection
  ;(socket as MeteredSocket).meteredBy = connection
  socket.on('data', onData)
  peer.on('message', onMessage)
  peer.on('ping', onPing)
  peer.on('pong', onPong)
  peer.on('error', onError)
  peer.on('close', onClose)
}

/** A socket that knows whose messages it carries. */
type MeteredSocket = Duplex & { meteredBy?: PeerConnection }

function onData(this: Duplex, chunk: Buffer): void {
  ;(this as MeteredSocket).meteredBy?.meter(chunk)
}

function onMessage(this: WebSocket, data: RawData): void {
  ;(this as Peer).connection?.receive(data)
}

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
  const { connection, among } = this as Peer
  among?.delete(this as Peer)
  void connection?.ended(code, String(reason))
}
