import type { Position } from '../../task/position.ts'
import { channelOf, type TaskKey } from '../../task/task.ts'
import type { MemoryWatches } from '../memory-watches.ts'
import { outputChunks, previousOf, readOutput } from '../output-chunks.ts'
import {
  OUTPUT_BOUNDS,
  type OutputAppend,
  type OutputAppendResult,
  type OutputBounds,
  type OutputLog,
  type OutputRead,
  type StoredOutput,
} from '../output-log.ts'
import type { Committer, Write } from './committer.ts'
import { tellingDiskErrors } from './errors.ts'
import { type OutputHead, sealedOutput } from './output-head.ts'
import { diskBytes, seal, unseal } from './records.ts'
import type { Growth, Reservation, Room } from './room.ts'
import { endOf, eventsKey, firstOffsetOf, nameOf, serialKey, type Table, type Tables } from './tables.ts'
import type { StoredTask, Tasks } from './tasks.ts'
import type { Turns } from './turns.ts'

interface Parts {
  readonly path: string
  readonly tables: Tables
  readonly committer: Committer
  readonly tasks: Tasks
  /** Of outputs alone, so that none of them waits for its task's events, nor they for it. */
  readonly turns: Turns
  readonly watches: MemoryWatches
  readonly bounds?: OutputBounds | undefined
  readonly onDamaged: (what: string) => void
}

export class LmdbOutputLog implements OutputLog {
  readonly #parts: Parts
  readonly #bounds: OutputBounds
  /** Set by the store, since making room takes from outputs, too. */
  room: Room | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#bounds = parts.bounds ?? OUTPUT_BOUNDS
  }

  async find(key: TaskKey): Promise<StoredOutput | null> {
    const output = this.#parts.tasks.get(nameOf(key))?.output
    return output ? { extent: output, state: output.state } : null
  }

  async append(key: TaskKey, request: OutputAppend): Promise<OutputAppendResult> {
    const { tasks, turns, path } = this.#parts
    const name = nameOf(key)
    const task = tasks.get(name)
    if (!task) return { kind: 'missing' }
    const added = request.texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 64)
    // What is over its own bound goes with it.
    const left = this.#bounds.maxBytes - (task.output?.lineBytes ?? 0)
    const growth = diskBytes(Math.min(added, Math.max(0, left))) + HEAD_BYTES
    const heldGrowth = task.head.finishedAt === null ? growth : null
    const reserved = await this.#reserve({ owner: task.owner, task, growth, heldGrowth, isOutput: true })
    try {
      return await tellingDiskErrors(path, () => turns.take(name, () => this.#append(key, request)))
    } finally {
      reserved?.release()
    }
  }

  async read(key: TaskKey, after: Position | null, limit: number): Promise<OutputRead> {
    const { tasks, tables, path } = this.#parts
    const task = tasks.get(nameOf(key))
    if (!task) return { kind: 'missing' }
    const { output } = task
    if (!output) return { kind: 'none' }
    return tellingDiskErrors(path, () => {
      const chunks = (from: number) => this.#chunks(tables.outputLines, task, output, from, limit)
      const found = readOutput(output, after, chunks)
      if (found.kind !== 'lines') return found
      // Of what is damaged the lines are missing; whoever asks for all there is has not missed anything.
      const from = after?.offset ?? output.oldest - 1
      const next = found.lines[0]?.offset ?? output.top + 1
      if (next === from + 1 || after === null) return found
      const resumeAt = { generation: output.generation, offset: next - 1 }
      return { kind: 'gone', reason: 'TRIMMED', resumeAt, skipped: next - 1 - from }
    })
  }

  /** Bytes of lines that `trim` could free. */
  spare({ output }: StoredTask): number {
    return output && output.top > output.oldest
      ? Math.max(0, output.lineBytes - this.#bounds.maxBytes / 16)
      : 0
  }

  /** Gives up the oldest lines until so many bytes are free; returns how many are. */
  trim(task: StoredTask, bytes: number): Promise<number> {
    const { tasks, tables, turns } = this.#parts
    return turns.take(task.name, async () => {
      const { output } = task
      if (!output || tasks.get(task.name) !== task) return 0
      const goal = Math.max(output.lineBytes - bytes, this.#bounds.maxBytes / 16)
      const bounds = { ...this.#bounds, maxBytes: goal }
      const { writes, ...next } = trimmed(tables.outputLines, task, output, bounds, null)
      if (writes.length === 0) return 0
      await this.#commit(task, next, writes)
      return output.lineBytes - next.lineBytes
    })
  }

  /** Where there is no room, its own older lines give way. */
  async #reserve(wanted: Growth & { readonly task: StoredTask }): Promise<Reservation | undefined> {
    try {
      return await this.room?.reserve(wanted)
    } catch (full) {
      if ((await this.trim(wanted.task, wanted.growth)) === 0) throw full
      return await this.room?.reserve(wanted)
    }
  }

  async #append(key: TaskKey, request: OutputAppend): Promise<OutputAppendResult> {
    const { tasks, tables, watches } = this.#parts
    const task = tasks.get(nameOf(key))
    if (!task) return { kind: 'missing' }
    const { output } = task
    const { expected, generation, state, texts } = request
    if (output?.generation !== expected?.generation || (output?.top ?? 0) !== (expected?.offset ?? 0))
      return { kind: 'conflict' }
    const { serial } = task.head
    const before = output?.top ?? 0
    const writes = outputChunks(texts, before).map(({ first, text }): Write => {
      const chunkKey = eventsKey(serial, first)
      return { table: tables.outputLines, key: chunkKey, value: seal(chunkKey, text) }
    })
    const appended = {
      generation,
      previous: previousOf(request, output?.previous ?? null),
      top: before + texts.length,
      oldest: output?.oldest ?? 1,
      state,
      lineBytes: (output?.lineBytes ?? 0) + writes.reduce((sum, { value }) => sum + bytesOf(value), 0),
    }
    const { writes: dropped, ...head } = trimmed(tables.outputLines, task, appended, this.#bounds, before + 1)
    await this.#commit(task, head, [...(output ? [] : this.#leftOver(task)), ...writes, ...dropped])
    const top = { generation, offset: head.top }
    watches.tellOutput(key, top)
    return { kind: 'appended', top, bytes: task.bytes }
  }

  /** Lines of an output whose head was damaged: in the next one they would stand between its own. */
  #leftOver({ head: { serial } }: StoredTask): Write[] {
    const table = this.#parts.tables.outputLines
    const keys = table.getKeys({ start: serialKey(serial), end: endOf(serial) })
    return [...keys].map((key) => ({ table, key, value: null }))
  }

  async #commit(
    task: StoredTask,
    head: Omit<OutputHead, 'headBytes'>,
    writes: readonly Write[],
  ): Promise<void> {
    const { tables, committer, tasks } = this.#parts
    const { serial } = task.head
    const value = sealedOutput(serial, head)
    await committer.commit([...writes, { table: tables.output, key: serialKey(serial), value }])
    tasks.replaceOutput(task, { ...head, headBytes: diskBytes(value.byteLength) })
  }

  *#chunks(table: Table, { head }: StoredTask, output: OutputHead, after: number, limit: number) {
    const { serial } = head
    const [start = eventsKey(serial, after + 1)] = table.getKeys({
      start: eventsKey(serial, after + 1),
      end: eventsKey(serial, output.oldest - 1),
      reverse: true,
      limit: 1,
    })
    let lines = 0
    let expected = after + 1
    for (const { key, value } of table.getRange({ start, end: endOf(serial) })) {
      const first = firstOffsetOf(key)
      // It is on disk already, but not yet told.
      if (first > output.top || lines >= limit) return
      const body = unseal(key, value)
      if (!body) this.#parts.onDamaged(`lines of the output of ${channelOf(head.key)}`)
      // A gap is told where it is the first that a reader comes to.
      if (!body || (lines > 0 && first > expected)) {
        if (lines > 0) return
        continue
      }
      const text = body.toString()
      const count = (JSON.parse(text) as unknown[]).length
      yield { first, text }
      lines += count
      expected = first + count
    }
  }
}

/** What a head takes at most, of few producers. */
const HEAD_BYTES = 384

const bytesOf = (value: Buffer | null | undefined): number => (value ? diskBytes(value.byteLength) : 0)

/**
 * Takes away the oldest chunks beyond the bounds, but never the newest.
 *
 * @param added first offset of chunks that are not on disk yet; null for none
 */
function trimmed(
  table: Table,
  { head: { serial } }: StoredTask,
  output: Omit<OutputHead, 'headBytes'>,
  { maxLines, maxBytes }: OutputBounds,
  added: number | null,
) {
  const writes: Write[] = []
  let { oldest, lineBytes } = output
  const isTooMuch = () => output.top - oldest >= maxLines || lineBytes > maxBytes
  if (!isTooMuch()) return { ...output, oldest, lineBytes, writes }
  const range = table.getKeys({ start: eventsKey(serial, oldest), end: endOf(serial) })
  let before: Buffer | undefined
  const drop = (next: number) => {
    if (before === undefined || !isTooMuch()) return false
    writes.push({ table, key: before, value: null })
    lineBytes -= bytesOf(table.getBinary(before))
    oldest = next
    return true
  }
  for (const key of range) {
    if (before !== undefined && !drop(firstOffsetOf(key))) return { ...output, oldest, lineBytes, writes }
    before = key
  }
  // All that is on disk is too much with what comes.
  if (added !== null) drop(added)
  return { ...output, oldest, lineBytes, writes }
}
