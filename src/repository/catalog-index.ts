import type { Listing } from '../event-log/listing.ts'
import { intersection, Pause, type SerialCursor, SerialList, UnionCursor } from '../event-log/serial-list.ts'
import { type Effort, UNBOUNDED } from './effort.ts'
import { SearchBlocks } from './search-blocks.ts'
import { keysOf, searchText, type TaskQuery } from './task-filter.ts'

/** A place in the order of changes. */
export type ChangePlace = Pick<Listing, 'updatedAt' | 'serial'>

/**
 * Listings, and where to find them: for each key (a status, a machine, a label's value …) the serials that have it. A
 * query intersects the lists of its conditions, each skipping what another lacks, so it costs about as much as the
 * shortest of them is long; and it stops when its reader does.
 */
export class CatalogIndex {
  readonly #listings = new Map<number, Listing>()
  readonly #serials = new SerialList()
  readonly #byKey = new Map<string, SerialList>()
  readonly #blocks = new SearchBlocks()
  /** By (updatedAt, serial), oldest change first. */
  readonly #changes: Listing[] = []
  #examined = 0
  #version = 0

  get size(): number {
    return this.#listings.size
  }

  /** Changes with everything that is found here; a walk that paused begins anew where it was. */
  get version(): number {
    return this.#version
  }

  /** Listings that queries have looked at so far. */
  get examined(): number {
    return this.#examined
  }

  get(serial: number): Listing | undefined {
    return this.#listings.get(serial)
  }

  values(): IterableIterator<Listing> {
    return this.#listings.values()
  }

  set(listing: Listing): void {
    const { serial } = listing
    const before = this.#listings.get(serial)
    this.#listings.set(serial, listing)
    this.#moveChange(before, listing)
    if (before && isFoundAlike(before, listing)) return
    this.#version++
    const keys = keysOf(listing)
    const keysBefore = before ? keysOf(before) : new Set<string>()
    for (const key of keysBefore) if (!keys.has(key)) this.#deleteKey(key, serial)
    for (const key of keys) if (!keysBefore.has(key)) this.#addKey(key, serial)
    this.#blocks.set(serial, searchText(listing), listing.createdAt)
    if (!before) this.#serials.add(serial)
  }

  delete(serial: number): void {
    const listing = this.#listings.get(serial)
    if (!listing) return
    this.#version++
    this.#listings.delete(serial)
    this.#serials.delete(serial)
    this.#blocks.delete(serial)
    for (const key of keysOf(listing)) this.#deleteKey(key, serial)
    this.#moveChange(listing, undefined)
  }

  /** Does what the first search would have to do, in small steps. */
  prepare(): Generator<void, void, undefined> {
    return this.#blocks.join()
  }

  /** In the order of creation, from behind `after` on; with pauses, where there is an effort to go by. */
  byCreation(
    query: TaskQuery,
    isDescending: boolean,
    after?: number | null,
  ): Generator<Listing, void, undefined>
  byCreation(
    query: TaskQuery,
    isDescending: boolean,
    after: number | null,
    effort: Effort,
  ): Generator<Listing | Pause, void, undefined>
  *byCreation(
    query: TaskQuery,
    isDescending: boolean,
    after: number | null = null,
    effort: Pick<Effort, 'spend' | 'isSpent'> = UNBOUNDED,
  ): Generator<Listing | Pause, void, undefined> {
    const cursors = this.#cursorsOf(query, isDescending, effort)
    const start = after === null ? (isDescending ? Number.MAX_SAFE_INTEGER : 0) : after
    const from = after === null ? start : start + (isDescending ? -1 : 1)
    for (const serial of intersection(cursors, from, isDescending, effort)) {
      if (serial instanceof Pause) {
        yield serial
        continue
      }
      const listing = this.#examine(serial)
      // What a block says of times is a hint.
      if (listing.createdAt > query.createdAfter && listing.createdAt < query.createdBefore) yield listing
    }
  }

  /** How many match at most, as far as lists tell. */
  mostOf({ conditions }: TaskQuery): number {
    return Math.min(this.size, ...conditions.map((keys) => lengthOf(this.#listsOf(keys))))
  }

  /** The newest changes behind a place, whatever they are of. */
  changesBehind(place: ChangePlace | null, count: number): readonly Listing[] {
    const end = place === null ? this.#changes.length : this.#changeIndex(place)
    return this.#changes.slice(Math.max(0, end - count), end).reverse()
  }

  /** How many have changed since. */
  changesSince(since: number): number {
    return this.#changes.length - this.#changeIndex({ updatedAt: since, serial: 0 })
  }

  matches(query: TaskQuery, listing: Listing): boolean {
    this.#examined++
    return query.matches(listing, this.#blocks.textOf(listing.serial))
  }

  #examine(serial: number): Listing {
    this.#examined++
    return this.#listings.get(serial) as Listing
  }

  /** Shortest first; that of all serials comes first where nothing else is a list, so that there is an end. */
  #cursorsOf(
    { conditions, words, createdAfter, createdBefore }: TaskQuery,
    isDescending: boolean,
    effort: Pick<Effort, 'spend'>,
  ) {
    const unions = conditions
      .map((keys) => this.#listsOf(keys))
      .sort((a, b) => lengthOf(a) - lengthOf(b))
      .map((lists) => new UnionCursor(lists, isDescending))
    const cursors: SerialCursor[] = unions.length > 0 ? unions : [this.#serials.cursor(isDescending)]
    if (createdAfter > Number.NEGATIVE_INFINITY || createdBefore < Number.POSITIVE_INFINITY)
      cursors.push(this.#blocks.createdCursor(createdAfter, createdBefore, isDescending))
    if (words.length > 0) cursors.push(this.#blocks.textCursor(words, isDescending, effort))
    return cursors
  }

  #listsOf(keys: readonly string[]): SerialList[] {
    return keys.flatMap((key) => this.#byKey.get(key) ?? [])
  }

  #addKey(key: string, serial: number): void {
    let list = this.#byKey.get(key)
    if (!list) {
      list = new SerialList()
      this.#byKey.set(key, list)
    }
    list.add(serial)
  }

  #deleteKey(key: string, serial: number): void {
    const list = this.#byKey.get(key)
    list?.delete(serial)
    if (list?.length === 0) this.#byKey.delete(key)
  }

  #moveChange(before: Listing | undefined, after: Listing | undefined): void {
    if (before && after?.updatedAt === before.updatedAt) {
      this.#changes[this.#changeIndex(before)] = after
      return
    }
    if (before) this.#changes.splice(this.#changeIndex(before), 1)
    if (after) this.#changes.splice(this.#changeIndex(after), 0, after)
  }

  /** Of the first change that is not before the given place. */
  #changeIndex(place: ChangePlace): number {
    let low = 0
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareChanges(this.#changes[middle] as Listing, place) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

const lengthOf = (lists: readonly SerialList[]): number => lists.reduce((sum, { length }) => sum + length, 0)

export const compareChanges = (a: ChangePlace, b: ChangePlace): number =>
  a.updatedAt - b.updatedAt || a.serial - b.serial

/** Whether nothing has changed that listings are found by, but the time of their change. */
const isFoundAlike = (a: Listing, b: Listing): boolean =>
  a.status === b.status && a.name === b.name && JSON.stringify(a.labels) === JSON.stringify(b.labels)
