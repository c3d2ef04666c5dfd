import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws'

/**
 * One end of a connection as the system gives it: what is written is taken, that is copied, as far as there is
 * room; of the rest the writer's own bytes are held until the other end has read.
 */
class End extends Duplex {
  other: End | undefined
  readonly #room: number
  #held: { bytes: Buffer; taken: (error?: Error) => void } | undefined
  #isAsked = false
  #way: Buffer[] = []
  #wayBytes = 0
  #isEnded = false

  constructor(room: number) {
    super({ readableHighWaterMark: 1, writableHighWaterMark: 16_384, allowHalfOpen: true })
    this.#room = room
  }

  override _write(chunk: Buffer, _encoding: string, taken: (error?: Error) => void): void {
    const rest = this.other?.accept(chunk) ?? chunk
    if (rest.length === 0) taken()
    else this.#held = { bytes: rest, taken }
  }

  override _final(done: () => void): void {
    this.other?.endFromOther()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this
    this.#held?.taken(new Error('the connection is gone'))
    this.#held = undefined
    setImmediate(() => {
      other?.push(null)
      other?.destroy()
    })
    done(error)
  }

  override _read(): void {
    this.#isAsked = true
    this.#hand()
  }

  /** Copies what there is room for, and answers what is left. */
  accept(bytes: Buffer): Buffer {
    const count = Math.min(bytes.length, this.#room - this.#wayBytes)
    if (count > 0) {
      this.#way.push(Buffer.from(bytes.subarray(0, count)))
      this.#wayBytes += count
      setImmediate(() => this.#hand())
    }
    return bytes.subarray(Math.max(0, count))
  }

  endFromOther(): void {
    this.#isEnded = true
    setImmediate(() => this.#hand())
  }

  #hand(): void {
    if (!this.#isAsked || this.destroyed) return
    if (this.#wayBytes === 0) {
      if (this.#isEnded) this.push(null)
      return
    }
    const bytes = Buffer.concat(this.#way)
    this.#way = []
    this.#wayBytes = 0
    this.#isAsked = this.push(bytes)
    this.other?.goOn()
  }

  /** The other end has read. */
  goOn(): void {
    const held = this.#held
    if (!held) return
    const rest = this.other?.accept(held.bytes) ?? held.bytes
    if (rest.length > 0) {
      this.#held = { ...held, bytes: rest }
      return
    }
    this.#held = undefined
    setImmediate(() => held.taken())
  }
}

/** Both ends of a connection on which so many bytes may be under way. */
function connection(room: number): [Duplex, Duplex] {
  const [one, two] = [new End(room), new End(room)]
  one.other = two
  two.other = one
  return [one, two]
}

/** A client of a server over a connection that takes few bytes while nobody reads them. */
export function clientOver(
  server: Server,
  path: string,
  room: number,
  options: ClientOptions = {},
): WebSocket {
  const [ours, theirs] = connection(room)
  server.emit('connection', theirs)
  const client = new WebSocket(`ws://127.0.0.1${path}`, 'graphql-transport-ws', {
    ...options,
    createConnection: (() => ours) as unknown as typeof connect,
  })
  client.on('error', () => {})
  onTestFinished(() => client.terminate())
  return client
}

export interface Connected {
  /** The server's end. */
  readonly peer: WebSocket
  /** What `peer` was made of at the upgrade. */
  readonly socket: Duplex
  readonly client: WebSocket
  /** The texts that the client got. */
  readonly texts: string[]
}

export interface ConnectOptions {
  /** Bytes that may be under way; absent: a real connection of this machine. */
  readonly room?: number
  readonly compression?: boolean
}

/** A WebSocket with both of its ends in hand. */
export async function connected({ room, compression = false }: ConnectOptions = {}): Promise<Connected> {
  const http = createServer()
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: compression })
  const accepted = new Promise<{ peer: WebSocket; socket: Duplex }>((resolve) => {
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      sockets.handleUpgrade(request, socket, head, (peer) => resolve({ peer, socket })),
    )
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => void http.close())
  const { port } = http.address() as { port: number }
  const options = { perMessageDeflate: compression }
  const client =
    room === undefined
      ? new WebSocket(`ws://127.0.0.1:${port}`, options)
      : clientOver(http, '/', room, options)
  client.on('error', () => {})
  const texts: string[] = []
  client.on('message', (data) => texts.push(String(data)))
  const { peer, socket } = await accepted
  if (client.readyState !== client.OPEN) await once(client, 'open')
  onTestFinished(() => {
    client.terminate()
    peer.terminate()
  })
  return { peer, socket, client, texts }
}
