import { commitError, isBroken } from './errors.ts'
import type { Table, Tables } from './tables.ts'

/** A record to be written, or removed where the value is null. */
export interface Write {
  readonly table: Table
  readonly key: Buffer
  readonly value: Buffer | null
}

export interface CommitterOptions {
  readonly directory: string
  /** Whether each transaction waits for the disk; otherwise all are flushed now and then. */
  readonly fsync: boolean
  readonly onError: (error: unknown) => void
}

/** How long what was committed without fsync may wait for the disk. */
const FLUSH_MS = 1000

interface Waiting {
  readonly writes: readonly Write[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commit: what is to be written while a transaction is on its way to the disk goes into the next one, all
 * together, so that one fsync serves many calls. The first of a group waits for the end of the event loop's turn only.
 */
export class Committer {
  /** Transactions, and the calls that they served. */
  readonly counts = { commits: 0, calls: 0 }
  readonly #root: Tables['root']
  readonly #directory: string
  readonly #fsync: boolean
  #waiting: Waiting[] = []
  #isScheduled = false
  #startedAt: number | null = null
  #lastMs = 0
  #committing: Promise<void> = Promise.resolve()
  #isBroken = false

  readonly #onError: (error: unknown) => void
  #flushing: NodeJS.Timeout | undefined

  constructor({ root }: Tables, { directory, fsync, onError }: CommitterOptions) {
    this.#root = root
    this.#directory = directory
    this.#fsync = fsync
    this.#onError = onError
  }

  /** Whether nothing can be written any more, whatever becomes of the disk. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** How long the newest transaction took, or has been under way so far. */
  get latencyMs(): number {
    return this.#startedAt === null ? this.#lastMs : performance.now() - this.#startedAt
  }

  /**
   * All of it or nothing; resolves once it is on disk.
   *
   * @throws EpochcastError STORE_FULL, ENGINE_UNAVAILABLE: nothing was written
   */
  commit(writes: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, resolve, reject })
      this.#schedule()
    })
  }

  /** Resolves once nothing is under way, nothing waits, and all is on disk. */
  async close(): Promise<void> {
    while (this.#isScheduled || this.#startedAt !== null) {
      await this.#committing
      await new Promise((resolve) => setImmediate(resolve))
    }
    clearTimeout(this.#flushing)
    if (!this.#fsync) await sync(this.#root)
  }

  #flushSoon(): void {
    this.#flushing ??= setTimeout(() => {
      this.#flushing = undefined
      sync(this.#root).catch(this.#onError)
    }, FLUSH_MS).unref()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#startedAt !== null) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#committing = this.#commitGroup()
    })
  }

  async #commitGroup(): Promise<void> {
    const group = this.#waiting
    this.#waiting = []
    this.#startedAt = performance.now()
    this.counts.commits++
    this.counts.calls += group.length
    try {
      // Only keys and bytes, so that nothing in here can throw: half of a group would be written.
      await this.#root.batch(() => {
        for (const { writes } of group) {
          for (const { table, key, value } of writes) {
            if (value === null) table.remove(key)
            else table.put(key, value)
          }
        }
      })
      if (!this.#fsync) this.#flushSoon()
      for (const { resolve } of group) resolve()
    } catch (cause) {
      const error = await commitError(cause, this.#directory, bytesOf(group))
      this.#isBroken ||= isBroken(error.cause)
      for (const { reject } of group) reject(error)
    } finally {
      this.#lastMs = performance.now() - this.#startedAt
      this.#startedAt = null
      if (this.#waiting.length > 0) this.#schedule()
    }
  }
}

const bytesOf = (group: readonly Waiting[]): number =>
  group.reduce(
    (sum, { writes }) => sum + writes.reduce((all, { value }) => all + (value?.byteLength ?? 0), 0),
    0,
  )

/** The library's own type says nothing of the error. */
const sync = (root: Tables['root']): Promise<void> =>
  new Promise((resolve, reject) => {
    const { sync } = root as unknown as { sync(done: (error?: Error) => void): void }
    sync.call(root, (error) => (error ? reject(error) : resolve()))
  })
