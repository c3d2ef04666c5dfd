import { connect, type Socket } from 'node:net'

export interface Receiver {
  /** The server has taken up what was asked for: the WebSocket is open, or the response has begun. */
  readonly upgraded: () => void
  /** A message; the bytes are lent for the call. */
  readonly text: (buffer: Buffer, start: number, end: number) => void
  /** The connection is of no more use; called once, never after `close()`. */
  readonly failed: (error: Error) => void
}

/** Every socket of this process reads into the same memory: what was read is looked at before anything else is. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024)

/**
 * The client's end of a connection, on a bare socket. Its kinds do what this load generator needs and no more, so that
 * thousands of them cost little beside the server that is measured; anything else fails.
 */
export abstract class LeanSocket {
  protected readonly socket: Socket
  protected readonly receiver: Receiver
  protected isOver = false
  #isBegun = false
  readonly #status: string
  /** The beginning of something whose end is still to come. */
  #rest: Buffer | null = null

  /**
   * @param port on the loopback
   * @param request head and body of the request that it begins with
   * @param status of the only response that is expected
   */
  constructor(port: number, request: string, status: number, receiver: Receiver) {
    this.receiver = receiver
    this.#status = `HTTP/1.1 ${status} `
    this.socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: READ_BUFFER,
        callback: (length) => {
          this.#read(length)
          return true
        },
      },
    })
    this.socket.on('connect', () => this.socket.write(request))
    this.socket.on('error', (error) => this.fail(error.message))
    this.socket.on('close', () => this.fail('the connection was cut'))
  }

  /** Takes nothing from the system any more, as a client that hangs. */
  stopReading() {
    this.socket.pause()
  }

  /** @param options reset: at once, and without the state that a closed port leaves behind */
  close({ reset = false }: { reset?: boolean } = {}) {
    this.isOver = true
    if (reset) this.socket.resetAndDestroy()
    else this.socket.destroy()
  }

  /** Of a connection whose server only listens to its request. */
  abstract send(text: string): void

  /** Looks at the head of the response. */
  protected abstract begin(head: string): void

  /** @returns up to where whole messages went */
  protected abstract take(buffer: Buffer, start: number, length: number): number

  protected fail(what: string) {
    if (this.isOver) return
    this.close({ reset: true })
    this.receiver.failed(new Error(what))
  }

  #read(read: number) {
    let buffer: Buffer = READ_BUFFER
    let length = read
    if (this.#rest !== null) {
      buffer = Buffer.concat([this.#rest, READ_BUFFER.subarray(0, read)])
      length = buffer.length
      this.#rest = null
    }
    let at = this.#isBegun ? 0 : this.#readHead(buffer, length)
    if (this.#isBegun && !this.isOver) at = this.take(buffer, at, length)
    if (at < length && !this.isOver) this.#rest = Buffer.from(buffer.subarray(at, length))
  }

  /** @returns where the rest begins */
  #readHead(buffer: Buffer, length: number): number {
    const text = buffer.toString('latin1', 0, length)
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) return 0
    if (!text.startsWith(this.#status)) {
      this.fail(`found ${JSON.stringify(text.slice(0, 400))}; expected ${this.#status}`)
      return length
    }
    this.#isBegun = true
    this.begin(text.slice(0, end))
    this.receiver.upgraded()
    return end + 4
  }
}
