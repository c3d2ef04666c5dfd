import type { OutputLog } from '../event-log/output-log.ts'
import { cursorAhead, type Position } from '../task/position.ts'
import type { TaskKey } from '../task/task.ts'
import { type DeliveredLine, deliver, noteOf, type OutputSkip, skipOf } from './output-stream.ts'

export interface OutputPage {
  /** With a note in the place of the first where lines before are no longer kept. */
  readonly lines: readonly DeliveredLine[]
  readonly hasPrevious: boolean
  readonly hasMore: boolean
}

/** How often an output may lose its beginning, or its store its data, under a reader. */
const MAX_LOSSES = 5

/**
 * A page of the retained output after a position, or from its oldest line.
 *
 * @throws EpochcastError CURSOR_AHEAD, ENGINE_UNAVAILABLE
 */
export async function readOutputPage(
  log: OutputLog,
  key: TaskKey,
  after: Position | null,
  limit: number,
): Promise<OutputPage> {
  let from = after
  let skip: OutputSkip | null = null
  for (let losses = 0; losses <= MAX_LOSSES; losses++) {
    const read = await log.read(key, from, Math.max(1, limit))
    if (read.kind === 'ahead') throw cursorAhead(from?.offset ?? 0, read.top.offset)
    const lost = from === null ? null : skipOf(read, from)
    if (lost) {
      skip = skip
        ? { ...lost, lines: skip.lines === null || lost.lines === null ? null : skip.lines + lost.lines }
        : lost
      from = lost.resumeAt
      continue
    }
    if (read.kind !== 'lines') break
    const { top } = read
    const start = from?.offset ?? read.oldest - 1
    const entries = read.lines.slice(0, Math.max(0, limit - (skip ? 1 : 0)))
    const lines = entries.map((entry) => deliver(key, { ...top, offset: entry.offset }, entry))
    if (skip && limit > 0) lines.unshift(noteOf(key, skip))
    const end = entries.at(-1)?.offset ?? start
    return { lines, hasPrevious: start > 0, hasMore: end < top.offset || (limit === 0 && skip !== null) }
  }
  return { lines: [], hasPrevious: false, hasMore: false }
}

/** Where the newest lines begin, as many as this; null where there is no output. */
export async function beforeNewest(log: OutputLog, key: TaskKey, count: number): Promise<Position | null> {
  const extent = (await log.find(key))?.extent
  if (!extent) return null
  const { generation, top, oldest } = extent
  return { generation, offset: Math.max(oldest - 1, top - count) }
}
