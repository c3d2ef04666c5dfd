import type { EventLog, LogEntry } from '../event-log/event-log.ts'
import { cursorAhead, type Position } from '../task/position.ts'
import type { TaskKey } from '../task/task.ts'

export interface HistoryPage {
  readonly entries: readonly LogEntry[]
  /** The generation that the entries' offsets count in. */
  readonly generation: string
  readonly hasMore: boolean
}

/**
 * A page of the retained log after a position, or from its oldest event. A position that is gone is
 * read from the oldest event on: the offsets show what is missing.
 */
export async function readHistory(
  log: EventLog,
  key: TaskKey,
  after: Position | null,
  limit: number,
): Promise<HistoryPage> {
  const result = await log.read(key, after, Math.max(1, limit))
  switch (result.kind) {
    case 'entries': {
      const { top } = result
      const entries = result.entries.slice(0, limit)
      const lastOffset = entries.at(-1)?.offset ?? (result.entries.length > 0 ? 0 : top.offset)
      return { entries, generation: top.generation, hasMore: lastOffset < top.offset }
    }
    case 'gone':
      return readHistory(log, key, null, limit)
    case 'ahead':
      throw cursorAhead(after?.offset ?? 0, result.top.offset)
    case 'missing':
      return { entries: [], generation: '', hasMore: false }
  }
}
