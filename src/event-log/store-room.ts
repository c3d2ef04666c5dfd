import { setImmediate as eventLoopTurn, setTimeout as sleep } from 'node:timers/promises'
import { channelOf, type TaskKey } from '../task/task.ts'
import { type Holding, Ledger, type LedgerOptions } from './ledger.ts'
import type { Listing, ListingChange } from './listing.ts'
import type { ListingPage } from './task-index.ts'

export interface RoomOptions extends LedgerOptions {
  readonly listings: (before: number | null, limit: number) => Promise<ListingPage>
  /** Takes a finished task away; what fails is tried again with the next. */
  readonly drop: (key: TaskKey) => Promise<unknown>
  readonly onError: (error: unknown) => void
}

/** What a write would add. */
interface Growth {
  readonly owner: string | null
  /** The task that is written to; null where it is about to be created. */
  readonly task: Counted | null
  readonly bytes: number
  /** Whether the task is finished after it: ends give room, and are not refused for their owner's share. */
  readonly isFinal: boolean
}

export interface Counted extends Holding {
  readonly key: TaskKey
  readonly serial: number
  bytes: number
  /** Of its state, where this server has written it. */
  stateBytes?: number
}

const LIST_PAGE = 100
const RETRY_MS = 500
/** Finished tasks that one write drops, one after the other, before it is refused. */
const MAX_DROPS = 50

/**
 * About how many bytes each task takes in a store that many servers share, by what the engine counts of each task and
 * servers tell each other: nothing looks at all tasks but at the start. What other servers write is known here some
 * seconds later, so together they may pass the bound by what comes in meanwhile.
 */
export class StoreRoom {
  readonly #options: RoomOptions
  readonly #ledger: Ledger<Counted>
  readonly #counted = new Map<number, Counted>()
  /** Serials, by what servers call their tasks. */
  readonly #serials = new Map<string, number>()
  #load = 0
  readonly #loadOf = new Map<number, number>()
  /** What was dropped since the load under way began. */
  readonly #droppedMeanwhile = new Set<number>()
  #loading: Promise<void> | undefined
  #isStale = false
  #isClosed = false

  constructor(options: RoomOptions) {
    this.#options = options
    this.#ledger = new Ledger(options)
  }

  get bytes(): number {
    return this.#ledger.bytes
  }

  /** Counts all tasks there are, in the background. */
  load(): void {
    this.#isStale = true
    this.#loading ??= this.#loadUntilCurrent().finally(() => {
      this.#loading = undefined
    })
  }

  /** What servers tell each other, this one among them. */
  hear(change: ListingChange): void {
    if (change.kind === 'unknown') this.load()
    else if (change.kind === 'dropped') this.#hearDrop(change.serial)
    else this.#hearListing(change.listing)
  }

  find(key: TaskKey): Counted | null {
    const serial = this.#serials.get(channelOf(key))
    return serial === undefined ? null : (this.#counted.get(serial) ?? null)
  }

  /** What a task takes from now on. */
  count(key: TaskKey, serial: number, owner: string | null, bytes: number, isFinished: boolean): void {
    this.#loadOf.set(serial, this.#load)
    const known = this.#counted.get(serial)
    if (!known) {
      const counted = { key, serial, owner, bytes }
      this.#counted.set(serial, counted)
      this.#serials.set(channelOf(key), serial)
      this.#ledger.add(counted, isFinished)
      return
    }
    this.resize(known, bytes)
    this.#ledger.move(known, isFinished)
  }

  resize(task: Counted, bytes: number): void {
    const growth = bytes - task.bytes
    task.bytes = bytes
    if (this.#counted.get(task.serial) === task) this.#ledger.grew(task, growth)
  }

  /**
   * Lets a write through, after dropping finished tasks where there is no room for it.
   *
   * @throws EpochcastError STORE_FULL
   */
  async make({ owner, task, bytes, isFinal }: Growth): Promise<void> {
    const ledger = this.#ledger
    const refuse = () => {
      if (ledger.shortage(bytes, task) > 0 || (!isFinal && ledger.excess(owner, bytes) > 0))
        throw ledger.refusal(owner, bytes)
    }
    refuse()
    for (let drops = 0; ledger.missing(bytes) > 0; drops++) {
      const first = drops < MAX_DROPS ? ledger.firstToDrop(task) : undefined
      if (!first) throw ledger.refusal(owner, bytes)
      // At once, so that of several writes each drops another.
      this.#forget(first.serial)
      await this.#options.drop(first.key).catch(this.#options.onError)
      refuse()
    }
  }

  close(): void {
    this.#isClosed = true
  }

  #hearListing({ channelPrefix, id, serial, owner = null, bytes = 0, finishedAt }: Listing): void {
    // It tells what the task took before the change; older servers do not tell it.
    const known = bytes || (this.#counted.get(serial)?.bytes ?? 0)
    this.count({ channelPrefix, id }, serial, owner, known, finishedAt !== null)
  }

  #hearDrop(serial: number): void {
    if (this.#loading) this.#droppedMeanwhile.add(serial)
    this.#forget(serial)
  }

  #forget(serial: number): void {
    this.#loadOf.delete(serial)
    const counted = this.#counted.get(serial)
    if (!counted) return
    this.#counted.delete(serial)
    const channel = channelOf(counted.key)
    if (this.#serials.get(channel) === serial) this.#serials.delete(channel)
    this.#ledger.remove(counted)
  }

  async #loadUntilCurrent(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false
      try {
        await this.#loadAll()
      } catch (error) {
        this.#options.onError(error)
        this.#isStale = true
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  async #loadAll(): Promise<void> {
    this.#load++
    this.#droppedMeanwhile.clear()
    let before: number | null = null
    while (!this.#isClosed) {
      const page: ListingPage = await this.#options.listings(before, LIST_PAGE)
      for (const { channelPrefix, id, serial, owner = null, bytes = 0, finishedAt } of page.listings) {
        // What was heard meanwhile is newer.
        if (this.#loadOf.get(serial) !== this.#load && !this.#droppedMeanwhile.has(serial))
          this.count({ channelPrefix, id }, serial, owner, bytes, finishedAt !== null)
      }
      const last = page.listings.at(-1)
      if (!page.hasMore || !last) break
      await eventLoopTurn()
      before = last.serial
    }
    if (this.#isClosed) return
    for (const serial of [...this.#counted.keys()])
      if (this.#loadOf.get(serial) !== this.#load) this.#forget(serial)
  }
}
