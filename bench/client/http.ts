import { connect, type Socket } from 'node:net'

export type Waiting = { resolve: (body: string) => void; reject: (error: Error) => void }

/** Servers end connections that were idle for 5 s; one that may be on its way out is not used again. */
const FRESH_MS = 3000
const TIMEOUT_MS = 60_000

/** One keep-alive connection that posts JSON, one request at a time; lean for the same reason as `Connection`. */
class PostConnection {
  readonly #port: number
  readonly #head: string
  #socket: Socket | null = null
  #usedAt = 0
  #received = ''
  #waiting: Waiting | null = null

  constructor(port: number, path: string) {
    this.#port = port
    this.#head = [
      `POST ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Content-Type: application/json',
      'Accept: application/graphql-response+json, application/json',
      'Content-Length: ',
    ].join('\r\n')
  }

  /** @returns the body of the answer, which has status 200 */
  post(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = this.#fresh()
      this.#waiting = { resolve, reject }
      socket.write(`${this.#head}${Buffer.byteLength(body)}\r\n\r\n${body}`)
    })
  }

  close() {
    this.#waiting = null
    this.#socket?.destroy()
  }

  #fresh() {
    const isFresh = performance.now() - this.#usedAt < FRESH_MS
    this.#usedAt = performance.now()
    if (this.#socket && isFresh) return this.#socket
    this.#socket?.destroy()
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    // What the servers answer here is ASCII, so characters are bytes.
    socket.setEncoding('latin1').setTimeout(TIMEOUT_MS)
    socket.on('data', (text) => this.#receive(String(text)))
    const fail = (what: string) => {
      if (this.#socket === socket) this.#fail(what)
    }
    socket.on('error', (error) => fail(error.message))
    socket.on('timeout', () => fail(`no answer for ${TIMEOUT_MS} ms`))
    socket.on('close', () => fail('the connection was cut'))
    this.#socket = socket
    return socket
  }

  #receive(text: string) {
    this.#received += text
    const answer = wholeAnswer(this.#received)
    if (answer === null) return
    this.#received = ''
    this.#usedAt = performance.now()
    const waiting = this.#waiting
    this.#waiting = null
    if (answer.status === 200) waiting?.resolve(answer.body)
    else waiting?.reject(new Error(`HTTP ${answer.status}: ${answer.body.slice(0, 400)}`))
  }

  #fail(what: string) {
    this.#socket?.destroy()
    this.#socket = null
    this.#received = ''
    this.#waiting?.reject(new Error(what))
    this.#waiting = null
  }
}

/** So many requests at a time to one server; more wait for their turn. */
export class PostClient {
  readonly #all: PostConnection[]
  readonly #free: PostConnection[]
  readonly #queue: ((connection: PostConnection) => void)[] = []

  constructor(port: number, path: string, connections: number) {
    this.#all = Array.from({ length: connections }, () => new PostConnection(port, path))
    this.#free = [...this.#all]
  }

  async post(body: string): Promise<string> {
    const connection = this.#free.pop() ?? (await this.#turn())
    try {
      return await connection.post(body)
    } finally {
      const next = this.#queue.shift()
      if (next) next(connection)
      else this.#free.push(connection)
    }
  }

  #turn(): Promise<PostConnection> {
    return new Promise((resolve) => this.#queue.push(resolve))
  }

  close() {
    for (const connection of this.#all) connection.close()
  }
}

/** @returns null while more is to come */
function wholeAnswer(text: string): { status: number; body: string } | null {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const status = Number(text.slice(9, 12))
  const head = text.slice(0, headEnd)
  const body = text.slice(headEnd + 4)
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? []
  if (length !== undefined) return body.length < Number(length) ? null : { status, body }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`an answer without a length: ${head}`)
  return unchunked(status, body)
}

function unchunked(status: number, chunks: string) {
  let body = ''
  for (let at = 0; ; ) {
    const lineEnd = chunks.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const size = Number.parseInt(chunks.slice(at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (chunks.length < end + 2) return null
    if (size === 0) return { status, body }
    body += chunks.slice(lineEnd + 2, end)
    at = end + 2
  }
}
