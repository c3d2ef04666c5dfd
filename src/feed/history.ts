import type { EventLog, LogEntry, ReadResult } from '../event-log/event-log.ts'
import { cursorAhead, type Position } from '../task/position.ts'
import type { TaskKey } from '../task/task.ts'

/** Events after the position asked for that can no longer be read. */
export type Skipped = Pick<Extract<ReadResult, { kind: 'gone' }>, 'reason' | 'skipped' | 'resumeAt'>

export interface HistoryPage {
  /** What is missing before the entries; it takes the place of one. */
  readonly skipped: Skipped | null
  readonly entries: readonly LogEntry[]
  /** The generation that the entries' offsets count in. */
  readonly generation: string
  /** Whether there ever were events before the page. */
  readonly hasPrevious: boolean
  readonly hasMore: boolean
}

/** How often a log may lose its beginning, or its store its data, under a reader. */
const MAX_LOSSES = 5

/**
 * A page of the retained log after a position, or from its oldest event. Where what follows the position is gone, the
 * page begins with that, as a stream says it with EventsSkipped.
 *
 * @throws EpochcastError CURSOR_AHEAD, ENGINE_UNAVAILABLE
 */
export async function readHistory(
  log: EventLog,
  key: TaskKey,
  after: Position | null,
  limit: number,
): Promise<HistoryPage> {
  let from = after
  let skipped: Skipped | null = null
  for (let losses = 0; ; losses++) {
    const result = await log.read(key, from, Math.max(1, limit))
    if (result.kind === 'ahead') throw cursorAhead(from?.offset ?? 0, result.top.offset)
    if (result.kind === 'gone' && losses < MAX_LOSSES) {
      skipped = skippedTwice(skipped, result)
      from = result.resumeAt
      continue
    }
    if (result.kind !== 'entries')
      return { skipped: null, entries: [], generation: '', hasPrevious: false, hasMore: false }
    const { top } = result
    const start = from?.offset ?? (result.entries[0]?.offset ?? top.offset + 1) - 1
    const entries = result.entries.slice(0, Math.max(0, limit - (skipped ? 1 : 0)))
    const end = entries.at(-1)?.offset ?? start
    return {
      skipped: limit > 0 ? skipped : null,
      entries,
      generation: top.generation,
      hasPrevious: start > 0,
      hasMore: end < top.offset || (limit === 0 && skipped !== null),
    }
  }
}

/** What was trimmed while the rest was being read is missing, too. */
function skippedTwice(before: Skipped | null, { reason, skipped, resumeAt }: Skipped): Skipped {
  if (!before) return { reason, skipped, resumeAt }
  const isKnown = before.skipped !== null && skipped !== null
  return { reason: before.reason, skipped: isKnown ? before.skipped + skipped : null, resumeAt }
}
