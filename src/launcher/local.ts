import { type ChildProcess, spawn } from 'node:child_process'
import { EpochcastError } from '../task/errors.ts'
import type { ProcessEnd } from '../task/lifecycle.ts'
import type { TrainerEnv } from '../trainer-env.ts'
import { KubeflowEnv } from './kubeflow-env.ts'
import {
  type Job,
  type JobObserver,
  type LocalTrainer,
  type Reservation,
  type ReservingLauncher,
  STOPPED_BEFORE_START,
  type Submission,
} from './launcher.ts'
import { ProcessWatch, type ProcessWatchOptions } from './process-watch.ts'
import { Reaper } from './reaper.ts'

export interface LocalLauncherOptions {
  /** Processes at a time. */
  readonly concurrency: number
  /** Jobs that may wait for their turn. */
  readonly queue: number
  /** Time for a trainer to stop by itself once it was asked to; then it gets SIGTERM. */
  readonly stopGraceMs: number
  /** Time from SIGTERM to SIGKILL. */
  readonly killGraceMs: number
  /** GraphQL endpoint to which trainers report; asked for at each launch. */
  readonly reportUrl: () => string
  /** What a trainer gets of the server's environment. */
  readonly env: Pick<TrainerEnv, 'pick'>
  /** What is seen of a trainer's process beside its reports. */
  readonly watch: ProcessWatchOptions
}

type LocalSubmission = Submission<LocalTrainer>

/** Time for output that is on its way when a trainer has ended. */
const OUTPUT_CLOSE_MS = 1000

interface Running {
  readonly child: ChildProcess
  readonly timers: NodeJS.Timeout[]
  stopping: boolean
  /** Its process is gone, and its number may be another's. */
  isOver: boolean
}

/** Runs each job as a process of its own on this machine, so many at a time, first come first served. */
export class LocalLauncher implements ReservingLauncher {
  readonly name = 'local'
  readonly jobsOutliveServer = false
  readonly #options: LocalLauncherOptions
  readonly #observer: JobObserver
  /** By start, as `#running`. */
  readonly #waiting = new Map<string, LocalSubmission>()
  readonly #running = new Map<string, Running>()
  readonly #reaper = new Reaper()
  #reserved = 0
  #closing = false
  #whenIdle: (() => void) | undefined

  constructor(options: LocalLauncherOptions, observer: JobObserver) {
    this.#options = options
    this.#observer = observer
  }

  /** Processes at present. */
  get runningCount(): number {
    return this.#running.size
  }

  /** Jobs that wait for their turn. */
  get waitingCount(): number {
    return this.#waiting.size
  }

  reserve(): Reservation {
    this.#refuseIfClosing()
    const { concurrency, queue } = this.#options
    const taken = this.#running.size + this.#waiting.size + this.#reserved
    if (taken >= concurrency + queue) {
      throw new EpochcastError(
        'QUEUE_FULL',
        `the local launcher runs ${this.#running.size} trainings and ${this.#waiting.size} wait; expected at most ${queue} to wait (EPOCHCAST_LOCAL_QUEUE)`,
      )
    }
    this.#reserved++
    let isReserved = true
    const release = () => {
      if (isReserved) this.#reserved--
      isReserved = false
    }
    const submit = async (job: LocalSubmission) => {
      this.#refuseIfClosing()
      release()
      if (this.#has(job)) return
      this.#waiting.set(job.startId, job)
      this.#launchNext()
    }
    return { submit, release }
  }

  async submit(job: LocalSubmission): Promise<void> {
    if (!this.#has(job)) await this.reserve().submit(job)
  }

  async stop({ startId }: Job): Promise<void> {
    const waiting = this.#waiting.get(startId)
    if (waiting) {
      this.#waiting.delete(startId)
      this.#observer.ended(waiting, { message: 'it was cancelled before it was started', type: 'Cancelled' })
    }
    const running = this.#running.get(startId)
    if (running) this.#stop(running, this.#options.stopGraceMs)
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const job of this.#waiting.values()) this.#observer.ended(job, STOPPED_BEFORE_START)
    this.#waiting.clear()
    const idle = new Promise<void>((resolve) => {
      this.#whenIdle = resolve
    })
    for (const running of this.#running.values()) {
      running.stopping = false
      this.#stop(running, 0)
    }
    if (this.#running.size > 0) await idle
    await this.#reaper.close()
  }

  #has({ startId }: Job): boolean {
    return this.#waiting.has(startId) || this.#running.has(startId)
  }

  #refuseIfClosing(): void {
    if (!this.#closing) return
    throw new EpochcastError('SHUTTING_DOWN', 'the server is stopping and launches nothing; try again later')
  }

  #launchNext(): void {
    if (this.#closing || this.#running.size >= this.#options.concurrency) return
    const [next] = this.#waiting
    if (!next) return
    const [startId, job] = next
    this.#waiting.delete(startId)
    this.#run(job)
    this.#launchNext()
  }

  #run(job: LocalSubmission): void {
    let child: ChildProcess
    let kubeflow: KubeflowEnv | undefined
    try {
      if (job.trainer.speaksKubeflow) kubeflow = new KubeflowEnv(job, this.#options.reportUrl())
      child = this.#spawn(job, kubeflow?.variables)
    } catch (error) {
      kubeflow?.remove()
      // Some failures, such as an environment that is too large, are thrown; most come as an event.
      this.#observer.ended(job, spawnFailed(job, error))
      return
    }
    const running: Running = { child, timers: [], stopping: false, isOver: false }
    this.#running.set(job.startId, running)
    if (child.pid !== undefined) this.#reaper.watch(child.pid)

    const watch = new ProcessWatch(job, child, this.#options.watch)
    let spawnError: Error | undefined
    child.once('error', (error) => {
      spawnError ??= error
    })
    child.once('spawn', () => this.#observer.started(job))
    // What the trainer left behind would keep its output open, and itself alive.
    child.once('exit', () => {
      for (const timer of running.timers) clearTimeout(timer)
      this.#signal(child, 'SIGKILL')
      // A process that left the group may hold the output open forever.
      running.timers.push(setTimeout(() => closeOutput(child), OUTPUT_CLOSE_MS))
    })
    child.once('close', async (code, signal) => {
      running.isOver = true
      for (const timer of running.timers) clearTimeout(timer)
      if (child.pid !== undefined) this.#reaper.forget(child.pid)
      kubeflow?.remove()
      // First what it printed: who watches that is told the end after it.
      await watch.close()
      this.#running.delete(job.startId)
      this.#observer.ended(job, this.#describe(job, code, signal, spawnError, watch.tail))
      if (this.#running.size === 0) this.#whenIdle?.()
      this.#launchNext()
    })
  }

  #spawn({ trainer, ...job }: LocalSubmission, more?: Readonly<Record<string, string>>): ChildProcess {
    const [program, ...args] = trainer.command
    // A process group of its own, so that what the trainer starts can be ended with it.
    return spawn(program, args, {
      cwd: trainer.cwd,
      env: {
        ...this.#options.env.pick(trainer.passEnv),
        ...trainer.env,
        ...environmentOf(job, this.#options.reportUrl()),
        ...more,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  }

  #describe(
    job: LocalSubmission,
    code: number | null,
    signal: NodeJS.Signals | null,
    spawnError: Error | undefined,
    output: string,
  ): ProcessEnd {
    const withOutput = (message: string) =>
      output === '' ? message : `${message}; the end of its output:\n${output}`
    if (spawnError) return spawnFailed(job, spawnError)
    if (this.#closing) {
      return {
        message: withOutput('the server stopped while the trainer was running'),
        type: 'ServerStopped',
      }
    }
    if (signal) return { message: withOutput(`the trainer was ended by ${signal}`), type: 'Signal' }
    if (code === 0 && job.trainer.endsByExit)
      return { message: 'the trainer exited with code 0', type: 'Exit', isSuccess: true }
    if (code === 0) {
      return {
        message: withOutput('the trainer exited with code 0 without having reported a result'),
        type: 'NoResult',
      }
    }
    return { message: withOutput(`the trainer exited with code ${code}`), type: 'ExitCode' }
  }

  #stop(running: Running, graceMs: number): void {
    if (running.stopping || running.isOver) return
    running.stopping = true
    const { child, timers } = running
    const terminate = () => {
      this.#signal(child, 'SIGTERM')
      timers.push(setTimeout(() => this.#signal(child, 'SIGKILL'), this.#options.killGraceMs))
    }
    if (graceMs === 0) terminate()
    else timers.push(setTimeout(terminate, graceMs))
  }

  #signal(child: ChildProcess, signal: NodeJS.Signals): void {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, signal)
    } catch (error) {
      // No such group: it ended by itself. Not permitted: it runs as another user, and may not be ended by this one.
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ESRCH' && code !== 'EPERM') throw error
    }
  }
}

function closeOutput({ stdout, stderr }: ChildProcess): void {
  stdout?.destroy()
  stderr?.destroy()
}

function spawnFailed({ trainer }: LocalSubmission, error: unknown): ProcessEnd {
  const why = error instanceof Error ? error.message : String(error)
  return {
    message: `the trainer could not be started: ${why} (command ${trainer.command[0]}, folder ${trainer.cwd})`,
    type: 'SpawnFailed',
  }
}

/** All that a trainer knows. */
function environmentOf(job: Omit<LocalSubmission, 'trainer'>, reportUrl: string): Record<string, string> {
  return {
    EPOCHCAST_URL: reportUrl,
    EPOCHCAST_TASK_ID: job.key.id,
    EPOCHCAST_CHANNEL_PREFIX: job.key.channelPrefix,
    EPOCHCAST_TOKEN: job.reportToken ?? '',
    EPOCHCAST_ATTEMPT: String(job.attempt),
    EPOCHCAST_PARAMS: JSON.stringify(job.params),
  }
}
