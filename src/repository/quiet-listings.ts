import { LISTING_INTERVAL_MS, type Listing } from '../event-log/listing.ts'
import { isFinalStatus } from '../task/task.ts'

/** What a writer kept to itself after a listing it would have listed by now, had there been more. */
const QUIET_MS = LISTING_INTERVAL_MS + 1000
/** Looked at in one second. */
const MOST_AT_ONCE = 200
const TICK_MS = 1000

/**
 * Tasks that were listed and then not again for a while. A writer lists a task that changes all the time every ten seconds;
 * of the last changes before it falls silent nobody would hear, so it is looked at once more.
 */
export class QuietListings {
  /** By serial, when a task was listed last by this process's clock; the oldest first. */
  readonly #listedAt = new Map<number, number>()
  readonly #look: (serial: number) => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param look must not reject */
  constructor(look: (serial: number) => Promise<void>) {
    this.#look = look
  }

  get count(): number {
    return this.#listedAt.size
  }

  note({ serial, status }: Listing): void {
    this.#listedAt.delete(serial)
    // An end is listed whenever it is.
    if (isFinalStatus(status) || this.#isClosed) return
    this.#listedAt.set(serial, Date.now())
    this.#timer ??= setTimeout(() => this.#tick(), QUIET_MS).unref()
  }

  forget(serial: number): void {
    this.#listedAt.delete(serial)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#listedAt.clear()
  }

  async #tick(): Promise<void> {
    const quiet: number[] = []
    for (const [serial, at] of this.#listedAt) {
      if (Date.now() - at < QUIET_MS || quiet.length === MOST_AT_ONCE) break
      quiet.push(serial)
    }
    for (const serial of quiet) this.#listedAt.delete(serial)
    await Promise.all(quiet.map((serial) => this.#look(serial)))
    const isLeft = this.#listedAt.size > 0 && !this.#isClosed
    this.#timer = isLeft ? setTimeout(() => this.#tick(), TICK_MS).unref() : undefined
  }
}
