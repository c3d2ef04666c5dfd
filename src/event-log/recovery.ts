import { recreated } from '../task/lifecycle.ts'
import type { Position } from '../task/position.ts'
import { reduceAll } from '../task/reducer.ts'
import { type DeliveredEvent, delivered } from '../task/stream-event.ts'
import { isFinalStatus, type TaskKey, type TaskState } from '../task/task.ts'
import type { EventLog, LogEntry, StoredSnapshot } from './event-log.ts'

/*
 * A store may lose what it acknowledged: a promoted replica lacks what it had not received, a Redis without a
 * file comes back empty. What processes still know of a log then decides how it continues.
 */

/**
 * Compares a log with the newest events that were seen of it, and gives it a new generation where it has lost
 * some of them: equal offsets alone prove nothing, since other events may already stand there. Where the log is
 * another one or gone, nothing is done; reading on will tell.
 *
 * @param seen consecutive events, oldest first
 * @returns whether the log has a new generation
 * @throws EpochcastError ENGINE_UNAVAILABLE
 */
export async function verifyLog(
  log: EventLog,
  key: TaskKey,
  { generation }: Position,
  seen: readonly DeliveredEvent[],
): Promise<boolean> {
  const [first] = seen
  const last = seen.at(-1)
  if (!first || !last) return false
  const entries = await readRetained(log, key, { generation, offset: first.offset - 1 }, seen.length)
  if (!entries) return false
  const stored = new Map(
    delivered(key, generation, entries).map((event) => [event.offset, JSON.stringify(event)]),
  )
  const oldest = entries[0]?.offset ?? last.offset + 1
  const differing = seen.find(
    (event) => event.offset >= oldest && stored.get(event.offset) !== JSON.stringify(event),
  )
  if (!differing) return false
  await log.startGeneration(key, generation, differing.offset - 1)
  return true
}

/**
 * Creates the log of a task that the store lost again, from the state that is still known: a training that goes
 * on is not orphaned. Of several servers that try, one creates it. A finished task is left alone: it is gone
 * because its retention has passed.
 *
 * @returns the task as it is now; null where there is none
 * @throws EpochcastError ENGINE_UNAVAILABLE, STORE_FULL
 */
export async function recreateLog(
  log: EventLog,
  key: TaskKey,
  known: TaskState,
): Promise<StoredSnapshot | null> {
  if (isFinalStatus(known.status)) return log.snapshot(key)
  const events = recreated(known, Date.now())
  // The words are the server's; the state shows its trainer's.
  const state = { ...reduceAll(known, events), message: known.message }
  const result = await log.create(key, events, state)
  // Deleted by somebody who knew its end.
  return result.kind === 'dropped' ? null : result.snapshot
}

/** Entries after a position, or after what was trimmed; null where the log is another one by now. */
export async function readRetained(
  log: EventLog,
  key: TaskKey,
  after: Position,
  limit: number,
): Promise<readonly LogEntry[] | null> {
  let result = await log.read(key, after, limit)
  if (result.kind === 'gone' && result.reason === 'TRIMMED') {
    result = await log.read(key, result.resumeAt, limit)
  }
  return result.kind === 'entries' ? result.entries : null
}
