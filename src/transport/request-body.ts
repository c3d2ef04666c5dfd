import type { IncomingMessage } from 'node:http'
import { gunzip } from 'node:zlib'
import { EpochcastError, quote } from '../task/errors.ts'

/** A request that is refused before it is looked at as GraphQL. */
export interface Refusal {
  readonly status: 400 | 413 | 415
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

/**
 * Reads a body of any length and encoding, up to a bound on what it is in the end. Never resolves where the client goes
 * before it has sent all.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | Refusal> {
  const encoding = encodingOf(request.headers)
  if (encoding !== 'gzip' && encoding !== 'identity') {
    await drain(request)
    const error = new EpochcastError(
      'BAD_REQUEST',
      `the Content-Encoding header is ${quote(encoding)}; expected gzip, or none`,
    )
    return { status: 415, error, headers: { 'accept-encoding': 'gzip' } }
  }
  const bytes = await readBytes(request, maxBytes)
  if (typeof bytes === 'string') {
    await drain(request)
    return tooLarge(bytes, maxBytes)
  }
  return encoding === 'gzip' ? inflated(bytes, maxBytes) : bytes
}

/** The name by which the standard has it. */
function encodingOf({ 'content-encoding': encoding = '' }: IncomingMessage['headers']): string {
  const name = encoding.trim().toLowerCase()
  if (name === '' || name === 'none') return 'identity'
  return name === 'x-gzip' ? 'gzip' : name
}

/** All of it, or how much too much there is. */
function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer | string> {
  const length = Number(request.headers['content-length'])
  if (length > maxBytes) return Promise.resolve(String(length))
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let count = 0
    const take = (chunk: Buffer) => {
      count += chunk.length
      if (count <= maxBytes) return void chunks.push(chunk)
      request.off('data', take)
      resolve(`more than ${maxBytes}`)
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
