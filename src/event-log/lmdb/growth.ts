import type { TaskState } from '../../task/task.ts'
import type { AppendRequest } from '../event-log.ts'
import { listedAt } from './head.ts'
import { diskBytes } from './records.ts'
import type { Growth } from './room.ts'
import type { StoredTask } from './tasks.ts'

/*
 * What a write will add on disk, at most and without doing it: what it replaces of curves, and what is trimmed, is not taken
 * away.
 */

/** The most that a new head takes beside the names in it. */
const HEAD_BYTES = 384
/** The most that its numbers grow by: digits of offsets, bytes, versions and times. */
const HEAD_CHANGE_BYTES = 80

export function growthOfCreate(texts: readonly string[], state: TaskState, stateText: string): Growth {
  const { owner = null, channelPrefix, id } = state.spec
  const names = Buffer.byteLength(`${channelPrefix}${id}${owner}`)
  const listed = jsonBytes(listedAt(state, texts.length, 0))
  const growth = HEAD_BYTES + names + listed + Buffer.byteLength(stateText) + eventBytes(texts)
  return { owner, task: null, growth, heldGrowth: growth }
}

export function growthOfAppend(
  task: StoredTask,
  texts: readonly string[],
  { state, curves, isFinal, isReturn }: AppendRequest,
  stateText: string,
): Growth {
  const curveBytes = curves
    ? curves.put.reduce(
        (sum, { bytes }) => sum + diskBytes(bytes.byteLength + 4),
        diskBytes(curves.index.length),
      ) - task.head.indexBytes
    : 0
  const growth = recordGrowth(task, state, stateText) + eventBytes(texts) + curveBytes
  const heldGrowth = isFinal ? null : isReturn ? task.bytes + growth : growth
  return { owner: task.owner, task, growth, heldGrowth }
}

export function growthOfEdit(task: StoredTask, state: TaskState, stateText: string): Growth {
  const growth = recordGrowth(task, state, stateText)
  return { owner: task.owner, task, growth, heldGrowth: task.head.finishedAt === null ? growth : null }
}

function recordGrowth({ head, recordBytes }: StoredTask, state: TaskState, stateText: string): number {
  const headBytes = jsonBytes({ ...head, listed: listedAt(state, head.top, head.revision) })
  return headBytes + HEAD_CHANGE_BYTES + Buffer.byteLength(stateText) - recordBytes
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** In one record or several: each has its checksum and brackets. */
const eventBytes = (texts: readonly string[]): number =>
  texts.length === 0 ? 0 : diskBytes(texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 64))
