import type { EventLog, ReadResult } from '../event-log/event-log.ts'
import { EpochcastError } from '../task/errors.ts'
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
  /** The engine is out of reach; what follows comes without a gap when it is back. */
  | { readonly kind: 'interrupted'; readonly error: string }

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
  let toldInterruptions = feed.interruptions
  while (!signal.aborted && !feed.closed) {
    const recent = feed.recent(position)
    if (recent?.length === 0) {
      const { state, top } = feed.view
      if (feed.gone || (isFinalStatus(state.status) && position.offset >= top.offset)) return
      if (feed.interruptions > toldInterruptions) {
        toldInterruptions = feed.interruptions
        yield { kind: 'interrupted', error: feed.interruption ?? 'the engine was out of reach for a moment' }
        continue
      }
      await feed.advanced(position, signal, toldInterruptions)
      continue
    }

    let events = recent
    if (!events) {
      const page = await readOrInterrupt(log, feed, position)
      if (page === 'interrupted') {
        if (feed.interruptions > toldInterruptions) {
          toldInterruptions = feed.interruptions
          yield { kind: 'interrupted', error: feed.interruption ?? 'the engine is out of reach' }
        }
        await feed.restored(signal)
        continue
      }
      if (page.kind === 'missing') {
        // The feed finds out whether the log is gone for good or begins anew.
        if (feed.gone) return
        await feed.lookAgain(signal)
        await feed.restored(signal)
        continue
      }
      if (page.kind === 'gone') {
        yield { kind: 'skipped', reason: page.reason, count: page.skipped, resumeAt: page.resumeAt }
        position = page.resumeAt
        continue
      }
      if (page.kind === 'ahead') {
        // A store that lost its newest events; this reader had seen more of them than the feed.
        await feed.lookAgain(signal)
        const count = position.offset - page.top.offset
        yield { kind: 'skipped', reason: 'LOG_RESET', count, resumeAt: page.top }
        position = page.top
        continue
      }
      const prefix = cursorPrefix(feed.key, position.generation)
      events = page.entries.map((entry) => feed.deliver(entry, prefix))
    }
    const last = events.at(-1)
    if (!last) {
      // This reader knows more of the log than the feed does yet.
      await feed.lookAgain(signal)
      await feed.restored(signal)
      continue
    }
    yield { kind: 'events', events }
    if (isFinalEvent(last)) return
    position = { generation: position.generation, offset: last.offset }
  }
}

async function readOrInterrupt(
  log: EventLog,
  feed: TaskFeed,
  position: Position,
): Promise<ReadResult | 'interrupted'> {
  try {
    return await log.read(feed.key, position, PAGE_ENTRIES)
  } catch (error) {
    if (!(error instanceof EpochcastError) || error.code !== 'ENGINE_UNAVAILABLE') throw error
    feed.interrupt(error)
    return 'interrupted'
  }
}
