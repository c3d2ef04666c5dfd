import type { Position } from '../../task/position.ts'
import { channelOf } from '../../task/task.ts'
import type { CurvesRead } from '../curve-store.ts'
import type { LogEntry, ReadResult } from '../event-log.ts'
import { refusalOf } from '../log-extent.ts'
import { readEntries } from './chunks.ts'
import { type Head, readHead, topOf } from './head.ts'
import { unseal } from './records.ts'
import { segmentKey, serialKey, type Tables } from './tables.ts'

/**
 * Reads what is on disk of a task. What is not as it was written is told, and left out as what the log no longer has.
 *
 * A commit can be on disk a moment before this process hears of it: the head in memory is then older than the records
 * beside it. So whatever needs several records takes the head from the disk, too.
 */
export class Reads {
  readonly #tables: Tables
  readonly #onDamaged: (what: string) => void

  constructor(tables: Tables, onDamaged: (what: string) => void) {
    this.#tables = tables
    this.#onDamaged = onDamaged
  }

  /** As `EventLog.read` says. */
  read(head: Head, after: Position | null, limit: number): ReadResult {
    const top = topOf(head)
    const from = after ?? { ...top, offset: head.oldest - 1 }
    const refusal = refusalOf(head, from)
    if (refusal) return refusal
    const found = readEntries(this.#tables.events, head, from.offset, limit)
    if (found.kind === 'entries') return { ...found, top, revision: head.revision }
    const current = this.#headOnDisk(head.serial)
    if (!current) return { kind: 'missing' }
    if (current.oldest !== head.oldest) return this.read(current, after, limit)
    this.#onDamaged(`events ${from.offset + 1} to ${found.through} of ${channelOf(head.key)}`)
    const resumeAt = { ...top, offset: found.through }
    // Whoever asks for all there is has not missed anything.
    if (after === null) return this.read(head, resumeAt, limit)
    return { kind: 'gone', reason: 'TRIMMED', resumeAt, skipped: found.through - from.offset }
  }

  /** As `CurveStore.readCurves` says. */
  curves(serial: number): CurvesRead | null {
    const head = this.#headOnDisk(serial)
    if (!head) return null
    const key = serialKey(serial)
    const index = this.#body(this.#tables.curves.getBinary(key), key, `the curves of ${channelOf(head.key)}`)
    const entries: LogEntry[] = []
    for (let after = Math.max(head.folded, head.oldest - 1); after < head.top; ) {
      const found = readEntries(this.#tables.events, head, after, Number.POSITIVE_INFINITY)
      if (found.kind === 'damaged') this.#onDamaged(`events up to ${found.through} of ${channelOf(head.key)}`)
      else for (const entry of found.entries) entries.push(entry)
      after = found.kind === 'damaged' ? found.through : (entries.at(-1)?.offset ?? head.top)
    }
    return { top: topOf(head), index: index?.toString() ?? null, entries }
  }

  /** As `CurveStore.readSegments` says. */
  segments({ serial, key: task }: Head, names: readonly string[]): (Uint8Array | null)[] {
    return names.map((name) => {
      const key = segmentKey(serial, name)
      return this.#body(
        this.#tables.segments.getBinary(key),
        key,
        `a part of the curves of ${channelOf(task)}`,
      )
    })
  }

  #headOnDisk(serial: number): Head | null {
    const key = serialKey(serial)
    const record = this.#tables.tasks.getBinary(key)
    return record ? readHead(key, record) : null
  }

  #body(record: Buffer | undefined, key: Buffer, what: string): Buffer | null {
    if (!record) return null
    const body = unseal(key, record)
    if (!body) this.#onDamaged(what)
    return body
  }
}
