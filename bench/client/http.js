// @ts-check
import { connect } from 'node:net'

/** @typedef {{ resolve: (body: string) => void, reject: (error: Error) => void }} Waiting */

/** Servers end connections that were idle for 5 s; one that may be on its way out is not used again. */
const FRESH_MS = 3000
const TIMEOUT_MS = 60_000

/** One keep-alive connection that posts JSON, one request at a time; lean for the same reason as `Connection`. */
class PostConnection {
  #port
  #head
  /** @type {import('node:net').Socket | null} */
  #socket = null
  #usedAt = 0
  #received = ''
  /** @type {Waiting | null} */
  #waiting = null

  /**
   * @param {number} port
   * @param {string} path
   */
  constructor(port, path) {
    this.#port = port
    this.#head = [
      `POST ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'Content-Type: application/json',
      'Accept: application/graphql-response+json, application/json',
      'Content-Length: ',
    ].join('\r\n')
  }

  /**
   * @param {string} body
   * @returns {Promise<string>} the body of the answer, which has status 200
   */
  post(body) {
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
    socket.on('data', (text) => this.#receive(/** @type {any} */ (text)))
    const fail = (/** @type {string} */ what) => {
      if (this.#socket === socket) this.#fail(what)
    }
    socket.on('error', (error) => fail(error.message))
    socket.on('timeout', () => fail(`no answer for ${TIMEOUT_MS} ms`))
    socket.on('close', () => fail('the connection was cut'))
    this.#socket = socket
    return socket
  }

  /** @param {string} text */
  #receive(text) {
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

  /** @param {string} what */
  #fail(what) {
    this.#socket?.destroy()
    this.#socket = null
    this.#received = ''
    this.#waiting?.reject(new Error(what))
    this.#waiting = null
  }
}

/** So many requests at a time to one server; more wait for their turn. */
export class PostClient {
  /** @type {PostConnection[]} */
  #all
  /** @type {PostConnection[]} */
  #free
  /** @type {((connection: PostConnection) => void)[]} */
  #queue = []

  /**
   * @param {number} port
   * @param {string} path
   * @param {number} connections
   */
  constructor(port, path, connections) {
    this.#all = Array.from({ length: connections }, () => new PostConnection(port, path))
    this.#free = [...this.#all]
  }

  /**
   * @param {string} body
   * @returns {Promise<string>}
   */
  async post(body) {
    const connection = this.#free.pop() ?? (await this.#turn())
    try {
      return await connection.post(body)
    } finally {
      const next = this.#queue.shift()
      if (next) next(connection)
      else this.#free.push(connection)
    }
  }

  /** @returns {Promise<PostConnection>} */
  #turn() {
    return new Promise((resolve) => this.#queue.push(resolve))
  }

  close() {
    for (const connection of this.#all) connection.close()
  }
}

/**
 * @param {string} text
 * @returns {{ status: number, body: string } | null} null while more is to come
 */
function wholeAnswer(text) {
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

/**
 * @param {number} status
 * @param {string} chunks
 */
function unchunked(status, chunks) {
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
