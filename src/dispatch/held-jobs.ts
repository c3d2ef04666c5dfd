import type { EventLog, Watch, WatchSignal } from '../event-log/event-log.ts'
import type { Job } from '../launcher/launcher.ts'
import { isFinalEvent } from '../task/event.ts'
import { isFinalStatus } from '../task/task.ts'

/**
 * The jobs that end with this server. Their logs are watched, because any server may be the one that
 * is asked to cancel, and a trainer that has reported its end should come to it.
 */
export class HeldJobs {
  readonly #log: EventLog
  readonly #stop: (job: Job) => void
  readonly #onError: (error: unknown) => void
  /** By start: the job of a deleted task may still end while another under its id is watched. */
  readonly #watches = new Map<string, Promise<Watch>>()

  constructor(log: EventLog, stop: (job: Job) => void, onError: (error: unknown) => void) {
    this.#log = log
    this.#stop = stop
    this.#onError = onError
  }

  /** @throws EpochcastError ENGINE_UNAVAILABLE; may then be tried again */
  async add(job: Job): Promise<void> {
    const { key, startId } = job
    if (this.#watches.has(startId)) return
    const watch = this.#log.watch(key, (signal) => {
      if (signal.kind === 'dropped') this.#end(job).catch(this.#onError)
      else if (concernsItsEnd(signal)) this.#stopIfAsked(job).catch(this.#onError)
    })
    this.#watches.set(startId, watch)
    try {
      await watch
    } catch (error) {
      this.#watches.delete(startId)
      throw error
    }
    // What happened before it was watched.
    if (!(await this.#stopIfAsked(job))) await this.#end(job)
  }

  /** @returns false where there is no task */
  async #stopIfAsked(job: Job): Promise<boolean> {
    // Where the engine is out of reach, `resumed` will come, and it is looked at again.
    const snapshot = await this.#log.snapshot(job.key)
    // Not by itself the end of the job: what an engine has lost comes back with the next report.
    if (!snapshot) return false
    const { spec, status, stopRequested } = snapshot.state
    if (isFinalStatus(status) || spec.startId !== job.startId) await this.#end(job)
    else if (stopRequested) this.#stop(job)
    return true
  }

  /** Its task has ended, or was deleted. */
  async #end(job: Job): Promise<void> {
    const watch = this.#watches.get(job.startId)
    // There is nothing left that could tell of its task's end a second time.
    if (!watch) return
    this.#watches.delete(job.startId)
    this.#stop(job)
    await (await watch).close()
  }
}

function concernsItsEnd(signal: WatchSignal): boolean {
  if (signal.kind === 'resumed') return true
  if (signal.kind !== 'appended') return false
  return signal.entries.some(
    ({ event }) => isFinalEvent(event) || (event.type === 'StatusChanged' && event.stopRequested === true),
  )
}
