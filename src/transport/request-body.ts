import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzip } from 'node:zlib'
import type { ByteShares } from '../bounds/byte-shares.ts'
import { EpochcastError, quote } from '../task/errors.ts'

/** A request that is refused before it is looked at as GraphQL. */
export interface Refusal {
  readonly status: 400 | 413 | 415 | 503
  readonly error: EpochcastError
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * What is still taken of a body that is too large. Most clients send all of it before they read anything, and a response
 * on a connection that is closed meanwhile is lost.
 */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024

/** Whether the body is in need of more care than to be read. */
export function isPlainBody({ headers }: IncomingMessage, maxBytes: number): boolean {
  return encodingOf(headers) === 'identity' && Number(headers['content-length']) <= maxBytes
}

/** What bodies are read with. */
export interface BodyBounds {
  readonly maxBytes: number
  /** Where what has come of them is counted. */
  readonly received: ByteShares
  readonly holder: string
}

/**
 * What is kept of a body that comes in pieces, until its request is over: thousands of clients that hold back
 * their last byte would else be kept whole. One that comes at once is gone again at once, and not counted.
 */
class PartialBody {
  readonly #bounds: BodyBounds
  #bytes = 0
  #isOver = false

  constructor(bounds: BodyBounds, request: IncomingMessage, response: ServerResponse) {
    this.#bounds = bounds
    const end = () => this.#end()
    // The body is used until then; of a request that breaks off, there is no response to close.
    response.once('close', end)
    request.once('error', end)
  }

  /** False where there is no room for it. */
  add(bytes: number): boolean {
    const { received, holder } = this.#bounds
    if (this.#isOver) return true
    this.#bytes += bytes
    received.add(holder, bytes)
    return !received.isOver(holder)
  }

  /** Nothing of it is kept. */
  refusal(): Refusal {
    const { received, holder } = this.#bounds
    const error = received.refusal(holder)
    this.#end()
    return { status: 503, error }
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#bounds.received.add(this.#bounds.holder, -this.#bytes)
  }
}

/** Reads a body of a known length within the bound. Never calls back where the client goes before it has sent all. */
export function readPlainBody(
  request: IncomingMessage,
  response: ServerResponse,
  bounds: BodyBounds,
  onBody: (body: Buffer | Refusal) => void,
): void {
  const length = Number(request.headers['content-length'])
  let chunks: Buffer[] = []
  let partial: PartialBody | undefined
  let refusal: Refusal | undefined
  request.on('data', (chunk: Buffer) => {
    if (refusal) return
    chunks.push(chunk)
    if (chunk.length === length) return
    partial ??= new PartialBody(bounds, request, response)
    if (partial.add(chunk.length)) return
    refusal = partial.refusal()
    chunks = []
  })
  request.on('end', () =>
    onBody(refusal ?? (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))),
  )
}

/**
 * Reads a body of any length and encoding, up to a bound on what it is in the end. Never resolves where the client goes
 * before it has sent all.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  bounds: BodyBounds,
): Promise<Buffer | Refusal> {
  const { maxBytes } = bounds
  const encoding = encodingOf(request.headers)
  if (encoding !== 'gzip' && encoding !== 'identity') {
    await drain(request)
    const error = new EpochcastError(
      'BAD_REQUEST',
      `the Content-Encoding header is ${quote(encoding)}; expected gzip, or none`,
    )
    return { status: 415, error, headers: { 'accept-encoding': 'gzip' } }
  }
  const partial = new PartialBody(bounds, request, response)
  const bytes = await readBytes(request, maxBytes, partial)
  if (!Buffer.isBuffer(bytes)) {
    await drain(request)
    return bytes
  }
  return encoding === 'gzip' ? inflated(bytes, maxBytes) : bytes
}

/** The name by which the standard has it. */
function encodingOf({ 'content-encoding': encoding = '' }: IncomingMessage['headers']): string {
  const name = encoding.trim().toLowerCase()
  if (name === '' || name === 'none') return 'identity'
  return name === 'x-gzip' ? 'gzip' : name
}

/** All of it, or why there is too much. */
function readBytes(
  request: IncomingMessage,
  maxBytes: number,
  partial: PartialBody,
): Promise<Buffer | Refusal> {
  const length = Number(request.headers['content-length'])
  if (length > maxBytes) return Promise.resolve(tooLarge(String(length), maxBytes))
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let count = 0
    const take = (chunk: Buffer) => {
      count += chunk.length
      const hasRoom = partial.add(chunk.length)
      if (count <= maxBytes && hasRoom) return void chunks.push(chunk)
      request.off('data', take)
      chunks.length = 0
      const refusal = partial.refusal()
      resolve(hasRoom ? tooLarge(`more than ${maxBytes}`, maxBytes) : refusal)
    }
    request.on('data', take)
    request.on('end', () => resolve(Buffer.concat(chunks)))
  })
}

function drain(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let count = 0
    request.on('data', (chunk: Buffer) => {
      count += chunk.length
      if (count > MAX_DRAINED_BYTES) resolve()
    })
    request.on('end', resolve)
    if (request.readableEnded) resolve()
    request.resume()
  })
}

/** Cut as soon as it is larger than it may be. */
function inflated(bytes: Buffer, maxBytes: number): Promise<Buffer | Refusal> {
  return new Promise((resolve) => {
    gunzip(bytes, { maxOutputLength: maxBytes }, (problem, body) => {
      if (!problem) return resolve(body)
      if ((problem as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        return resolve(tooLarge(`inflated more than ${maxBytes}`, maxBytes))
      const message = `the request body is not gzip, as the Content-Encoding header says (${problem.message})`
      resolve({ status: 400, error: new EpochcastError('BAD_REQUEST', message) })
    })
  })
}

const tooLarge = (found: string, maxBytes: number): Refusal => ({
  status: 413,
  error: new EpochcastError(
    'BODY_TOO_LARGE',
    `the request body has ${found} bytes; expected at most ${maxBytes} (EPOCHCAST_MAX_BODY_BYTES)`,
    { details: { maxBytes } },
  ),
})
