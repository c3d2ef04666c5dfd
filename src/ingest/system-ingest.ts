import { recordStart } from '../event-log/record-start.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import { EpochcastError } from '../task/errors.ts'
import { sampled } from '../task/lifecycle.ts'
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
      await recordStart(this.#writer, start, (state) =>
        sampled(state, attempt, machine, metrics, this.#now()),
      )
    } catch (error) {
      if (!(error instanceof EpochcastError)) throw error
    }
  }
}
