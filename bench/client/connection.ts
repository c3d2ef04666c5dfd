import { randomBytes } from 'node:crypto'
import { LeanSocket, type Receiver } from './lean-socket.ts'

const SWITCHING_PROTOCOLS = 101

const FIN_TEXT = 0x81
const CLOSE = 0x88
const PING = 0x89
const PONG = 0x8a

/**
 * The client's end of a WebSocket (RFC 6455): whole, unmasked text frames come in, however reads split them; masked ones go
 * out; pings are answered.
 */
export class Connection extends LeanSocket {
  readonly #mask = randomBytes(4)

  constructor(
    { port, path, subprotocol }: { port: number; path: string; subprotocol: string | null },
    receiver: Receiver,
  ) {
    super(port, upgradeRequest(port, path, subprotocol), SWITCHING_PROTOCOLS, receiver)
  }

  send(text: string) {
    this.socket.write(maskedFrame(FIN_TEXT, Buffer.from(text), this.#mask))
  }

  protected begin() {}

  protected take(buffer: Buffer, from: number, length: number): number {
    let at = from
    while (!this.isOver && length - at >= 2) {
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
        this.fail('a masked frame came from the server')
        break
      }
      const end = start + size
      if (end > length) break
      if (first === FIN_TEXT) this.receiver.text(buffer, start, end)
      else this.#control(first, buffer.subarray(start, end))
      at = end
    }
    return at
  }

  #control(first: number | undefined, payload: Buffer) {
    if (first === PING) this.socket.write(maskedFrame(PONG, payload, this.#mask))
    else if (first === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 'no code'
      this.fail(`the server closed with ${code} ${payload.toString('utf8', 2)}`)
    } else if (first !== PONG) this.fail(`a frame begins with ${first}; expected a whole text message`)
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
