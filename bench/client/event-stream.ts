import { LeanSocket, type Receiver } from './lean-socket.ts'

const OK = 200
const [LF, CR, COLON, ZERO, NINE, LOWER_A] = [...'\n\r:09a'].map((character) => character.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
  number,
]
const END_OF_EVENT = Buffer.from('\n\n')
const RETRY = Buffer.from('retry:')

/**
 * The client's end of server-sent events, in the chunks of HTTP/1.1 (RFC 9112, 7.1), each of which is to hold whole events: they
 * come out with their fields, as they are. Comments and `retry` are left out.
 */
export class EventStream extends LeanSocket {
  /** @param accept what it asks for; with a body it is a POST */
  constructor({ port, path, body }: { port: number; path: string; body: string | null }, receiver: Receiver) {
    super(port, requestFor(port, path, body), OK, receiver)
  }

  send(text: string) {
    throw new Error(`nothing can be sent on an event stream; found ${text}`)
  }

  protected begin(head: string) {
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) this.fail(`a response without chunks: ${head}`)
  }

  protected take(buffer: Buffer, from: number, length: number): number {
    let at = from
    while (!this.isOver && at < length) {
      let size = 0
      let start = at
      for (; start < length && buffer[start] !== CR; start++)
        size = size * 16 + digit(buffer[start] as number)
      start += 2
      const end = start + size
      if (end + 2 > length) break
      if (Number.isNaN(size) || buffer[start - 1] !== LF) this.fail(`a chunk has no size`)
      else if (size === 0) this.fail('the stream came to its end')
      else this.#events(buffer, start, end)
      at = end + 2
    }
    return at
  }

  #events(buffer: Buffer, from: number, end: number) {
    let at = from
    while (!this.isOver && at < end) {
      const next = buffer.indexOf(END_OF_EVENT, at)
      if (next < 0 || next + 2 > end) return this.fail('a chunk ends within an event')
      const isComment = buffer[at] === COLON
      if (!isComment && buffer.compare(RETRY, 0, RETRY.length, at, at + RETRY.length) !== 0)
        this.receiver.text(buffer, at, next)
      at = next + 2
    }
  }
}

/** Hexadecimal; not a number where it is none. */
function digit(character: number): number {
  if (character >= ZERO && character <= NINE) return character - ZERO
  // Upper case differs from lower by one bit.
  const letter = (character | 0x20) - LOWER_A
  return letter >= 0 && letter < 6 ? letter + 10 : Number.NaN
}

function requestFor(port: number, path: string, body: string | null): string {
  const head = [
    `${body === null ? 'GET' : 'POST'} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Accept: text/event-stream',
    ...(body === null
      ? []
      : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  return `${head.join('\r\n')}\r\n\r\n${body ?? ''}`
}
