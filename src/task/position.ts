import { EpochcastError, quote } from './errors.ts'
import { LIMITS } from './limits.ts'
import { channelOf, type TaskKey } from './task.ts'

/**
 * A place in one task's log: after `offset` events of the log named by `generation`. Offsets count
 * 1, 2, 3 …; offset 0 is before the first. The generation is drawn when a log is created, so that
 * a log that was lost and created again is noticed.
 */
export interface Position {
  readonly generation: string
  readonly offset: number
}

const CURSOR = /^([0-9a-z]{1,7})\.([A-Za-z0-9_-]{1,32})\.([0-9a-z]{1,10})$/

/** A position as text: mark of the task, generation, offset in base 36. Opaque to clients. */
export function encodeCursor(key: TaskKey, { generation, offset }: Position): string {
  return `${taskMark(key)}.${generation}.${offset.toString(36)}`
}

/** Everything of a task's cursors but the offset; for writing many. */
export function cursorPrefix(key: TaskKey, generation: string): string {
  return `${taskMark(key)}.${generation}.`
}

/** @throws EpochcastError BAD_CURSOR or CURSOR_OF_ANOTHER_TASK */
export function decodeCursor(key: TaskKey, cursor: string): Position {
  const [, mark, generation, offset] = CURSOR.exec(cursor) ?? []
  if (mark === undefined || generation === undefined || offset === undefined) {
    throw new EpochcastError(
      'BAD_CURSOR',
      `after is ${quote(cursor)}; expected a cursor that this API has issued`,
    )
  }
  if (mark !== taskMark(key)) {
    throw new EpochcastError(
      'CURSOR_OF_ANOTHER_TASK',
      `after is a cursor of another task; expected one of ${quote(channelOf(key))}`,
    )
  }
  return { generation, offset: Number.parseInt(offset, 36) }
}

export const cursorAhead = (offset: number, top: number): EpochcastError =>
  new EpochcastError(
    'CURSOR_AHEAD',
    `after points to event ${offset}; expected at most ${top}, the newest event of the task`,
  )

export const isCursor = (text: string): boolean => text.length <= LIMITS.cursorLength && CURSOR.test(text)

const marks = new WeakMap<TaskKey, string>()

/** 32-bit FNV-1a of the channel: catches a cursor of another task; it is no protection, only a check. */
function taskMark(key: TaskKey): string {
  const known = marks.get(key)
  if (known !== undefined) return known
  const channel = channelOf(key)
  let hash = 0x811c9dc5
  for (let i = 0; i < channel.length; i++) hash = Math.imul(hash ^ channel.charCodeAt(i), 0x01000193)
  const mark = (hash >>> 0).toString(36)
  marks.set(key, mark)
  return mark
}

/** Where a reader stands that has got the first `count` of consecutive events. */
export function positionAfter(
  generation: string,
  events: readonly { readonly offset: number }[],
  count: number,
): Position {
  const next = events[count]?.offset ?? (events.at(-1)?.offset ?? 0) + 1
  return { generation, offset: next - 1 }
}
