import type { TaskEvent } from '../../task/event.ts'
import type { TaskKey, TaskState } from '../../task/task.ts'
import type {
  AppendRequest,
  AppendResult,
  CreateResult,
  CurveChange,
  DropResult,
  EditResult,
  Snapshot,
  StoredSnapshot,
} from '../event-log.ts'
import { newGeneration } from '../log-extent.ts'
import { chunkWrites, trimmed } from './chunks.ts'
import type { Committer, Write } from './committer.ts'
import { type Head, headRecord, isAt, listedAt, oldestKept, topOf } from './head.ts'
import { diskBytes, seal } from './records.ts'
import { nameOf, segmentKey, serialKey, type Table, type Tables, textKey } from './tables.ts'
import { StoredTask, type Tasks } from './tasks.ts'
import type { Tombstones } from './tombstones.ts'
import { Turns } from './turns.ts'

export interface ChangesOptions {
  readonly tables: Tables
  readonly committer: Committer
  readonly tasks: Tasks
  readonly tombstones: Tombstones
  /** Of the tasks' outputs. */
  readonly outputTurns: Turns
  readonly retainEvents: number
  readonly now: () => number
  /** Serial of the newest task that was ever created. */
  readonly lastSerial: number
}

/** Name of the record of the last serial, which no later task may have again. */
const SERIAL_KEY = textKey('serial')

/**
 * Changes tasks, each in one transaction, and those of one task one after the other. Memory follows the disk: what a
 * commit refused has changed nothing.
 */
export class Changes {
  readonly #options: ChangesOptions
  readonly #turns = new Turns()
  #lastSerial: number

  constructor(options: ChangesOptions) {
    this.#options = options
    this.#lastSerial = options.lastSerial
  }

  create(
    key: TaskKey,
    texts: readonly string[],
    state: TaskState,
    stateText: string,
    onCreated: (task: StoredTask) => void,
  ): Promise<CreateResult> {
    const { tables, committer, tasks, tombstones, retainEvents } = this.#options
    const name = nameOf(key)
    return this.#turns.take(name, async () => {
      const existing = tasks.get(name)
      if (existing) return { kind: 'exists', snapshot: tasks.snapshot(existing) }
      if (tombstones.has(name, state.spec.startId)) return { kind: 'dropped' }
      const serial = ++this.#lastSerial
      const { channelPrefix, id } = key
      const none: Head = {
        key: { channelPrefix, id },
        serial,
        owner: state.spec.owner ?? null,
        generation: newGeneration(),
        previous: null,
        top: 0,
        oldest: 1,
        stored: 1,
        revision: 0,
        folded: 0,
        finishedAt: null,
        bytes: 0,
        indexBytes: 0,
      }
      const chunks = chunkWrites(tables.events, none, texts)
      const top = texts.length
      const created = { ...none, top, bytes: bytesOf(chunks), listed: listedAt(state, top, 0) }
      const head = { ...created, oldest: oldestKept(created, retainEvents) }
      const record = headRecord(head, stateText)
      await committer.commit([
        { table: tables.meta, key: SERIAL_KEY, value: seal(SERIAL_KEY, serialKey(serial)) },
        { table: tables.tasks, key: serialKey(serial), value: record },
        ...chunks,
      ])
      const task = new StoredTask(head, record.byteLength)
      tasks.add(task, state, stateText.length)
      onCreated(task)
      return { kind: 'created', snapshot: tasks.snapshot(task) }
    })
  }

  append(
    key: TaskKey,
    texts: readonly string[],
    { expected, revision = 0, state, isFinal, isReturn = false, curves }: AppendRequest,
    stateText: string,
    onAppended: (task: StoredTask) => void,
  ): Promise<AppendResult> {
    const { tables, tasks, retainEvents, now } = this.#options
    const name = nameOf(key)
    return this.#turns.take(name, async () => {
      const task = tasks.get(name)
      if (!task) return { kind: 'missing' }
      const before = task.head
      if (!isAt(before, expected, revision)) return { kind: 'conflict' }
      const writes: Write[] = chunkWrites(tables.events, before, texts)
      let finishedAt = isReturn ? null : before.finishedAt
      if (isFinal) finishedAt ??= now()
      const top = before.top + texts.length
      const appended = {
        ...before,
        top,
        folded: curves?.through ?? before.folded,
        finishedAt,
        listed: listedAt(state, top, before.revision),
      }
      const oldest = oldestKept(appended, retainEvents)
      const { stored, freed, writes: dropped } = trimmed(tables.events, before, oldest)
      let bytes = before.bytes + bytesOf(writes) - freed
      for (const write of dropped) writes.push(write)
      let { indexBytes } = before
      if (curves) {
        const changed = this.#curveWrites(before, curves)
        for (const write of changed.writes) writes.push(write)
        indexBytes = changed.indexBytes
        bytes += changed.growth
      }
      const stateBytes = await this.#commit(
        task,
        { ...appended, oldest, stored, bytes, indexBytes },
        state,
        writes,
        stateText,
      )
      onAppended(task)
      return { kind: 'appended', top: topOf(task.head), stateBytes, bytes: task.bytes }
    })
  }

  edit(
    key: TaskKey,
    { top, revision }: StoredSnapshot,
    state: TaskState,
    stateText: string,
    onEdited: (task: StoredTask) => void,
  ): Promise<EditResult> {
    const { tasks } = this.#options
    const name = nameOf(key)
    return this.#turns.take(name, async () => {
      const task = tasks.get(name)
      if (!task) return { kind: 'missing' }
      if (!isAt(task.head, top, revision)) return { kind: 'conflict' }
      const edits = revision + 1
      const head = { ...task.head, revision: edits, listed: listedAt(state, top.offset, edits) }
      await this.#commit(task, head, state, [], stateText)
      onEdited(task)
      return { kind: 'edited', snapshot: tasks.snapshot(task) }
    })
  }

  /** As `EventLog.drop` says. */
  drop(key: TaskKey, { top, state }: Snapshot, onDropped: (task: StoredTask) => void): Promise<DropResult> {
    const { tasks, tombstones } = this.#options
    const name = nameOf(key)
    return this.#turns.take(name, async () => {
      const task = tasks.get(name)
      if (!task) return { kind: 'missing' }
      if (!isAt(task.head, top)) return { kind: 'conflict' }
      const { writes, keep } = tombstones.mark(name, state.spec.startId)
      await this.#remove(task, writes)
      keep()
      onDropped(task)
      return { kind: 'dropped' }
    })
  }

  /** Drops a task that is still finished when its turn comes, and of the time given or older. */
  dropFinished(task: StoredTask, finishedBy: number, onDropped: (task: StoredTask) => void): Promise<void> {
    const { tasks } = this.#options
    return this.#turns.take(task.name, async () => {
      const { finishedAt } = task.head
      if (tasks.get(task.name) !== task || finishedAt === null || finishedAt > finishedBy) return
      await this.#remove(task, [])
      onDropped(task)
    })
  }

  /** How many bytes `trim` could free; it looks no further than these. */
  spare({ head }: StoredTask, bytes: number): number {
    return trimmed(this.#options.tables.events, head, oldestKept(head, 1), bytes).freed
  }

  /** Trims whole chunks until so many bytes are free; returns how many are. */
  trim(task: StoredTask, bytes: number): Promise<number> {
    const { tables, tasks } = this.#options
    return this.#turns.take(task.name, async () => {
      if (tasks.get(task.name) !== task) return 0
      const { head } = task
      const { stored, freed, writes } = trimmed(tables.events, head, oldestKept(head, 1), bytes)
      if (writes.length === 0) return 0
      const next = { ...head, stored, oldest: Math.max(head.oldest, stored), bytes: head.bytes - freed }
      await this.#commit(task, next, tasks.snapshot(task).state, writes)
      return freed
    })
  }

  startGeneration(key: TaskKey, previous: string, common: number): Promise<void> {
    const { tasks } = this.#options
    const name = nameOf(key)
    return this.#turns.take(name, async () => {
      const task = tasks.get(name)
      if (!task || task.head.generation !== previous) return
      const head = {
        ...task.head,
        generation: newGeneration(),
        previous: { generation: previous, offset: common },
      }
      await this.#commit(task, head, tasks.snapshot(task).state, [])
    })
  }

  /** @returns about the bytes of the state */
  async #commit(
    task: StoredTask,
    head: Head,
    state: TaskState,
    writes: readonly Write[],
    stateText = JSON.stringify(state),
  ): Promise<number> {
    const { tables, committer, tasks } = this.#options
    const record = headRecord(head, stateText)
    await committer.commit([...writes, { table: tables.tasks, key: serialKey(head.serial), value: record }])
    tasks.replace(task, head, record.byteLength, state, stateText.length)
    return stateText.length
  }

  async #remove(task: StoredTask, writes: readonly Write[]): Promise<void> {
    const { tables, committer, tasks, outputTurns } = this.#options
    const { serial } = task.head
    const range = { start: serialKey(serial), end: serialKey(serial + 1) }
    const { curves, events, segments, output, outputLines } = tables
    // Lines that are on their way are written before, or refused after.
    await outputTurns.take(task.name, async () => {
      const removed = [tables.tasks, curves, events, segments, output, outputLines].flatMap((table) =>
        [...table.getKeys(range)].map((key): Write => ({ table, key, value: null })),
      )
      await committer.commit([...writes, ...removed])
      tasks.remove(task)
    })
  }

  #curveWrites({ serial, indexBytes: before }: Head, { index, put, drop }: CurveChange) {
    const { curves, segments } = this.#options.tables
    const indexKey = serialKey(serial)
    const writes: Write[] = [{ table: curves, key: indexKey, value: seal(indexKey, index) }]
    const indexBytes = bytesOf(writes)
    let growth = indexBytes - before
    for (const name of drop) {
      const key = segmentKey(serial, name)
      growth -= storedBytes(segments, key)
      writes.push({ table: segments, key, value: null })
    }
    for (const { name, bytes } of put) {
      const key = segmentKey(serial, name)
      const value = seal(key, bytes)
      growth += diskBytes(value.byteLength) - storedBytes(segments, key)
      writes.push({ table: segments, key, value })
    }
    return { writes, indexBytes, growth }
  }
}

/** What they take on disk. */
const bytesOf = (writes: readonly Write[]): number =>
  writes.reduce((sum, { value }) => sum + (value ? diskBytes(value.byteLength) : 0), 0)

function storedBytes(table: Table, key: Buffer): number {
  const value = table.getBinary(key)
  return value ? diskBytes(value.byteLength) : 0
}

export const textsOf = (events: readonly TaskEvent[]): string[] =>
  events.map((event) => JSON.stringify(event))

/** The serial of the newest task that was ever created. */
export function lastSerialIn(tables: Tables): number {
  const [newest] = tables.tasks.getKeys({ reverse: true, limit: 1 })
  const recorded = tables.meta.getBinary(SERIAL_KEY)
  const serials = [newest, recorded?.subarray(-6)]
  return Math.max(0, ...serials.map((key) => key?.readUIntBE(0, 6) ?? 0))
}
