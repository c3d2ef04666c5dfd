import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface Receiver {
  /** The WebSocket is open. */
  readonly upgraded: () => void
  /** A message; the bytes are lent for the call. */
  readonly text: (buffer: Buffer, start: number, end: number) => void
  /** The connection is of no more use; called once, never after `close()`. */
  readonly failed: (error: Error) => void
}

/** Every socket of this process reads into the same memory: what was read is looked at before anything else is. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024)

const FIN_TEXT = 0x81
const CLOSE = 0x88
const PING = 0x89
const PONG = 0x8a

/**
 * The client's end of a WebSocket (RFC 6455) on a bare socket. It does what this load generator needs and no
 * more, so that thousands of them cost little beside the server that is measured: whole, unmasked text
 * frames come in, however reads split them; masked ones go out; pings are answered. Anything else fails.
 */
export class Connection {
  readonly #socket: Socket
  readonly #receiver: Receiver
  readonly #mask = randomBytes(4)
  #isUpgraded = false
  #isOver = false
  /** The beginning of a frame, or of the answer to the upgrade, whose end is still to come. */
  #rest: Buffer | null = null

  /** @param target on the loopback */
  constructor(
    { port, path, subprotocol }: { port: number; path: string; subprotocol: string | null },
    receiver: Receiver,
  ) {
    this.#receiver = receiver
    this.#socket = connect({
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
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(port, path, subprotocol)))
    this.#socket.on('error', (error) => this.#fail(error.message))
    this.#socket.on('close', () => this.#fail('the connection was cut'))
  }

  send(text: string) {
    this.#socket.write(maskedFrame(FIN_TEXT, Buffer.from(text), this.#mask))
  }

  /** Takes nothing from the system any more, as a client that hangs. */
  stopReading() {
    this.#socket.pause()
  }

  /** @param options reset: at once, and without the state that a closed port leaves behind */
  close({ reset = false }: { reset?: boolean } = {}) {
    this.#isOver = true
    if (reset) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  #read(read: number) {
    let buffer: Buffer = READ_BUFFER
    let length = read
    if (this.#rest !== null) {
      buffer = Buffer.concat([this.#rest, READ_BUFFER.subarray(0, read)])
      length = buffer.length
      this.#rest = null
    }
    let at = this.#isUpgraded ? 0 : this.#upgrade(buffer, length)
    while (!this.#isOver && this.#isUpgraded && length - at >= 2) {
      const first = buffer[at]
      let size = buffer[at + 1] as number
      let start = at + 2
      if (size === 126) {
        start += 2
        if (start > length) break
        size = buffer.readUInt16BE(at + 2)
      } else if (size === 127) {
        start += 8
        if (start > length) break
        size = Number(buffer.readBigUInt64BE(at + 2))
      } else if (size > 127) {
        this.#fail('a masked frame came from the server')
        break
      }
      const end = start + size
      if (end > length) break
      if (first === FIN_TEXT) this.#receiver.text(buffer, start, end)
      else this.#control(first, buffer.subarray(start, end))
      at = end
    }
    if (at < length && !this.#isOver) this.#rest = Buffer.from(buffer.subarray(at, length))
  }

  /** @returns where the frames begin */
  #upgrade(buffer: Buffer, length: number): number {
    const head = buffer.toString('latin1', 0, length)
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return 0
    if (!head.startsWith('HTTP/1.1 101 ')) {
      this.#fail(`the upgrade was answered with ${JSON.stringify(head.slice(0, 200))}`)
      return length
    }
    this.#isUpgraded = true
    this.#receiver.upgraded()
    return end + 4
  }

  #control(first: number | undefined, payload: Buffer) {
    if (first === PING) this.#socket.write(maskedFrame(PONG, payload, this.#mask))
    else if (first === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 'no code'
      this.#fail(`the server closed with ${code} ${payload.toString('utf8', 2)}`)
    } else if (first !== PONG) this.#fail(`a frame begins with ${first}; expected a whole text message`)
  }

  #fail(what: string) {
    if (this.#isOver) return
    this.close({ reset: true })
    this.#receiver.failed(new Error(what))
  }
}

function upgradeRequest(port: number, path: string, subprotocol: string | null) {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ...(subprotocol === null ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    '',
    '',
  ].join('\r\n')
}

function maskedFrame(first: number, payload: Buffer, mask: Buffer) {
  const size = payload.length
  const head = size < 126 ? 2 : 4
  if (size > 0xffff) throw new Error(`a message has ${size} bytes; this client sends at most 65,535`)
  const frame = Buffer.allocUnsafe(head + 4 + size)
  frame[0] = first
  frame[1] = 0x80 | (size < 126 ? size : 126)
  if (head === 4) frame.writeUInt16BE(size, 2)
  mask.copy(frame, head)
  for (let i = 0; i < size; i++) {
    frame[head + 4 + i] = (payload[i] as number) ^ (mask[i & 3] as number)
  }
  return frame
}
