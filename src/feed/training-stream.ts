import type { EventLog } from '../event-log/event-log.ts'
import { taskNotFound } from '../event-log/find-task.ts'
import { cursorAhead, decodeCursor, encodeCursor, type Position } from '../task/position.ts'
import type { StreamEvent, TaskView, TrainingEvent } from '../task/stream-event.ts'
import { channelOf, isFinalStatus, type TaskKey } from '../task/task.ts'
import type { Feeds } from './feeds.ts'
import { follow } from './follow.ts'
import { deadlineAfter, stoppable } from './stoppable.ts'

export interface Replay {
  /** Everything after this cursor; it wins over `last`, so that a client may always send both. */
  readonly after: string | null
  /** The newest events, as many as this. */
  readonly last: number | null
}

export interface TrainingStreamOptions {
  readonly maxStreamMs: number
  readonly now?: () => number
}

/**
 * One subscriber's stream of a task: StreamOpened, what `replay` asks for, then everything live, until the
 * final event (StreamClosing follows) or the maximum duration (StreamTimedOut).
 *
 * @throws EpochcastError TASK_NOT_FOUND, BAD_CURSOR, CURSOR_OF_ANOTHER_TASK, CURSOR_AHEAD
 */
export async function trainingStream(
  log: EventLog,
  feeds: Feeds,
  key: TaskKey,
  replay: Replay,
  { maxStreamMs, now = Date.now }: TrainingStreamOptions,
): Promise<AsyncIterableIterator<TrainingEvent, undefined>> {
  // What can be refused is refused here, before the stream; nothing is held until it is read.
  const after = replay.after === null ? null : decodeCursor(key, replay.after)
  const snapshot = await log.snapshot(key)
  if (!snapshot) throw taskNotFound(key)
  if (after?.generation === snapshot.top.generation && after.offset > snapshot.top.offset) {
    throw cursorAhead(after.offset, snapshot.top.offset)
  }

  return stoppable((signal) => stream(signal))

  async function* stream(signal: AbortSignal): AsyncGenerator<TrainingEvent, void, undefined> {
    const feed = await feeds.acquire(key)
    const deadline = deadlineAfter(maxStreamMs, signal)
    try {
      const { view } = feed
      let cursor = encodeCursor(key, after ?? startOf(replay.last, view))
      const at = () => ({ taskId: key.id, timestamp: new Date(now()).toISOString(), cursor })
      // Asked for by number, fewer may be left than were asked for; that is no loss to announce.
      let mayClamp = after === null

      yield opened(key, view, at())
      for await (const item of follow(log, feed, after ?? startOf(replay.last, view), deadline.signal)) {
        if (item.kind === 'interrupted') {
          yield { type: 'StreamInterrupted', ...at(), error: item.error }
          continue
        }
        if (item.kind === 'skipped') {
          cursor = encodeCursor(key, item.resumeAt)
          const isClamped = mayClamp && item.reason === 'TRIMMED' && item.resumeAt.offset <= view.top.offset
          if (!isClamped) yield { type: 'EventsSkipped', ...at(), count: item.count, reason: item.reason }
        } else {
          for (const event of item.events) {
            if (deadline.signal.aborted) break
            cursor = event.cursor
            yield event
          }
        }
        mayClamp = false
      }
      if (signal.aborted || feed.closed) return
      const isOver = deadline.signal.aborted
      const { status } = feed.view.state
      if (!isOver && isFinalStatus(status)) {
        yield { type: 'StreamClosing', ...at(), reason: `the task ended with ${status}` }
      } else if (!isOver && feed.gone) {
        yield { type: 'StreamClosing', ...at(), reason: 'the task is no longer retained' }
      } else {
        yield {
          type: 'StreamTimedOut',
          ...at(),
          message: `the stream reached its maximum duration of ${maxStreamMs / 1000} s; subscribe again with this cursor to go on`,
        }
      }
    } finally {
      deadline.clear()
      await feeds.release(feed)
    }
  }
}

function opened(
  key: TaskKey,
  view: TaskView,
  at: Pick<StreamEvent, 'taskId' | 'timestamp' | 'cursor'>,
): StreamEvent {
  const channel = channelOf(key)
  return { type: 'StreamOpened', ...at, channel, message: `watching ${channel}`, task: view }
}

function startOf(last: number | null, { state, top }: TaskView): Position {
  // Who comes after the end and asks for nothing still learns how it ended.
  const atLeast = isFinalStatus(state.status) ? 1 : 0
  return { generation: top.generation, offset: Math.max(0, top.offset - Math.max(last ?? 0, atLeast)) }
}
