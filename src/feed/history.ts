import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { EventLog, LogEntry } from '../event-log/event-log.ts'
import { cursorAhead, type Position } from '../task/position.ts'
import { type MetricSeries, SeriesCollector } from '../task/series.ts'
import type { TaskKey } from '../task/task.ts'
import { PAGE_ENTRIES } from './pages.ts'

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

/** The metric histories of the retained log (`SeriesCollector`), each thinned to at most `maxPoints`. */
export async function readSeries(
  log: EventLog,
  key: TaskKey,
  names: readonly string[] | null,
  maxPoints: number,
): Promise<MetricSeries[]> {
  const collector = new SeriesCollector(names)
  let after: Position | null = null
  for (;;) {
    const page: HistoryPage = await readHistory(log, key, after, PAGE_ENTRIES)
    for (const { event } of page.entries) collector.add(event)
    const last = page.entries.at(-1)
    if (!page.hasMore || !last) return collector.finish(maxPoints)
    // An engine in this process never waits for the network, so a long log would block everything else.
    await eventLoopTurn()
    after = { generation: page.generation, offset: last.offset }
  }
}
