import { edited, type TaskEdit } from '../task/edit.ts'
import type { TaskEvent } from '../task/event.ts'
import { reduceAll } from '../task/reducer.ts'
import type { TaskState } from '../task/task.ts'

/** Events that may wait to be folded. */
const MAX_UNFOLDED = 256

/** The state of a task, folded when somebody looks: most events are delivered without anybody asking for it. */
export class FoldedState {
  #state: TaskState
  #unfolded: TaskEvent[] = []

  constructor(state: TaskState) {
    this.#state = state
  }

  get value(): TaskState {
    if (this.#unfolded.length > 0) {
      this.#state = reduceAll(this.#state, this.#unfolded)
      this.#unfolded = []
    }
    return this.#state
  }

  edit(edit: TaskEdit): void {
    this.#state = edited(this.value, edit)
  }

  add(events: readonly TaskEvent[]): void {
    for (const event of events) this.#unfolded.push(event)
    if (this.#unfolded.length > MAX_UNFOLDED) void this.value
  }
}
