import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A connection on which a test decides every byte; its own half stays open until the test is over. */
export class RawConnection {
  readonly socket: Socket
  /** All that came, as characters of one byte. */
  text = ''
  isEnded = false
  isClosed = false

  constructor(url: string, { localAddress }: { localAddress?: string } = {}) {
    const { hostname: host, port } = new URL(url)
    this.socket = connect({
      host,
      port: Number(port),
      allowHalfOpen: true,
      ...(localAddress ? { localAddress } : {}),
    })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text) => {
      this.text += text
    })
    this.socket.on('end', () => {
      this.isEnded = true
    })
    this.socket.on('close', () => {
      this.isClosed = true
    })
    this.socket.on('error', () => {})
    onTestFinished(() => void this.socket.destroy())
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(bytes)
    return this
  }

  /** Asks for an operation without waiting for its response. */
  post(query: string, headers: Record<string, string> = {}): this {
    return this.write(postOf(query, headers))
  }

  /** Of the responses that came, in order. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
  }
}

export function postOf(query: string, headers: Record<string, string> = {}): string {
  const body = JSON.stringify({ query })
  return [
    'POST /graphql HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n')
}

/** A client's frame (RFC 6455), masked with zeros. */
export function clientFrame(
  text: string,
  { opcode = 1, isFinal = true, length = Buffer.byteLength(text), isCompressed = false } = {},
): Buffer {
  const header = Buffer.alloc(length < 126 ? 6 : 14)
  header[0] = (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode
  header[1] = 0x80 | (length < 126 ? length : 127)
  if (length >= 126) header.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([header, Buffer.from(text)])
}

export const UPGRADE = [
  'GET /graphql HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
  '',
  '',
].join('\r\n')
