import { EpochcastError } from '../../task/errors.ts'

export interface RoomSource {
  /** Bytes that are taken at present. */
  readonly bytes: number
  /** Drops the oldest finished task but the one named; false where there is none. */
  dropOldestFinished(except: string): Promise<boolean>
  /** Trims up to so many bytes of the largest log that has events to spare; false where there is none. */
  trimLargest(bytes: number): Promise<boolean>
}

/**
 * Keeps what is stored under its bound, as the memory engine does: the oldest finished tasks go first, then the oldest
 * events of the largest unfinished ones.
 */
export class Room {
  readonly #maxBytes: number
  readonly #source: RoomSource
  /** Of writes that are under way. */
  #reserved = 0
  #making: Promise<unknown> = Promise.resolve()

  constructor(maxBytes: number, source: RoomSource) {
    this.#maxBytes = maxBytes
    this.#source = source
  }

  /**
   * Sets bytes aside for a write to a task, which must be given back by `release` when the write is over. No turn of a
   * task may be held: others are dropped and trimmed in theirs.
   *
   * @throws EpochcastError STORE_FULL, ENGINE_UNAVAILABLE
   */
  reserve(bytes: number, name: string): undefined | Promise<void> {
    if (this.#missing(bytes) > 0) return this.#makeRoom(bytes, name)
    this.#reserved += bytes
    return undefined
  }

  release(bytes: number): void {
    this.#reserved -= bytes
  }

  #missing(bytes: number): number {
    return this.#source.bytes + this.#reserved + bytes - this.#maxBytes
  }

  /** One after the other, so that no two make room for the same. */
  #makeRoom(bytes: number, name: string): Promise<void> {
    const made = this.#making.then(async () => {
      while (this.#missing(bytes) > 0) {
        const isMade =
          (await this.#source.dropOldestFinished(name)) ||
          (await this.#source.trimLargest(this.#missing(bytes)))
        if (!isMade) throw this.#full()
      }
      this.#reserved += bytes
    })
    this.#making = made.catch(() => {})
    return made
  }

  #full(): EpochcastError {
    return new EpochcastError(
      'STORE_FULL',
      `the data directory holds ${this.#source.bytes} of ${this.#maxBytes} bytes in unfinished tasks; raise EPOCHCAST_DATA_BYTES, or finish or cancel some`,
    )
  }
}
