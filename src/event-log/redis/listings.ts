import type { Watch } from '../event-log.ts'
import type { Listing, ListingChange } from '../listing.ts'
import type { Announcements } from './announcements.ts'

/** What is published on the channel of listings. */
type PublishedListing = { readonly listed: Listing } | { readonly dropped: number }

export const publishedListing = (listing: Listing): string =>
  JSON.stringify({ listed: listing } satisfies PublishedListing)

export const publishedDrop = (serial: number): string =>
  JSON.stringify({ dropped: serial } satisfies PublishedListing)

/** The listings that servers tell each other. A process tells its own watchers at once, and hears itself again later. */
export class RedisListings {
  readonly #announcements: Announcements
  readonly #channel: string
  readonly #watchers = new Set<(change: ListingChange) => void>()

  constructor(announcements: Announcements, channel: string) {
    this.#announcements = announcements
    this.#channel = channel
  }

  get watchCount(): number {
    return this.#watchers.size
  }

  async watch(onChange: (change: ListingChange) => void): Promise<Watch> {
    const watcher = (change: ListingChange) => onChange(change)
    const watch = await this.#announcements.listen(this.#channel, (signal) => {
      if (signal.kind === 'message') onChange(parsed(signal.message))
      if (signal.kind === 'resumed') onChange({ kind: 'unknown' })
    })
    this.#watchers.add(watcher)
    return {
      close: async () => {
        this.#watchers.delete(watcher)
        await watch.close()
      },
    }
  }

  tell(change: ListingChange): void {
    for (const watcher of this.#watchers) watcher(change)
  }

  close(): void {
    this.#watchers.clear()
  }
}

function parsed(message: unknown): ListingChange {
  // RedisPubSub hands on as text what it cannot parse.
  const { listed, dropped } = (message ?? {}) as Partial<{ listed: Listing; dropped: number }>
  if (typeof dropped === 'number') return { kind: 'dropped', serial: dropped }
  if (typeof listed?.serial === 'number' && typeof listed.id === 'string')
    return { kind: 'listed', listing: listed }
  return { kind: 'unknown' }
}
