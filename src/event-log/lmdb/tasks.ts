import { LRUCache } from 'lru-cache'
import { EpochcastError, quote } from '../../task/errors.ts'
import { channelOf, type TaskState } from '../../task/task.ts'
import type { StoredSnapshot } from '../event-log.ts'
import type { Holding, Ledger } from '../ledger.ts'
import { type Listing, listingFrom, listingOf } from '../listing.ts'
import { SerialList } from '../serial-list.ts'
import type { ListScope } from '../task-index.ts'
import { type Head, isAt, readHead, readTask, topOf } from './head.ts'
import type { OutputHead } from './output-head.ts'
import { nameOf, serialOf, type Table } from './tables.ts'

/** Characters of states that are kept in memory as objects, so that they need not be read again. */
const STATES_LENGTH = 64 * 1024 * 1024
/** Tasks that a walk looks up at once. */
const LISTED_TOGETHER = 100

/** A task as it was committed last; its head is replaced, never changed. */
export class StoredTask implements Holding {
  readonly name: string
  readonly owner: string | null
  head: Head
  /** Bytes of the record that has head and state. */
  recordBytes: number
  /** Null where it has none. */
  output: OutputHead | null

  constructor(head: Head, recordBytes: number, output: OutputHead | null = null) {
    this.name = nameOf(head.key)
    this.owner = head.owner
    this.head = head
    this.recordBytes = recordBytes
    this.output = output
  }

  /** About what it takes on disk. */
  get bytes(): number {
    const { lineBytes = 0, headBytes = 0 } = this.output ?? {}
    return this.head.bytes + this.recordBytes + lineBytes + headBytes
  }
}

/** All tasks on disk, with what is needed of each to find it: their heads in memory, their states as far as they are in use. */
export class Tasks {
  readonly #table: Table
  readonly #byName = new Map<string, StoredTask>()
  readonly #bySerial = new Map<number, StoredTask>()
  readonly #serials = new SerialList()
  readonly #unfinished = new SerialList()
  readonly #ledger: Ledger<Holding>
  readonly #states = new LRUCache<number, TaskState>({ maxSize: STATES_LENGTH })
  #bytes = 0

  /** @param ledger told of each task and its bytes; finished ones in the order in which they finished */
  constructor(table: Table, ledger: Ledger<Holding>) {
    this.#table = table
    this.#ledger = ledger
  }

  /** About what all of them take on disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Those older than `before` (by serial), newest first. */
  *newestFirst(scope: ListScope, before: number | null): Generator<StoredTask> {
    const serials = scope === 'unfinished' ? this.#unfinished : this.#serials
    for (let below = before; ; ) {
      const older = serials.before(below, LISTED_TOGETHER)
      for (const serial of older) yield this.#bySerial.get(serial) as StoredTask
      below = older.at(-1) ?? null
      if (below === null) return
    }
  }

  *finished(): Generator<StoredTask> {
    for (const task of this.#ledger.finished) if (task instanceof StoredTask) yield task
  }

  /**
   * Reads what is on disk.
   *
   * @param onDamaged told the serial of each record that is not as it was written; its task is left out
   */
  load(onDamaged: (serial: number) => void, outputs: ReadonlyMap<number, OutputHead> = new Map()): void {
    const finished: StoredTask[] = []
    for (const { key, value } of this.#table.getRange({})) {
      const head = readHead(key, value)
      if (!head) {
        onDamaged(serialOf(key))
        continue
      }
      const task = new StoredTask(head, value.byteLength, outputs.get(head.serial) ?? null)
      if (head.finishedAt === null) this.#enter(task)
      else finished.push(task)
      this.#serials.add(head.serial)
    }
    finished.sort((a, b) => (a.head.finishedAt ?? 0) - (b.head.finishedAt ?? 0))
    for (const task of finished) this.#enter(task)
  }

  get(name: string): StoredTask | undefined {
    return this.#byName.get(name)
  }

  nameOf(serial: number): string {
    return this.#bySerial.get(serial)?.name ?? `task number ${serial}`
  }

  add(task: StoredTask, state: TaskState, stateLength: number): void {
    this.#serials.add(task.head.serial)
    this.#enter(task)
    this.#states.set(task.head.serial, state, { size: stateLength })
  }

  replace(task: StoredTask, head: Head, recordBytes: number, state: TaskState, stateLength: number): void {
    const wasFinished = task.head.finishedAt !== null
    const before = task.bytes
    task.head = head
    task.recordBytes = recordBytes
    this.#bytes += task.bytes - before
    this.#ledger.grew(task, task.bytes - before)
    this.#states.set(head.serial, state, { size: stateLength })
    const isFinished = head.finishedAt !== null
    this.#ledger.move(task, isFinished)
    if (isFinished) this.#unfinished.delete(head.serial)
    else if (wasFinished) this.#unfinished.add(head.serial)
  }

  replaceOutput(task: StoredTask, output: OutputHead): void {
    const before = task.bytes
    task.output = output
    this.#bytes += task.bytes - before
    this.#ledger.grew(task, task.bytes - before)
  }

  remove(task: StoredTask): void {
    this.#byName.delete(task.name)
    this.#bySerial.delete(task.head.serial)
    this.#serials.delete(task.head.serial)
    this.#unfinished.delete(task.head.serial)
    this.#ledger.remove(task)
    this.#states.delete(task.head.serial)
    this.#bytes -= task.bytes
  }

  /** @throws EpochcastError DATA_DAMAGED */
  snapshot(task: StoredTask): StoredSnapshot {
    const known = this.#states.get(task.head.serial)
    return known ? snapshotOf(task, known) : this.#read(task.head)
  }

  /**
   * Without reading the state, but where it was stored by a version that did not keep this beside it.
   *
   * @throws EpochcastError DATA_DAMAGED
   */
  listing(task: StoredTask): Listing {
    const { key, serial, owner, top, revision, listed } = task.head
    if (listed?.version === top + revision)
      return listingFrom(key, { serial, version: listed.version, owner, bytes: task.bytes }, listed)
    const known = this.#states.peek(serial)
    return listingOf(known ? snapshotOf(task, known) : this.#read(task.head, false))
  }

  /** @param isKept whether it is in use from now on, and not only looked at with all the others */
  #read({ serial, key }: Head, isKept = true): StoredSnapshot {
    const read = readTask(this.#table, serial)
    if (!read) {
      throw new EpochcastError(
        'DATA_DAMAGED',
        `the state of task ${quote(channelOf(key))} is not on disk as it was written; restore a backup, or delete the task`,
      )
    }
    const { head, state, stateLength, recordBytes } = read
    // Where a commit is on disk that this process has yet to hear of, head and state are both of that one.
    const known = this.#bySerial.get(serial)?.head
    if (isKept && known && isAt(known, topOf(head), head.revision))
      this.#states.set(serial, state, { size: stateLength })
    return snapshotOf(new StoredTask(head, recordBytes, this.#bySerial.get(serial)?.output), state)
  }

  #enter(task: StoredTask): void {
    this.#byName.set(task.name, task)
    this.#bySerial.set(task.head.serial, task)
    if (task.head.finishedAt === null) this.#unfinished.add(task.head.serial)
    this.#ledger.add(task, task.head.finishedAt !== null)
    this.#bytes += task.bytes
  }
}

const snapshotOf = ({ head, bytes }: StoredTask, state: TaskState): StoredSnapshot => {
  const { serial, revision, folded } = head
  return { state, top: topOf(head), serial, revision, folded, bytes }
}
