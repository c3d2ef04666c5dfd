import type { Position } from '../../task/position.ts'
import type { TaskKey, TaskState } from '../../task/task.ts'
import { type ListedState, listedState } from '../listing.ts'
import type { LogExtent } from '../log-extent.ts'
import { seal, unseal } from './records.ts'
import { serialKey, type Table } from './tables.ts'

/** What is known of a task beside its state; in memory of every task, and on disk in one record with the state. */
export interface Head extends LogExtent {
  readonly key: TaskKey
  readonly serial: number
  /** Who pays for it, as its spec says; null for the server itself. */
  readonly owner: string | null
  /** First offset of the oldest chunk that is stored; at most `oldest`. */
  readonly stored: number
  readonly revision: number
  /** Offset of the last event that the curves contain; the next ones are retained. */
  readonly folded: number
  /** Milliseconds since the epoch. */
  readonly finishedAt: number | null
  /** About what events and curves take on disk. */
  readonly bytes: number
  /** What the index of the curves takes. */
  readonly indexBytes: number
  /**
   * What lists of tasks show of the state, as it was after so many events and edits. Absent in records of before; one
   * of another version was left behind by a server that did not know of it.
   */
  readonly listed?: ListedState & { readonly version: number }
}

/** What the head is to have beside a state. */
export const listedAt = (state: TaskState, top: number, revision: number): NonNullable<Head['listed']> => ({
  version: top + revision,
  ...listedState(state),
})

export const topOf = ({ generation, top }: Head): Position => ({ generation, offset: top })

export const isAt = (head: Head, { generation, offset }: Position, revision = head.revision): boolean =>
  generation === head.generation && offset === head.top && revision === head.revision

/** Where the oldest event is to be once there are no more than `retainEvents`; what the curves lack is kept. */
export const oldestKept = ({ oldest, top, folded }: Head, retainEvents: number): number =>
  Math.max(oldest, Math.min(top - retainEvents + 1, folded + 1, top))

/** The head is a line of JSON, the state follows it. */
export const headRecord = (head: Head, stateText: string): Buffer =>
  seal(serialKey(head.serial), `${JSON.stringify(head)}\n${stateText}`)

/** Null where the record is damaged. */
export function readHead(key: Buffer, record: Buffer): Head | null {
  const body = unseal(key, record)
  return body && headIn(body)
}

/** The record with another head and the same state; null where it is damaged. */
export function withHead(key: Buffer, record: Buffer, change: (head: Head) => Head): Buffer | null {
  const body = unseal(key, record)
  if (!body) return null
  const state = body.subarray(body.indexOf(0x0a))
  return seal(key, Buffer.concat([Buffer.from(JSON.stringify(change(headIn(body)))), state]))
}

/** Null where there is none, or it is damaged. */
export function readTask(
  tasks: Table,
  serial: number,
): { head: Head; state: TaskState; stateLength: number; recordBytes: number } | null {
  const key = serialKey(serial)
  const record = tasks.getBinary(key)
  const body = record && unseal(key, record)
  if (!body) return null
  const text = body.toString('utf8', body.indexOf(0x0a) + 1)
  const state = JSON.parse(text) as TaskState
  return { head: headIn(body), state, stateLength: text.length, recordBytes: record.byteLength }
}

function headIn(body: Buffer): Head {
  const head = JSON.parse(body.toString('utf8', 0, body.indexOf(0x0a))) as Head
  // Records of before there were owners have none.
  return head.owner === undefined ? { ...head, owner: null } : head
}
