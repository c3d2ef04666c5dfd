import { type Batch, lastOf, restOf } from './batch.ts'
import { REPORTER_LIMITS } from './limits.ts'

/** Where batches are kept so that they outlive the process (`spool-file.ts`). Whatever it fails with is its disk's doing. */
export interface Spool {
  /** The highest number that is known to be delivered. */
  readonly delivered: number
  /** @returns false where it is as large as it may be */
  append(batch: Batch): Promise<boolean>
  /** The first batch that has not been read. */
  next(): Promise<Batch | null>
  confirm(number: number): Promise<void>
  close(end: 'keep' | 'remove' | 'aside'): Promise<void>
}

/**
 * Batches in their order: the older ones in the spool, where there is one, then those in memory. Calls follow one another:
 * each waits for those before it.
 */
export class Outbox {
  readonly #spool: Spool | null
  readonly #maxMemoryBytes: number
  #memory: Batch[] = []
  #memoryBytes = 0
  /** The oldest, from the spool or from memory, until it is confirmed. */
  #taken: Batch | null = null
  #isTakenInSpool = false
  #line: Promise<unknown> = Promise.resolve()
  /** Why the spool could not be used last; null where it could. */
  spoolError: unknown = null
  delivered: number

  constructor(spool: Spool | null, maxMemoryBytes: number = REPORTER_LIMITS.memoryBytes) {
    this.#spool = spool
    this.#maxMemoryBytes = maxMemoryBytes
    this.delivered = spool?.delivered ?? 0
  }

  get memoryBytes(): number {
    return this.#memoryBytes
  }

  /** Those that end with the process. */
  get reportsInMemory(): number {
    const taken = this.#taken && !this.#isTakenInSpool ? this.#taken.count : 0
    return this.#memory.reduce((sum, { count }) => sum + count, taken)
  }

  /**
   * @param isForced for what tells how the run ended
   * @returns false where there is no room
   */
  append(batch: Batch, isForced = false): Promise<boolean> {
    return this.#inTurn(async () => {
      if (await this.#toSpool(batch)) return true
      if (!isForced && this.#memoryBytes + batch.reports.length > this.#maxMemoryBytes) return false
      this.#memory.push(batch)
      this.#memoryBytes += batch.reports.length
      return true
    })
  }

  /** Those in memory are older, so they go first. */
  async #toSpool(batch: Batch): Promise<boolean> {
    if (this.#spool === null) return false
    try {
      for (let oldest = this.#memory[0]; oldest; oldest = this.#memory[0]) {
        if (!(await this.#spool.append(oldest))) return false
        this.#memory.shift()
        this.#memoryBytes -= oldest.reports.length
      }
      const isAppended = await this.#spool.append(batch)
      this.spoolError = null
      return isAppended
    } catch (error) {
      this.spoolError = error
      return false
    }
  }

  /** The next batch to send, until it is confirmed; null where there is none. */
  oldest(): Promise<Batch | null> {
    return this.#inTurn(async () => {
      if (this.#taken === null && this.#spool !== null) {
        try {
          this.#taken = await this.#spool.next()
        } catch (error) {
          this.spoolError = error
        }
        this.#isTakenInSpool = this.#taken !== null
      }
      if (this.#taken === null) {
        this.#taken = this.#memory.shift() ?? null
        this.#memoryBytes -= this.#taken?.reports.length ?? 0
        this.#isTakenInSpool = false
      }
      return this.#taken
    })
  }

  /** All reports up to this one have been delivered, or refused for good. */
  confirm(number: number): Promise<void> {
    return this.#inTurn(async () => {
      this.delivered = number
      if (this.#taken) this.#taken = number < lastOf(this.#taken) ? restOf(this.#taken, number) : null
      try {
        await this.#spool?.confirm(number)
      } catch (error) {
        this.spoolError = error
      }
    })
  }

  close(end: 'keep' | 'remove' | 'aside'): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#spool?.close(end)
      } catch (error) {
        this.spoolError = error
      }
    })
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#line.then(act)
    this.#line = result.catch(() => {})
    return result
  }
}
