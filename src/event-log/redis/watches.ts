import type { TaskKey } from '../../task/task.ts'
import type { Watch, WatchSignal } from '../event-log.ts'
import type { Listing, ListingChange } from '../listing.ts'
import { type Announcements, announced, parsed } from './announcements.ts'
import { keyOfChannel, type RedisKeys } from './keys.ts'

/** What is published on the channel of listings. */
type PublishedListing = { readonly listed: Listing } | { readonly dropped: number }

export const publishedListing = (listing: Listing): string =>
  JSON.stringify({ listed: listing } satisfies PublishedListing)

export const publishedDrop = (serial: number): string =>
  JSON.stringify({ dropped: serial } satisfies PublishedListing)

/** What servers tell each other, as the ports have it. */
export class RedisWatches {
  readonly #announcements: Announcements
  readonly #keys: RedisKeys
  readonly #listingWatchers = new Set<(change: ListingChange) => void>()

  constructor(announcements: Announcements, keys: RedisKeys) {
    this.#announcements = announcements
    this.#keys = keys
  }

  /** Those that have not been closed, without those of listings. */
  get count(): number {
    return this.#announcements.size - this.#listingWatchers.size
  }

  watch(key: TaskKey, onSignal: (signal: WatchSignal) => void): Promise<Watch> {
    return this.#announcements.listen(this.#keys.appended(key), (signal) =>
      onSignal(signal.kind === 'message' ? announced(signal.text) : signal),
    )
  }

  watchAll(onChange: (key: TaskKey | null) => void): Promise<Watch> {
    return this.#announcements.listen(this.#keys.changes, (signal) => {
      if (signal.kind === 'message') onChange(keyOfChannel(signal.text))
      if (signal.kind === 'resumed') onChange(null)
    })
  }

  async watchListings(onChange: (change: ListingChange) => void): Promise<Watch> {
    const watcher = (change: ListingChange) => onChange(change)
    const watch = await this.#announcements.listen(this.#keys.listings, (signal) => {
      if (signal.kind === 'message') onChange(listingChange(signal.text))
      if (signal.kind === 'resumed') onChange({ kind: 'unknown' })
    })
    this.#listingWatchers.add(watcher)
    return {
      close: async () => {
        this.#listingWatchers.delete(watcher)
        await watch.close()
      },
    }
  }

  /** Tells this process at once what it wrote itself; it hears it again with all the others. */
  tellListing(change: ListingChange): void {
    for (const watcher of this.#listingWatchers) watcher(change)
  }

  close(): void {
    this.#announcements.close()
    this.#listingWatchers.clear()
  }
}

/** The listing in what was published; null where it has none. */
export function listedIn(text: string): Listing | null {
  const { listed } = (parsed(text) ?? {}) as Partial<{ listed: Listing }>
  return typeof listed?.serial === 'number' && typeof listed.id === 'string' ? listed : null
}

function listingChange(text: string): ListingChange {
  const { dropped } = (parsed(text) ?? {}) as Partial<{ dropped: number }>
  if (typeof dropped === 'number') return { kind: 'dropped', serial: dropped }
  const listing = listedIn(text)
  return listing ? { kind: 'listed', listing } : { kind: 'unknown' }
}
