import type { TaskEvent } from '../../task/event.ts'
import type { LogEntry } from '../event-log.ts'
import type { Write } from './committer.ts'
import type { Head } from './head.ts'
import { diskBytes, seal, unseal } from './records.ts'
import { endOf, eventsKey, firstOffsetOf, type Table } from './tables.ts'

/** A reader of few events decodes no more than these. */
const MAX_CHUNK_EVENTS = 128

/** Events of one append, as JSON texts, to be stored after `top`: in few records, each with consecutive ones. */
export function chunkWrites(table: Table, { serial, top }: Head, texts: readonly string[]): Write[] {
  const writes: Write[] = []
  for (let at = 0; at < texts.length; at += MAX_CHUNK_EVENTS) {
    const key = eventsKey(serial, top + 1 + at)
    const value = seal(key, `[${texts.slice(at, at + MAX_CHUNK_EVENTS).join(',')}]`)
    writes.push({ table, key, value })
  }
  return writes
}

/** Takes away chunks of which no event is retained any more. */
export interface Trim {
  readonly writes: readonly Write[]
  readonly freed: number
  /** First offset of what is the oldest chunk then. */
  readonly stored: number
}

/**
 * @param oldest offset of the oldest event that is still retained
 * @param enough stops once so many bytes are free
 */
export function trimmed(
  table: Table,
  { serial, stored }: Head,
  oldest: number,
  enough = Number.POSITIVE_INFINITY,
): Trim {
  const writes: Write[] = []
  let freed = 0
  let first = stored
  if (oldest > stored) {
    const keys = table.getKeys({ start: eventsKey(serial, stored + 1), end: eventsKey(serial, oldest + 1) })
    for (const next of keys) {
      if (freed >= enough) break
      const key = eventsKey(serial, first)
      freed += diskBytes(table.getBinary(key)?.byteLength ?? 0)
      writes.push({ table, key, value: null })
      first = firstOffsetOf(next)
    }
  }
  return { writes, freed, stored: first }
}

export type ChunksRead =
  | { readonly kind: 'entries'; readonly entries: readonly LogEntry[] }
  /** The events up to this offset are damaged; some may follow. */
  | { readonly kind: 'damaged'; readonly through: number }

/** Entries after an offset, up to where some are damaged. */
export function readEntries(table: Table, head: Head, after: number, limit: number): ChunksRead {
  const { serial, top } = head
  const entries: LogEntry[] = []
  let expected = after + 1
  let isDamaged = false
  if (limit <= 0 || after >= top) return { kind: 'entries', entries }
  const [start = eventsKey(serial, expected)] = table.getKeys({
    start: eventsKey(serial, expected),
    end: eventsKey(serial, head.stored - 1),
    reverse: true,
    limit: 1,
  })
  for (const { key, value } of table.getRange({ start, end: endOf(serial) })) {
    const first = firstOffsetOf(key)
    // It is on disk already, but not yet told.
    if (first > top) break
    const isMissing = first > expected && !isDamaged
    const events = isMissing ? null : eventsIn(key, value)
    if (entries.length > 0 && events === null) return { kind: 'entries', entries }
    if (isMissing || (isDamaged && events)) return { kind: 'damaged', through: first - 1 }
    if (events === null) {
      isDamaged = true
      continue
    }
    for (let i = expected - first; i < events.length && expected <= top; i++) {
      entries.push({ offset: expected++, event: events[i] as TaskEvent })
      if (entries.length === limit) return { kind: 'entries', entries }
    }
    if (expected > top) break
  }
  const isShort = entries.length === 0 && expected <= top
  return isShort ? { kind: 'damaged', through: top } : { kind: 'entries', entries }
}

function eventsIn(key: Buffer, value: Buffer): readonly TaskEvent[] | null {
  const body = unseal(key, value)
  return body && (JSON.parse(body.toString()) as TaskEvent[])
}
