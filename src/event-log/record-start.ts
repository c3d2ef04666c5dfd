import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { reduceAll } from '../task/reducer.ts'
import type { TaskStart, TaskState } from '../task/task.ts'
import { isTaskNotFound } from './find-task.ts'
import type { TaskWriter } from './task-writer.ts'

/**
 * Appends what `decide` returns for the present state of one start of a task.
 *
 * @returns the state from then on, and its position; null where the task was deleted, whether or not another has its id by now
 * @throws EpochcastError CONTENDED, ENGINE_UNAVAILABLE, STORE_FULL, and whatever `decide` throws
 */
export async function recordStart(
  writer: TaskWriter,
  start: TaskStart,
  decide: (state: TaskState) => TaskEvent[],
): Promise<{ readonly state: TaskState; readonly top: Position } | null> {
  try {
    const { decision, top } = await writer.update(start, (state) => {
      const isOther = state.spec.startId !== start.startId
      const events = isOther ? [] : decide(state)
      return { isOther, events, state: reduceAll(state, events) }
    })
    return decision.isOther ? null : { state: decision.state, top }
  } catch (error) {
    if (isTaskNotFound(error)) return null
    throw error
  }
}
