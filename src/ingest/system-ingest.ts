import type { TaskWriter } from '../event-log/task-writer.ts'
import { EpochcastError } from '../task/errors.ts'
import { sampled } from '../task/lifecycle.ts'
import { reduceAll } from '../task/reducer.ts'
import type { Metrics, TaskStart } from '../task/task.ts'

/** A machine that runs an attempt of a task, and how it stood. */
export interface SystemSample {
  readonly start: TaskStart
  readonly attempt: number
  readonly machine: string
  /** Names begin with `system/`. */
  readonly metrics: Metrics
}

/** Records how machines stand. What cannot be recorded is gone: the next sample is as good. */
export class SystemIngest {
  readonly #writer: TaskWriter
  readonly #now: () => number

  constructor(writer: TaskWriter, now: () => number = Date.now) {
    this.#writer = writer
    this.#now = now
  }

  async record({ start, attempt, machine, metrics }: SystemSample): Promise<void> {
    try {
      await this.#writer.update(start, (state) => {
        const isOther = state.spec.startId !== start.startId
        const events = isOther ? [] : sampled(state, attempt, machine, metrics, this.#now())
        return { events, state: reduceAll(state, events) }
      })
    } catch (error) {
      if (!(error instanceof EpochcastError)) throw error
    }
  }
}
