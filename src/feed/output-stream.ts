import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { OutputLog, OutputRead } from '../event-log/output-log.ts'
import { type OutputEntry, type OutputLine, skippedText } from '../task/output.ts'
import { cursorAhead, decodeCursor, encodeCursor, type Position } from '../task/position.ts'
import { isFinalStatus, type TaskKey } from '../task/task.ts'
import type { Feeds } from './feeds.ts'
import type { OutputPages } from './output-pages.ts'
import { deadlineAfter, stoppable, whenInReach } from './stoppable.ts'
import type { TaskFeed } from './task-feed.ts'
import type { Replay } from './training-stream.ts'

/** Why lines are missing: there were too many at once, or they are no longer kept. */
export type OutputSkipReason = 'FLOOD' | 'TRIMMED' | 'LOG_RESET'

/** A line as readers get it. */
export interface DeliveredLine extends Omit<OutputLine, 'skipped'> {
  readonly taskId: string
  /** Where a reader stands that has got it. */
  readonly cursor: string
  readonly skip: { readonly lines: number | null; readonly reason: OutputSkipReason } | null
}

export interface OutputStreamParts {
  readonly feeds: Feeds
  readonly pages: OutputPages
  readonly log: OutputLog
  readonly maxStreamMs: number | null
  /** Silence after the end of a task by which its output counts as complete. */
  readonly quietMs: number
}

/** How long it waits before it reads without having been told of anything. */
const CHECK_MS = 5000
/** Lines handed out in one turn of the event loop, where their reader is as fast. */
const LINES_PER_TURN = 16

/**
 * What a task's trainers print, from a position on: every line in order and once, with a note where some are missing, until
 * the task has ended and nothing was printed for a while (`quietMs`).
 *
 * @throws EpochcastError BAD_CURSOR, CURSOR_OF_ANOTHER_TASK, CURSOR_AHEAD, ENGINE_UNAVAILABLE
 */
export async function outputStream(
  parts: OutputStreamParts,
  key: TaskKey,
  { after, last }: Replay,
): Promise<AsyncIterableIterator<DeliveredLine, void>> {
  const extent = (await parts.log.find(key))?.extent ?? null
  let start: Position | null = after === null ? null : decodeCursor(key, after)
  if (extent) {
    const { generation, top, oldest } = extent
    if (start?.generation === generation && start.offset > top) throw cursorAhead(start.offset, top)
    start ??= { generation, offset: Math.max(oldest - 1, top - (last ?? 0)) }
  }
  return stoppable((signal) => follow(parts, key, start, signal))
}

async function* follow(
  { feeds, pages, maxStreamMs, quietMs }: OutputStreamParts,
  key: TaskKey,
  start: Position | null,
  outer: AbortSignal,
): AsyncGenerator<DeliveredLine, void, undefined> {
  const feed = await feeds.acquire(key)
  const deadline = deadlineAfter(maxStreamMs, outer)
  const { signal } = deadline
  const end = new QuietEnd(feed, quietMs)
  let position = start
  try {
    while (!signal.aborted && !feed.closed) {
      // Before it reads: what comes from then on is told, or was printed before the end.
      const { count } = feed.output
      const isOver = end.leftMs(Date.now()) === 0
      const read = await whenInReach(() => pages.read(key, position), signal)
      if (!read || signal.aborted) break
      const skip = skipOf(read, position)
      if (skip) {
        position = skip.resumeAt
        yield noteOf(key, skip)
        continue
      }
      if (read.kind === 'lines' && read.lines.length > 0) {
        end.printed(Date.now())
        const { generation } = read.top
        for (const [i, entry] of read.lines.entries()) {
          if (signal.aborted) break
          position = { generation, offset: entry.offset }
          yield deliver(key, position, entry)
          if (i % LINES_PER_TURN === LINES_PER_TURN - 1) await eventLoopTurn()
        }
        continue
      }
      if (isOver || feed.gone) return
      await somethingNew(feed, count, Math.min(CHECK_MS, end.leftMs(Date.now()) ?? CHECK_MS), signal)
    }
    deadline.throwIfPassed()
  } finally {
    deadline.clear()
    await feeds.release(feed)
  }
}

/** When nothing more is to be expected of a task that has ended: its process may still print, and what it printed be on its way. */
class QuietEnd {
  readonly #feed: TaskFeed
  readonly #quietMs: number
  #printedAt = 0
  #endSeenAt: number | null = null

  constructor(feed: TaskFeed, quietMs: number) {
    this.#feed = feed
    this.#quietMs = quietMs
  }

  printed(now: number): void {
    this.#printedAt = now
  }

  /** Milliseconds until then; null while the task goes on. */
  leftMs(now: number): number | null {
    const { status, finishedAt } = this.#feed.view.state
    if (!isFinalStatus(status)) {
      this.#endSeenAt = null
      return null
    }
    // By this server's clock, where that of the one that recorded the end is ahead.
    this.#endSeenAt ??= Math.min(now, finishedAt ?? now)
    return Math.max(0, Math.max(this.#endSeenAt, this.#printedAt) + this.#quietMs - now)
  }
}

export interface OutputSkip {
  readonly lines: number | null
  readonly reason: OutputSkipReason
  readonly resumeAt: Position
}

/** What is missing between a position and what was read after it. */
export function skipOf(read: OutputRead, position: Position | null): OutputSkip | null {
  if (read.kind === 'gone') return { lines: read.skipped, reason: read.reason, resumeAt: read.resumeAt }
  if (read.kind === 'ahead' && position)
    return { lines: position.offset - read.top.offset, reason: 'LOG_RESET', resumeAt: read.top }
  if (read.kind === 'lines' && position === null && read.oldest > 1) {
    const resumeAt = { generation: read.top.generation, offset: read.oldest - 1 }
    return { lines: read.oldest - 1, reason: 'TRIMMED', resumeAt }
  }
  return null
}

const WHY = {
  TRIMMED: 'they are no longer kept',
  LOG_RESET: 'the store lost them',
} satisfies Partial<Record<OutputSkipReason, string>>

export function noteOf(key: TaskKey, { lines, reason, resumeAt }: OutputSkip): DeliveredLine {
  return {
    taskId: key.id,
    cursor: encodeCursor(key, resumeAt),
    timestamp: new Date().toISOString(),
    stream: null,
    text: skippedText(lines, WHY[reason as keyof typeof WHY]),
    member: null,
    isCut: false,
    skip: { lines, reason },
  }
}

export function deliver(key: TaskKey, position: Position, { line }: OutputEntry): DeliveredLine {
  const { skipped, ...printed } = line
  return {
    ...printed,
    taskId: key.id,
    cursor: encodeCursor(key, position),
    skip: skipped === null ? null : { lines: skipped, reason: 'FLOOD' },
  }
}

/** Resolves once output was added since `count`, the task has ended or gone, after `ms`, or when the signal is aborted. */
function somethingNew(feed: TaskFeed, count: number, ms: number, signal: AbortSignal): Promise<void> {
  const { status } = feed.view.state
  const isNew = () =>
    feed.output.count !== count || feed.gone || feed.closed || feed.view.state.status !== status
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      for (const stop of stops) stop()
      resolve()
    }
    const look = () => {
      if (isNew()) finish()
    }
    const timer = setTimeout(finish, ms)
    const stops = [feed.output.observe(look), feed.observe(look)]
    signal.addEventListener('abort', finish)
    if (signal.aborted || isNew()) finish()
  })
}
