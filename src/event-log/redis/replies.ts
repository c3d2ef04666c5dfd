import type { Position } from '../../task/position.ts'
import type { TaskState } from '../../task/task.ts'
import type { CreateResult, LogEntry, ReadResult, Snapshot } from '../event-log.ts'

/** What create.lua returns. */
export type CreateReply =
  | readonly [created: -1]
  | readonly [
      created: 0 | 1,
      generation: string,
      top: string,
      serial: string,
      state: string,
      revision?: string | null,
    ]

export function createResultOf(reply: CreateReply): CreateResult {
  if (reply[0] === -1) return { kind: 'dropped' }
  const [created, generation, top, serial, state, revision = null] = reply
  return {
    kind: created ? 'created' : 'exists',
    snapshot: snapshotOf(generation, top, serial, state, revision),
  }
}

/** What read.lua returns. */
export type ReadReply = readonly [
  generation: string,
  top: string,
  oldest: string,
  previous: string,
  common: string,
  revision: string,
  entries: readonly (readonly [string, readonly [string, string]])[],
]

export function readResultOf(reply: ReadReply, after: Position | null): ReadResult {
  const [generation, topOffset, oldest, previous, lastCommon, revision, entries] = reply
  const top = { generation, offset: Number(topOffset) }
  const beforeOldest = Number(oldest) - 1
  const resumeAt = { generation, offset: beforeOldest }
  let offset = after?.offset ?? beforeOldest
  if (after && after.generation !== generation) {
    if (after.generation !== previous) return { kind: 'gone', reason: 'LOG_RESET', resumeAt, skipped: null }
    const common = Number(lastCommon)
    // Of what the reader saw after the common offset nothing is left; up to it both generations are one.
    const skipped = Math.max(0, after.offset - common)
    const at = { generation, offset: Math.max(beforeOldest, Math.min(after.offset, common)) }
    return { kind: 'gone', reason: 'LOG_RESET', resumeAt: at, skipped }
  }
  if (offset > top.offset) return { kind: 'ahead', top }
  if (offset < beforeOldest) {
    return { kind: 'gone', reason: 'TRIMMED', resumeAt, skipped: beforeOldest - offset }
  }
  return {
    kind: 'entries',
    top,
    revision: Number(revision),
    entries: (entries ?? []).map(([, [, text]]): LogEntry => ({ offset: ++offset, event: JSON.parse(text) })),
  }
}

/** @param revision absent where the task was never edited */
export function snapshotOf(
  generation: string,
  top: string,
  serial: string,
  state: string,
  revision: string | null,
): Snapshot {
  return {
    top: { generation, offset: Number(top) },
    serial: Number(serial),
    state: JSON.parse(state) as TaskState,
    revision: Number(revision ?? 0),
  }
}
