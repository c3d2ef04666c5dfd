import type { ProcessEnd } from '../task/lifecycle.ts'
import type { Json, TaskKey } from '../task/task.ts'

/** A trainer of the server's configuration, as a launcher needs it. */
export interface Trainer {
  readonly name: string
  readonly launcher: 'local' | 'external'
  readonly description: string | null
  readonly channelPrefix: string | null
  /** Program and arguments; empty for `external`. */
  readonly command: readonly string[]
  /** Absolute folder in which the command runs. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** One launch of one task. */
export interface Job {
  readonly key: TaskKey
  readonly trainer: Trainer
  readonly attempt: number
  readonly params: Readonly<Record<string, Json>>
  /** Null where the server runs without authentication. */
  readonly reportToken: string | null
}

/** A launcher tells what happens to a job; each is called at most once for an attempt. */
export interface JobObserver {
  started(job: Job): void
  /** Instead of `ended` where the launcher itself will launch the task again; `job.attempt` is the new attempt. */
  relaunched(job: Job): void
  /** The job is over, and this launcher will not launch it again. */
  ended(job: Job, end: ProcessEnd): void
}

/** A place in a launcher's queue, taken before the task is created so that a full queue creates nothing. */
export interface Place {
  launch(job: Job): void
  giveBack(): void
}

/**
 * Brings trainers to run. What becomes of a process (its exit, a signal, a failure to start) is told to
 * the observer, who records it.
 */
export interface Launcher {
  readonly name: string
  /** Whether its jobs are children of this server and end with it. */
  readonly endsWithServer: boolean
  /** @throws EpochcastError QUEUE_FULL, SHUTTING_DOWN */
  reserve(): Place
  /**
   * Sees to it that a job stops: one that waits is dropped, one that runs gets its time to stop by
   * itself and is then ended. Nothing happens where the job is not here.
   */
  stop(key: TaskKey): void
  /** Ends every job; resolves when no process is left. */
  close(): Promise<void>
}
