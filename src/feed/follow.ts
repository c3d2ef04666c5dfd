import type { EventLog } from '../event-log/event-log.ts'
import { isFinalEvent } from '../task/event.ts'
import { cursorPrefix, type Position } from '../task/position.ts'
import type { DeliveredEvent } from '../task/stream-event.ts'
import { isFinalStatus } from '../task/task.ts'
import { PAGE_ENTRIES, type TaskFeed } from './task-feed.ts'

export type Followed =
  | { readonly kind: 'events'; readonly events: readonly DeliveredEvent[] }
  /** These can no longer be delivered; the following events come after `resumeAt`. */
  | {
      readonly kind: 'skipped'
      readonly reason: 'TRIMMED' | 'LOG_RESET'
      readonly count: number | null
      readonly resumeAt: Position
    }

/**
 * Reads a task from a position on, to its end or until `signal` is aborted.
 *
 * A reader is nothing but its position. Close to the top it takes events from the feed's ring, further
 * back it reads pages of the log, and at the top it waits. Since each step starts from the position,
 * there is no cut-over between replay and live in which an event could be lost or doubled, and a
 * reader that is slow to ask for more is simply further back when it does.
 */
export async function* follow(
  log: EventLog,
  feed: TaskFeed,
  from: Position,
  signal: AbortSignal,
): AsyncGenerator<Followed, void, undefined> {
  let position = from
  while (!signal.aborted) {
    const recent = feed.recent(position)
    if (recent?.length === 0) {
      const { state, top } = feed.view
      if (feed.gone || (isFinalStatus(state.status) && position.offset >= top.offset)) return
      await feed.advanced(position, signal)
      continue
    }

    let events = recent
    if (!events) {
      const page = await log.read(feed.key, position, PAGE_ENTRIES)
      if (page.kind === 'missing') return
      if (page.kind === 'gone') {
        yield { kind: 'skipped', reason: page.reason, count: page.skipped, resumeAt: page.resumeAt }
        position = page.resumeAt
        continue
      }
      if (page.kind === 'ahead') {
        await feed.advanced(position, signal)
        continue
      }
      const prefix = cursorPrefix(feed.key, position.generation)
      events = page.entries.map((entry) => feed.deliver(entry, prefix))
    }
    const last = events.at(-1)
    if (!last) continue
    yield { kind: 'events', events }
    if (isFinalEvent(last)) return
    position = { generation: position.generation, offset: last.offset }
  }
}
