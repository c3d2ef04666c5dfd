import type { TaskState } from '../../task/task.ts'
import type { LogEntry, StoredSnapshot, WatchSignal } from '../event-log.ts'
import type { PublishedEntries } from './announcements.ts'
import type { StreamEntry } from './scripts.ts'

/* What Redis replies and publishes, in the terms of the port. */

export function snapshotOf(
  generation: string,
  top: string,
  serial: string,
  state: string,
  folded: string | null | undefined,
): StoredSnapshot {
  return {
    top: { generation, offset: Number(top) },
    serial: Number(serial),
    folded: Number(folded ?? 0),
    state: JSON.parse(state) as TaskState,
  }
}

export function entryOf([id, [, text]]: StreamEntry): LogEntry {
  return { offset: Number.parseInt(id, 10), event: JSON.parse(text) }
}

export function parseAnnouncement(text: string): PublishedEntries | null {
  try {
    const { generation, offset, events } = JSON.parse(text) as Partial<PublishedEntries>
    const isOurs = typeof generation === 'string' && typeof offset === 'number' && Array.isArray(events)
    return isOurs ? { generation, offset, events } : null
  } catch {
    return null
  }
}

export function appendedBy({ generation, offset, events }: PublishedEntries): WatchSignal {
  const entries = events.map((event, i): LogEntry => ({ offset: offset + i, event }))
  return { kind: 'appended', top: { generation, offset: offset + events.length - 1 }, entries }
}
