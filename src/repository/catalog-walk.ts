import type { Listing } from '../event-log/listing.ts'
import { Pause } from '../event-log/serial-list.ts'
import { isFinalStatus, TASK_STATUSES } from '../task/task.ts'
import { type CatalogIndex, type ChangePlace, compareChanges } from './catalog-index.ts'
import { Effort } from './effort.ts'
import { statusKeys, type TaskQuery } from './task-filter.ts'

/*
 * Walks over a catalog that pause, so that none of them holds the event loop, however little it finds. The catalog may
 * change meanwhile: a walk goes on from where it stands, in what there is then.
 */

/** Listings tested one after the other in their order, before those that match are looked up instead. */
const MAX_WALK = 1024
/** Recent changes whose texts are tested one after the other; many more cost as much as a search of all texts. */
const MAX_TEXT_WALK = 16_384
/** Changes that are tested before it is looked whether there is something left to spend. */
const TESTED_TOGETHER = 64
/** What a test of a listing costs beside a step from list to list. */
const TEST_EFFORT = 10

const UNFINISHED = statusKeys(TASK_STATUSES.filter((status) => !isFinalStatus(status)))
const FINAL = statusKeys(TASK_STATUSES.filter(isFinalStatus))

export class CatalogWalk {
  readonly #index: CatalogIndex
  readonly effort: Effort

  constructor(index: CatalogIndex, effort = new Effort()) {
    this.#index = index
    this.effort = effort
  }

  /** In the order of creation, from behind `after` on. */
  async *byCreation(
    query: TaskQuery,
    isDescending: boolean,
    after: number | null = null,
  ): AsyncGenerator<Listing, void, undefined> {
    const index = this.#index
    let place = after
    for (;;) {
      await this.effort.left()
      const { version } = index
      let isOver = true
      for (const found of index.byCreation(query, isDescending, place, this.effort)) {
        isOver = false
        // It has tested nothing at the serial where it paused.
        place = found instanceof Pause ? found.at + (isDescending ? 1 : -1) : found.serial
        if (found instanceof Pause) await this.effort.left()
        else yield found
        if (index.version !== version) break
        isOver = true
      }
      if (isOver) return
    }
  }

  /**
   * Newest change first, from behind `after` on, and up to `limit`. Where many match, they are soon found in that order;
   * where few do, it is cheaper to look them all up and order them.
   */
  async *byChange(
    query: TaskQuery,
    after: ChangePlace | null,
    limit: number,
    maxWalk = MAX_WALK,
  ): AsyncGenerator<Listing, void, undefined> {
    let place = after
    let found = 0
    if (this.#index.mostOf(query) > maxWalk) {
      for (let walked = 0; walked < maxWalk; ) {
        const changes = this.#index.changesBehind(place, Math.min(TESTED_TOGETHER, maxWalk - walked))
        if (changes.length === 0) return
        walked += changes.length
        for (const listing of await this.#tested(query, changes)) {
          yield listing
          if (++found === limit) return
        }
        place = changes.at(-1) as Listing
      }
    }
    yield* await this.#newest(query, place, limit - found)
  }

  /** Those that are unfinished, newest first, then those that ended since a time. */
  async *unfinishedOrEnded(query: TaskQuery, endedSince: number): AsyncGenerator<Listing, void, undefined> {
    yield* this.byCreation({ ...query, conditions: [...query.conditions, UNFINISHED] }, true)
    const hasEnded = ({ finishedAt }: Listing) => finishedAt !== null && finishedAt >= endedSince
    // How many have all words, no list tells: few changes are walked, of many the words are looked up.
    const most = query.words.length > 0 ? MAX_TEXT_WALK : Number.POSITIVE_INFINITY
    const worthwhile = Math.max(MAX_WALK, Math.min(most, this.#index.mostOf(query)))
    const isWalked = this.#index.changesSince(endedSince) <= worthwhile
    if (isWalked) {
      for await (const listing of this.changedSince(endedSince))
        if (hasEnded(listing) && this.#index.matches(query, listing)) yield listing
      return
    }
    const finished = { ...query, conditions: [...query.conditions, FINAL] }
    for await (const listing of this.byCreation(finished, true)) if (hasEnded(listing)) yield listing
  }

  /** Newest change first, whatever it is of. */
  async *changedSince(since: number): AsyncGenerator<Listing, void, undefined> {
    let place: ChangePlace | null = null
    for (;;) {
      await this.effort.take(TESTED_TOGETHER * TEST_EFFORT)
      const changes: readonly Listing[] = this.#index.changesBehind(place, TESTED_TOGETHER)
      for (const listing of changes) {
        if (listing.updatedAt < since) return
        yield listing
      }
      place = changes.at(-1) ?? null
      if (place === null) return
    }
  }

  async #tested(query: TaskQuery, listings: readonly Listing[]): Promise<readonly Listing[]> {
    await this.effort.take(listings.length * TEST_EFFORT)
    return listings.filter((listing) => this.#index.matches(query, listing))
  }

  /** The newest of all that match behind a place: few are kept, whatever their number. */
  async #newest(query: TaskQuery, place: ChangePlace | null, limit: number): Promise<readonly Listing[]> {
    let newest: Listing[] = []
    for await (const listing of this.byCreation(query, true)) {
      if (place !== null && compareChanges(listing, place) >= 0) continue
      newest.push(listing)
      if (newest.length >= 2 * limit + TESTED_TOGETHER) newest = ordered(newest).slice(0, limit)
    }
    return ordered(newest).slice(0, limit)
  }
}

const ordered = (listings: Listing[]): Listing[] => listings.sort((a, b) => compareChanges(b, a))
