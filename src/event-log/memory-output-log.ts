import type { Position } from '../task/position.ts'
import type { TaskKey } from '../task/task.ts'
import { storedChannelOf } from './find-task.ts'
import type { Ledger } from './ledger.ts'
import type { MemoryLog } from './memory-log.ts'
import { bytesOfChunk } from './memory-output.ts'
import { makeRoomForOutput } from './memory-room.ts'
import type { MemoryWatches } from './memory-watches.ts'
import { outputChunks } from './output-chunks.ts'
import {
  OUTPUT_BOUNDS,
  type OutputAppend,
  type OutputAppendResult,
  type OutputBounds,
  type OutputLog,
  type OutputRead,
  type StoredOutput,
} from './output-log.ts'

/** Of the engine. */
interface Parts {
  readonly logs: ReadonlyMap<string, MemoryLog>
  readonly ledger: Ledger<MemoryLog>
  readonly watches: MemoryWatches
}

export class MemoryOutputLog implements OutputLog {
  readonly #parts: Parts
  readonly #drop: (log: MemoryLog) => void
  readonly #bounds: OutputBounds

  /** @param drop takes a finished task away, for room */
  constructor(parts: Parts, drop: (log: MemoryLog) => void, bounds: OutputBounds = OUTPUT_BOUNDS) {
    this.#parts = parts
    this.#drop = drop
    this.#bounds = bounds
  }

  async find(key: TaskKey): Promise<StoredOutput | null> {
    return this.#parts.logs.get(storedChannelOf(key))?.output.stored ?? null
  }

  async append(key: TaskKey, request: OutputAppend): Promise<OutputAppendResult> {
    const log = this.#parts.logs.get(storedChannelOf(key))
    if (!log) return { kind: 'missing' }
    const { output } = log
    if (!output.isAt(request.expected)) return { kind: 'conflict' }
    const chunks = outputChunks(request.texts, request.expected?.offset ?? 0)
    const added = chunks.reduce((sum, chunk) => sum + bytesOfChunk(chunk), 0)
    // What is over its own bound goes with it.
    const growth = Math.min(added, Math.max(0, this.#bounds.maxBytes - output.bytes))
    makeRoomForOutput(this.#parts.ledger, log, growth, this.#drop)
    const before = output.bytes
    const top = output.append(request, chunks, this.#bounds)
    this.#parts.ledger.grew(log, output.bytes - before)
    this.#parts.watches.tellOutput(key, top)
    return { kind: 'appended', top, bytes: log.bytes }
  }

  async read(key: TaskKey, after: Position | null, limit: number): Promise<OutputRead> {
    return this.#parts.logs.get(storedChannelOf(key))?.output.read(after, limit) ?? { kind: 'missing' }
  }
}
