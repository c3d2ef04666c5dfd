import { recordStart } from '../event-log/record-start.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import { type Job, type JobObserver, startOf } from '../launcher/launcher.ts'
import type { TaskEvent } from '../task/event.ts'
import * as lifecycle from '../task/lifecycle.ts'
import { hasEnded, type TaskState } from '../task/task.ts'
import type { Background } from './background.ts'

/**
 * Records what launchers tell of their jobs. A job may outlive its task, which can be deleted while the process still ends, and
 * another may be started under its id: so a job's word counts for the start that it is of, and for no other.
 */
export class JobRecords implements JobObserver {
  readonly #writer: TaskWriter
  readonly #background: Background
  readonly #stop: (job: Job) => void
  readonly #now: () => number
  /** Since the process began, by launcher. */
  readonly counts: Readonly<Record<'launched' | 'notLaunched', Map<string, number>>> = {
    launched: new Map(),
    notLaunched: new Map(),
  }

  constructor(writer: TaskWriter, background: Background, stop: (job: Job) => void, now: () => number) {
    this.#writer = writer
    this.#background = background
    this.#stop = stop
    this.#now = now
  }

  started(job: Job): void {
    count(this.counts.launched, job.trainer.launcher)
    this.#launching(job, (state) => lifecycle.started(state, job.attempt, this.#now()))
  }

  relaunched(job: Job, why?: string): void {
    this.#launching(job, (state) => lifecycle.relaunched(state, job.attempt, this.#now(), why))
  }

  ended(job: Job, end: lifecycle.ProcessEnd): void {
    if (NOT_LAUNCHED.has(end.type)) count(this.counts.notLaunched, job.trainer.launcher)
    this.#background.run(() =>
      this.#record(job, (state) => lifecycle.jobEnded(state, job.attempt, end, this.#now())),
    )
  }

  #launching(job: Job, decide: (state: TaskState) => TaskEvent[]): void {
    this.#background.run(async () => {
      const recorded = await this.#record(job, decide)
      // Cancelled between its turn in the queue and the start of its process; or deleted, even.
      if (!recorded || hasEnded(recorded.state)) this.#stop(job)
    })
  }

  #record(job: Job, decide: (state: TaskState) => TaskEvent[]) {
    return recordStart(this.#writer, startOf(job), decide)
  }
}

/** Ends of jobs whose trainer never ran, because it could not. */
const NOT_LAUNCHED: ReadonlySet<string> = new Set(['SpawnFailed', 'SubmitFailed'])

export const count = (counts: Map<string, number>, launcher: string): void =>
  void counts.set(launcher, (counts.get(launcher) ?? 0) + 1)
