import { setImmediate as eventLoopTurn, setTimeout as sleep } from 'node:timers/promises'
import type { EventLog, Snapshot, Watch } from '../event-log/event-log.ts'
import { type Listing, type ListingChange, listingOf } from '../event-log/listing.ts'
import type { ListingPage, TaskIndex } from '../event-log/task-index.ts'
import { EpochcastError } from '../task/errors.ts'
import { isFinalStatus, type TaskKey } from '../task/task.ts'
import { CatalogIndex } from './catalog-index.ts'
import { CatalogWalk } from './catalog-walk.ts'
import { QuietListings } from './quiet-listings.ts'

const LIST_PAGE = 200
/** So few that live streams do not notice; of those that only have to be looked at, so many. */
const LISTINGS_PER_TURN = 50
const CHECKED_PER_TURN = 2000
const RETRY_MS = 500
/** Longest wait of a query for the catalog's first load. */
const MAX_LOAD_WAIT_MS = 5000
const RETRY_AFTER_MS = 1000

type CatalogStore = Pick<EventLog, 'snapshot'> & Pick<TaskIndex, 'listings' | 'watchListings'>

/**
 * What this process knows of all tasks, to find some of them without looking at each. First it listens, then it reads
 * the whole list in the background; after an interruption it reads it again, and forgets what is no longer there.
 *
 * It is a hint, like what it is made of: a listing may be some seconds old, or its task gone. Whoever finds a task by it
 * looks the task up (`fresh`) before showing it.
 */
export class TaskCatalog {
  readonly index = new CatalogIndex()
  readonly walk = new CatalogWalk(this.index)
  readonly #store: CatalogStore
  readonly #onError: (error: unknown) => void
  readonly #channelPrefixes: ReadonlySet<string> | null
  /** The load in which each listing was heard of or read last. */
  readonly #loadOf = new Map<number, number>()
  /** Of each owner, how many of its tasks are unfinished. */
  readonly #unfinished = new Map<string, number>()
  #load = 0
  /** What was dropped since the load under way began. */
  readonly #droppedMeanwhile = new Set<number>()
  readonly #quiet = new QuietListings((serial) => this.#lookAgain(serial))
  #isLoaded = false
  #loading: Promise<void> | undefined
  /** Something may have changed unheard since the load under way began. */
  #isStale = false
  #watch: Watch | undefined
  #isClosed = false

  /** @param channelPrefixes those of this server; others that share its store may have more. All where it is left out */
  constructor(
    store: CatalogStore,
    onError: (error: unknown) => void,
    channelPrefixes: readonly string[] | null = null,
  ) {
    this.#store = store
    this.#onError = onError
    this.#channelPrefixes = channelPrefixes && new Set(channelPrefixes)
  }

  /** Whether a task is this server's to show. */
  covers({ channelPrefix }: TaskKey): boolean {
    return this.#channelPrefixes?.has(channelPrefix) ?? true
  }

  /** Begins to listen and to load; what it needs of the engine is tried until it is there. */
  start(): void {
    this.#reload()
  }

  /** Unfinished tasks that an address has started. */
  unfinishedOf(owner: string): number {
    return this.#unfinished.get(owner) ?? 0
  }

  /** Whether it knows of all tasks, but for what has just changed. */
  get isLoaded(): boolean {
    return this.#isLoaded
  }

  /**
   * Resolves once it has been loaded, which it is soon after the server's start.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE where this takes too long
   */
  async loaded(): Promise<void> {
    if (this.#isLoaded) return
    if (!this.#loading) this.#reload()
    const timeout = new AbortController()
    const late = sleep(MAX_LOAD_WAIT_MS, undefined, { signal: timeout.signal }).catch(() => {})
    await Promise.race([this.#loading, late])
    timeout.abort()
    if (this.#isLoaded) return
    throw new EpochcastError('ENGINE_UNAVAILABLE', 'the list of tasks is still being read; try again', {
      details: { retryAfterMs: RETRY_AFTER_MS },
    })
  }

  /** Resolves once nothing is left to read that was missed while the engine was out of reach. */
  async caughtUp(): Promise<void> {
    await this.#loading
  }

  /**
   * The task of a listing as it is now. What turns out to be otherwise is corrected here, too.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  async fresh(listing: Listing): Promise<Snapshot | null> {
    const snapshot = await this.#store.snapshot(listing)
    if (snapshot) this.#hear({ kind: 'listed', listing: listingOf(snapshot) })
    if (snapshot?.serial === listing.serial) return snapshot
    this.#hear({ kind: 'dropped', serial: listing.serial })
    return null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#quiet.close()
    // A load under way may wait for an engine that is away; it ends by itself.
    await this.#watch?.close()
  }

  #told(change: ListingChange): void {
    if (change.kind === 'listed') this.#quiet.note(change.listing)
    this.#hear(change)
  }

  async #lookAgain(serial: number): Promise<void> {
    const listing = this.index.get(serial)
    try {
      if (listing) await this.fresh(listing)
    } catch (error) {
      // Where the engine is away, everything is read again once it is back.
      if (!(error instanceof EpochcastError)) this.#onError(error)
    }
  }

  #hear(change: ListingChange): void {
    if (change.kind === 'listed') this.#set(change.listing)
    else if (change.kind === 'dropped') this.#delete(change.serial)
    else this.#reload()
  }

  #set(listing: Listing): void {
    if (!this.covers(listing)) return
    const { serial, version } = listing
    const known = this.index.get(serial)
    // Announcements cross; but what was heard before this load proves nothing: a store may have lost its newest events.
    if (known && known.version > version && this.#loadOf.get(serial) === this.#load) return
    this.#loadOf.set(serial, this.#load)
    this.#count(known, -1)
    this.#count(listing, 1)
    this.index.set(listing)
  }

  #delete(serial: number): void {
    if (this.#loading) this.#droppedMeanwhile.add(serial)
    this.#loadOf.delete(serial)
    this.#quiet.forget(serial)
    this.#count(this.index.get(serial), -1)
    this.index.delete(serial)
  }

  #count(listing: Listing | undefined, change: number): void {
    if (!listing?.owner || isFinalStatus(listing.status)) return
    const count = this.unfinishedOf(listing.owner) + change
    if (count > 0) this.#unfinished.set(listing.owner, count)
    else this.#unfinished.delete(listing.owner)
  }

  #reload(): void {
    this.#isStale = true
    if (this.#isClosed) return
    this.#loading ??= this.#loadUntilCurrent().finally(() => {
      this.#loading = undefined
      // Told in the very moment in which the last load ended.
      if (this.#isStale) this.#reload()
    })
  }

  async #loadUntilCurrent(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false
      try {
        this.#watch ??= await this.#store.watchListings((change) => this.#told(change))
        if (this.#isClosed) return await this.#watch.close()
        await this.#loadAll()
      } catch (error) {
        if (this.#isClosed) return
        this.#onError(error)
        this.#isStale = true
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  async #loadAll(): Promise<void> {
    this.#load++
    this.#droppedMeanwhile.clear()
    let set = 0
    // Newest first, as the engine has them; oldest first, as an index grows best.
    for (const listing of (await this.#readAll()).reverse()) {
      if (this.#isClosed) return
      if (!this.#droppedMeanwhile.has(listing.serial)) this.#set(listing)
      if (++set % LISTINGS_PER_TURN === 0) await eventLoopTurn()
    }
    for (const _ of this.index.prepare()) await eventLoopTurn()
    let checked = 0
    for (const [serial, load] of [...this.#loadOf]) {
      // One that was heard of meanwhile has another by now.
      if (load !== this.#load && this.#loadOf.get(serial) === load) this.#delete(serial)
      if (++checked % CHECKED_PER_TURN === 0) await eventLoopTurn()
    }
    this.#isLoaded = true
  }

  async #readAll(): Promise<Listing[]> {
    const listings: Listing[] = []
    let before: number | null = null
    while (!this.#isClosed) {
      const page: ListingPage = await this.#store.listings(before, LIST_PAGE)
      for (const listing of page.listings) listings.push(listing)
      const last = page.listings.at(-1)
      if (!page.hasMore || !last) break
      // An engine in this process never waits for the network, so a long list would block everything else.
      await eventLoopTurn()
      before = last.serial
    }
    return listings
  }
}
