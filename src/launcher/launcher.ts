import type { ProcessEnd } from '../task/lifecycle.ts'
import type { Json, TaskKey, TaskStart } from '../task/task.ts'

/** A trainer of the server's configuration, as its launcher needs it. */
export type Trainer = LocalTrainer | ExternalTrainer | CeleryTrainer | BullMQTrainer

export type LauncherName = Trainer['launcher']

export interface LocalTrainer extends TrainerDescription, RunnableTrainer {
  readonly launcher: 'local'
}

/** A program that workers of a BullMQ queue run, by this entry of their own configuration. */
export interface BullMQTrainer extends TrainerDescription, RunnableTrainer {
  readonly launcher: 'bullmq'
  readonly queue: string
  /** 0 to 2,097,151; lower goes first, those without one (0) before all others. */
  readonly priority: number
  /** Before any worker takes it. */
  readonly delayMs: number
  /** Launches at most; lost workers count. */
  readonly attempts: number
  /** Between an attempt that failed and the next. */
  readonly backoff: { readonly type: 'fixed' | 'exponential'; readonly delayMs: number }
  /** After so long no worker takes it any more; null for never. */
  readonly ttlMs: number | null
}

/** What is run as a process. */
interface RunnableTrainer {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]]
  /** Absolute folder in which the command runs. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Names of the server's variables that it gets beside those that all trainers get. */
  readonly passEnv: readonly string[]
  /** Whether a process that exits with code 0, and has reported no end, has succeeded. */
  readonly endsByExit: boolean
  /** Whether it gets what switches on reporting by the Kubeflow Trainer's protocol, as in Hugging Face Transformers. */
  readonly speaksKubeflow: boolean
  /** Whether the machine is looked at that it runs on. */
  readonly hasSystemMetrics: boolean
}

interface ExternalTrainer extends TrainerDescription {
  readonly launcher: 'external'
}

/** A task of a Celery application, for whichever of its workers takes it. */
export interface CeleryTrainer extends TrainerDescription {
  readonly launcher: 'celery'
  /** Its name in Celery, such as `tasks.gan_tasks.train_tvae_task`. */
  readonly task: string
  /** What it is called with, by position: names of parameters, or of what is known of the job (`celery/arguments.ts`). */
  readonly args: readonly string[]
  /** The same by name. */
  readonly kwargs: Readonly<Record<string, string>>
  readonly queue: string
  /** 0 to 9; with Redis, lower goes first. */
  readonly priority: number
  /** After so many seconds no worker takes it any more. */
  readonly expires: number | null
  /** What ends a task that is cancelled while it runs. */
  readonly signal: NodeJS.Signals
}

/** What a trainer is, however it is launched. */
interface TrainerDescription {
  readonly name: string
  readonly description: string | null
  /** Prefix of its tasks where a start gives none; null for the server's default. */
  readonly channelPrefix: string | null
}

/** One attempt of one task. */
export interface Job<T extends Trainer = Trainer> {
  readonly key: TaskKey
  /** The start that it is of (`TaskStart`). */
  readonly startId: string
  readonly trainer: T
  readonly attempt: number
}

export const startOf = ({ key: { channelPrefix, id }, startId }: Job): TaskStart => ({
  channelPrefix,
  id,
  startId,
})

/** A job with all that its trainer gets. */
export interface Submission<T extends Trainer = Trainer> extends Job<T> {
  readonly params: Readonly<Record<string, Json>>
  /** Null where the server runs without authentication. */
  readonly reportToken: string | null
}

/** A launcher tells what happens to a job; each is called at most once for an attempt of a start. */
export interface JobObserver {
  started(job: Job): void
  /** Instead of `ended` where the launcher itself will launch the task again; `job.attempt` is the new attempt, `why` the last one is over. */
  relaunched(job: Job, why?: string): void
  /** The job is over, and this launcher will not launch it again. */
  ended(job: Job, end: ProcessEnd): void
}

/**
 * Brings trainers to run, and gets only jobs of trainers that are configured for it. What becomes of a job (its exit, a signal, a failure to start) is told to the
 * observer, which records it.
 */
export interface Launcher {
  readonly name: LauncherName
  /** Whether jobs go on when this server is gone; if not, they are held by it and end with it. */
  readonly jobsOutliveServer: boolean
  /**
   * Takes a job over; its trainer may start at any time from then on, or before this resolves. Rejects with an
   * EpochcastError: if that is retryable, the same job can be submitted again without being run twice; if not,
   * it was not taken over, and the observer hears nothing of it. A job of another start is another job, whatever is left of
   * one under the same key.
   */
  submit(job: Submission): Promise<void>
  /**
   * Sees to it that a job stops: one that waits is dropped, one that runs gets its time to stop by itself and is
   * then ended. Resolves when that is under way, not when it is over. A job that is unknown or over is left alone.
   * Rejects with an EpochcastError; stopping again is harmless.
   */
  stop(job: Job): Promise<void>
  /**
   * Releases what this process holds: connections, and jobs that cannot outlive it, whose ends the observer has
   * heard of when this resolves. By then, calls that were under way have settled; later submissions are refused with
   * SHUTTING_DOWN where there is anything to launch.
   */
  close(): Promise<void>
}

/** A launcher whose queue is bounded and its own: a place is taken before a task is created for it. */
export interface ReservingLauncher extends Launcher {
  /** @throws EpochcastError QUEUE_FULL, SHUTTING_DOWN */
  reserve(): Reservation
}

export interface Reservation {
  /** As `Launcher.submit`; cannot fail because the queue is full. */
  submit(job: Submission): Promise<void>
  /** Gives the place back, unless a job has taken it. */
  release(): void
}

export const canReserve = (launcher: Launcher): launcher is ReservingLauncher => 'reserve' in launcher

/** A launcher whose jobs outlive servers, and can be observed by another than the one that submitted them. */
export interface AdoptingLauncher extends Launcher {
  readonly jobsOutliveServer: true
  /**
   * Tells the observer from here on what happens to these jobs, and what has happened to them while nobody looked.
   * A job may be at a later attempt than the one given. Of one that was never submitted nothing is told: another
   * server may be about to. Adopting a job again is harmless. Rejects with an EpochcastError.
   */
  adopt(jobs: readonly Job[]): Promise<void>
}

export const canAdopt = (launcher: Launcher): launcher is AdoptingLauncher => 'adopt' in launcher

/** The end of a job that was waiting when its server stopped. */
export const STOPPED_BEFORE_START: ProcessEnd = {
  message: 'the server stopped before the trainer was started',
  type: 'ServerStopped',
}
