import type { TaskKey } from '../task/task.ts'
import type { StoredSnapshot, Watch } from './event-log.ts'
import type { Listing, ListingChange } from './listing.ts'

/** `unfinished` leaves out tasks that have had their final event. */
export type ListScope = 'all' | 'unfinished'

export interface ListPage {
  /** Newest first. */
  readonly snapshots: readonly StoredSnapshot[]
  readonly hasMore: boolean
}

export interface ListingPage {
  /** Newest first. */
  readonly listings: readonly Listing[]
  readonly hasMore: boolean
}

/**
 * Knows which tasks there are, across their logs.
 *
 * Every method may reject with EpochcastError ENGINE_UNAVAILABLE.
 */
export interface TaskIndex {
  /** Tasks older than `before` (by serial), newest first. */
  list(scope: ListScope, before: number | null, limit: number): Promise<ListPage>

  /**
   * As `list` for all tasks, but without their states, which are far larger: each listing is what `listingOf` makes of
   * the task as it is.
   */
  listings(before: number | null, limit: number): Promise<ListingPage>

  /**
   * Names every task that something is appended to from now on; null where any of them may have changed,
   * because the engine was out of reach.
   */
  watchAll(onChange: (key: TaskKey | null) => void): Promise<Watch>

  /**
   * Tells the listing of each task that is created or given one by its writer (`AppendRequest.listing`), and which
   * tasks are dropped, in the order in which this happens to a task. What this process itself writes is told before
   * the write resolves. Each is a hint: `list` tells all there are.
   */
  watchListings(onChange: (change: ListingChange) => void): Promise<Watch>

  /** Drops finished tasks whose retention has passed; to be called now and then, by any server. */
  dropExpired(): Promise<void>
}
