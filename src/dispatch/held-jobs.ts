import type { EventLog, Watch, WatchSignal } from '../event-log/event-log.ts'
import type { Job } from '../launcher/launcher.ts'
import { isFinalEvent } from '../task/event.ts'
import { channelOf, isFinalStatus, type TaskKey } from '../task/task.ts'

/**
 * The jobs that end with this server. Their logs are watched, because any server may be the one that
 * is asked to cancel, and a trainer that has reported its end should come to it.
 */
export class HeldJobs {
  readonly #log: EventLog
  readonly #stop: (job: Job) => void
  readonly #onError: (error: unknown) => void
  readonly #watches = new Map<string, Promise<Watch>>()

  constructor(log: EventLog, stop: (job: Job) => void, onError: (error: unknown) => void) {
    this.#log = log
    this.#stop = stop
    this.#onError = onError
  }

  /** @throws EpochcastError ENGINE_UNAVAILABLE; may then be tried again */
  async add(job: Job): Promise<void> {
    const { key } = job
    const channel = channelOf(key)
    if (this.#watches.has(channel)) return
    const watch = this.#log.watch(key, (signal) => {
      if (concernsItsEnd(signal)) this.#stopIfAsked(job).catch(this.#onError)
    })
    this.#watches.set(channel, watch)
    try {
      await watch
    } catch (error) {
      this.#watches.delete(channel)
      throw error
    }
    // What happened before it was watched.
    await this.#stopIfAsked(job)
  }

  async remove(key: TaskKey): Promise<void> {
    const channel = channelOf(key)
    const watch = this.#watches.get(channel)
    this.#watches.delete(channel)
    await (await watch)?.close()
  }

  async #stopIfAsked(job: Job): Promise<void> {
    // Where the engine is out of reach, `resumed` will come, and it is looked at again.
    const snapshot = await this.#log.snapshot(job.key)
    if (!snapshot) return
    const { state } = snapshot
    if (state.stopRequested || isFinalStatus(state.status)) this.#stop(job)
    if (isFinalStatus(state.status)) await this.remove(job.key)
  }
}

function concernsItsEnd(signal: WatchSignal): boolean {
  if (signal.kind === 'resumed') return true
  if (signal.kind !== 'appended') return false
  return signal.entries.some(
    ({ event }) => isFinalEvent(event) || (event.type === 'StatusChanged' && event.stopRequested === true),
  )
}
