import type { FileHandle } from 'node:fs/promises'
import { type Batch, lastOf, restOf } from './batch.ts'
import { REPORTER_LIMITS } from './limits.ts'
import type { Spool } from './outbox.ts'
import type { DeliveryTarget } from './target.ts'

export const SPOOL_VERSION = 1
export const SPOOL_SUFFIX = '.epochcast'
/** Of the number of what is delivered, so that it can be written in place. */
const WIDTH = 20
const READ_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** What a run is, so that another process can send its reports. */
export interface SpoolHeader extends DeliveryTarget {
  readonly version: number
  readonly url: string
  /** Of the machine; the Python package has none. */
  readonly host?: string
}

/**
 * One run's reports in a file, as the Python package has them (`clients/python/src/epochcast/outbox.py`): a line that says how
 * many are delivered, of fixed width, written in place; a line with what the run is; then a line a batch, in ASCII. Batches are
 * written whole before they are sent, so whatever ends the process, `epochcast sync` finds each report that was not confirmed. It
 * is not flushed to the disk: a machine that loses power may lose the last seconds.
 */
export class SpoolFile implements Spool {
  readonly path: string
  readonly header: SpoolHeader
  readonly #files: SpoolFiles
  readonly #handle: FileHandle
  readonly #start: number
  #size: number
  #readAt: number
  #chunk: Uint8Array
  #chunkAt = 0
  /** Number of the last report that was read. */
  #lastRead = 0
  #delivered: number

  private constructor(files: SpoolFiles, path: string, handle: FileHandle, opened: Opened) {
    this.#files = files
    this.path = path
    this.#handle = handle
    this.header = opened.header
    this.#delivered = opened.delivered
    this.#start = opened.start
    this.#size = opened.size
    this.#readAt = opened.start
    this.#chunk = new Uint8Array()
  }

  /** @throws the system's error, where the disk is full or away */
  static async create(files: SpoolFiles, path: string, header: SpoolHeader): Promise<SpoolFile> {
    const handle = await files.open(path, 'wx+', 0o600)
    try {
      const lines = `${numberLine(0)}\n${ascii(JSON.stringify(header))}\n`
      await writeAll(handle, lines, 0)
      const size = lines.length
      return new SpoolFile(files, path, handle, { header, delivered: 0, start: size, size })
    } catch (error) {
      await handle.close()
      // Nothing is in it.
      await files.unlink(path).catch(() => {})
      throw error
    }
  }

  /** @throws the system's error; an Error where it is no such file */
  static async open(files: SpoolFiles, path: string): Promise<SpoolFile> {
    const handle = await files.open(path, 'r+')
    try {
      return new SpoolFile(files, path, handle, await opened(handle))
    } catch (error) {
      await handle.close()
      throw new Error(`${path} is no spool file: ${(error as Error).message}`)
    }
  }

  get delivered(): number {
    return this.#delivered
  }

  async append(batch: Batch): Promise<boolean> {
    const { first, count, member, reports } = batch
    const line = ascii(`${first} ${count} ${JSON.stringify(member)}\t${reports}\n`)
    if (this.#size + line.length > REPORTER_LIMITS.spoolBytes) return false
    try {
      await writeAll(this.#handle, line, this.#size)
    } catch (error) {
      // A line that was begun is taken back.
      await this.#handle.truncate(this.#size).catch(() => {})
      throw error
    }
    this.#size += line.length
    return true
  }

  async next(): Promise<Batch | null> {
    for (let line = await this.#line(); line !== null; line = await this.#line()) {
      const [, first, count, member = '', reports = ''] = /^(\d+) (\d+) (.*?)\t(.*)$/.exec(line) ?? []
      if (first === undefined) throw new Error(`${this.path} has a line that is no batch`)
      const batch = { first: Number(first), count: Number(count), member: JSON.parse(member), reports }
      this.#lastRead = lastOf(batch)
      const rest = restOf(batch, this.#delivered)
      if (rest) return rest
    }
    return null
  }

  /** The next line; null where there is none, or one that a killed process did not finish. */
  async #line(): Promise<string | null> {
    for (;;) {
      const end = this.#chunk.indexOf(NEWLINE, this.#chunkAt)
      if (end >= 0) {
        const line = text(this.#chunk.subarray(this.#chunkAt, end))
        this.#chunkAt = end + 1
        return line
      }
      const { bytesRead, buffer } = await this.#handle.read(
        new Uint8Array(READ_BYTES),
        0,
        READ_BYTES,
        this.#readAt,
      )
      if (bytesRead === 0) return null
      const rest = this.#chunk.subarray(this.#chunkAt)
      const chunk = new Uint8Array(rest.length + bytesRead)
      chunk.set(rest)
      chunk.set(buffer.subarray(0, bytesRead), rest.length)
      this.#chunk = chunk
      this.#chunkAt = 0
      this.#readAt += bytesRead
    }
  }

  /** Says that somebody still writes it; now and then. */
  async touch(): Promise<void> {
    const now = new Date()
    await this.#handle.utimes(now, now)
  }

  async confirm(number: number): Promise<void> {
    this.#delivered = number
    // In place, so that it needs no room on a disk that is full.
    await writeAll(this.#handle, numberLine(number), 0)
    const isRead = this.#readAt === this.#size && this.#chunkAt === this.#chunk.length
    if (this.#size <= REPORTER_LIMITS.trimSpoolBytes || !isRead || number < this.#lastRead) return
    await this.#handle.truncate(this.#start)
    this.#size = this.#start
    this.#readAt = this.#start
    this.#chunk = new Uint8Array()
    this.#chunkAt = 0
  }

  /** @param end `aside` leaves it under another name, where `sync` does not look */
  async close(end: 'keep' | 'remove' | 'aside'): Promise<void> {
    try {
      if (end === 'remove') await this.#files.unlink(this.path)
      if (end === 'aside') await this.#files.rename(this.path, `${this.path}.refused`)
    } finally {
      await this.#handle.close()
    }
  }
}

/** What a spool needs of `node:fs/promises`; a page has none. */
export type SpoolFiles = Pick<typeof import('node:fs/promises'), 'open' | 'unlink' | 'rename'>

interface Opened {
  readonly header: SpoolHeader
  readonly delivered: number
  readonly start: number
  readonly size: number
}

/** The most that the line may have that says what a run is. */
const MAX_HEADER_BYTES = 1024 * 1024

async function opened(handle: FileHandle): Promise<Opened> {
  const { size } = await handle.stat()
  const length = Math.min(size, MAX_HEADER_BYTES)
  const { buffer } = await handle.read(new Uint8Array(length), 0, length, 0)
  const first = buffer.indexOf(NEWLINE)
  const second = buffer.indexOf(NEWLINE, first + 1)
  if (first < 0 || second < 0) throw new Error('it has no header')
  const delivered = text(buffer.subarray(0, first))
  if (!/^\d+$/.test(delivered)) throw new Error('it does not begin with a number')
  const header = JSON.parse(text(buffer.subarray(first + 1, second))) as SpoolHeader
  if (header.version !== SPOOL_VERSION)
    throw new Error(`version ${header.version} of spool files is not known`)
  if (typeof header.producer !== 'string') throw new Error('it has no producer')
  return { header, delivered: Number(delivered), start: second + 1, size }
}

const numberLine = (number: number): string => String(number).padStart(WIDTH, '0')

/** So that a length is one of bytes, and any reader can read it. */
const ascii = (json: string): string =>
  json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

const latin = new TextDecoder('latin1')
const text = (bytes: Uint8Array): string => latin.decode(bytes)

async function writeAll(handle: FileHandle, line: string, position: number): Promise<void> {
  const bytes = new TextEncoder().encode(line)
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}
