import { TOMBSTONE_MS } from '../event-log.ts'
import type { Write } from './committer.ts'
import { seal, unseal } from './records.ts'
import { type Table, textKey } from './tables.ts'

const MAX_TOMBSTONES = 10_000

interface Tombstone {
  readonly startId: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** Marks of deleted tasks, oldest first: in memory all of them, since a creation looks for its own. */
export class Tombstones {
  readonly #table: Table
  readonly #now: () => number
  readonly #marks = new Map<string, Tombstone>()

  constructor(table: Table, now: () => number) {
    this.#table = table
    this.#now = now
  }

  load(): void {
    const marks: [string, Tombstone][] = []
    for (const { key, value } of this.#table.getRange({})) {
      const body = unseal(key, value)
      if (body) marks.push([key.toString(), JSON.parse(body.toString()) as Tombstone])
    }
    marks.sort(([, a], [, b]) => a.until - b.until)
    for (const [name, mark] of marks) this.#marks.set(name, mark)
  }

  has(name: string, startId: string): boolean {
    const mark = this.#marks.get(name)
    return mark?.startId === startId && mark.until > this.#now()
  }

  /** A mark for a task, and the end of those that are over or too many; `keep` once it is written. */
  mark(name: string, startId: string): { writes: readonly Write[]; keep: () => void } {
    const mark = { startId, until: this.#now() + TOMBSTONE_MS }
    const over: string[] = []
    let left = this.#marks.size
    for (const [other, { until }] of this.#marks) {
      if (until > this.#now() && left < MAX_TOMBSTONES) break
      if (other !== name) over.push(other)
      left--
    }
    const key = textKey(name)
    const writes = [
      ...over.map((other) => ({ table: this.#table, key: textKey(other), value: null })),
      { table: this.#table, key, value: seal(key, JSON.stringify(mark)) },
    ]
    const keep = () => {
      for (const other of [...over, name]) this.#marks.delete(other)
      this.#marks.set(name, mark)
    }
    return { writes, keep }
  }
}
