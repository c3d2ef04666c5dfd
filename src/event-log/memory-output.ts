import { NO_OUTPUT, type OutputState } from '../task/output.ts'
import type { Position } from '../task/position.ts'
import type { LogExtent } from './log-extent.ts'
import { type OutputChunk, previousOf, readOutput } from './output-chunks.ts'
import type { OutputAppend, OutputBounds, OutputRead, StoredOutput } from './output-log.ts'

/** Rough cost of a chunk beside its text. */
const CHUNK_OVERHEAD_BYTES = 96

/** One task's output in memory. */
export class MemoryOutput {
  #generation: string | null = null
  #previous: Position | null = null
  /** Oldest first. */
  #chunks: OutputChunk[] = []
  #top = 0
  #oldest = 1
  #state: OutputState = NO_OUTPUT
  #stateBytes = 0
  #chunkBytes = 0

  get bytes(): number {
    return this.#chunkBytes + this.#stateBytes
  }

  get stored(): StoredOutput | null {
    const extent = this.#extent
    return extent && { extent, state: this.#state }
  }

  isAt(expected: Position | null): boolean {
    return (expected?.generation ?? null) === this.#generation && (expected?.offset ?? 0) === this.#top
  }

  append(request: OutputAppend, chunks: readonly OutputChunk[], bounds: OutputBounds): Position {
    const { generation, state } = request
    this.#previous = previousOf(request, this.#previous)
    this.#generation = generation
    for (const chunk of chunks) {
      this.#chunks.push(chunk)
      this.#chunkBytes += bytesOfChunk(chunk)
      this.#top += chunk.count
    }
    this.#state = state
    this.#stateBytes = JSON.stringify(state).length
    this.#trimWhile(() => this.#top - this.#oldest >= bounds.maxLines || this.#chunkBytes > bounds.maxBytes)
    return { generation, offset: this.#top }
  }

  /** What may go where there is no room; the newest lines stay. */
  get spareBytes(): number {
    const newest = this.#chunks.at(-1)
    return newest ? this.#chunkBytes - bytesOfChunk(newest) : 0
  }

  /** Gives up the oldest lines, and returns the bytes that this freed. */
  trim(bytes: number): number {
    const before = this.#chunkBytes
    this.#trimWhile(() => before - this.#chunkBytes < bytes)
    return before - this.#chunkBytes
  }

  read(after: Position | null, limit: number): OutputRead {
    const extent = this.#extent
    return extent ? readOutput(extent, after, (offset) => this.#chunksAfter(offset, limit)) : { kind: 'none' }
  }

  get #extent(): LogExtent | null {
    if (this.#generation === null) return null
    return { generation: this.#generation, previous: this.#previous, top: this.#top, oldest: this.#oldest }
  }

  #chunksAfter(offset: number, limit: number): OutputChunk[] {
    const start = this.#chunks.findIndex(({ first, count }) => first + count > offset + 1)
    let end = start
    for (let lines = 0; lines < limit && end < this.#chunks.length; end++)
      lines += this.#chunks[end]?.count ?? 0
    return this.#chunks.slice(start, end)
  }

  #trimWhile(isTooMuch: () => boolean): void {
    let gone = 0
    while (gone < this.#chunks.length - 1 && isTooMuch()) {
      const chunk = this.#chunks[gone++] as OutputChunk
      this.#chunkBytes -= bytesOfChunk(chunk)
      this.#oldest = chunk.first + chunk.count
    }
    if (gone > 0) this.#chunks = this.#chunks.slice(gone)
  }
}

export const bytesOfChunk = ({ text }: OutputChunk): number => Buffer.byteLength(text) + CHUNK_OVERHEAD_BYTES
