import type { Position } from '../task/position.ts'
import { channelOf, type TaskKey } from '../task/task.ts'
import type { LogEntry, Watch, WatchSignal } from './event-log.ts'
import type { ListingChange } from './listing.ts'
import { ownCopy } from './own-copy.ts'

/** The log that something happened to. */
interface Log {
  readonly key: TaskKey
  /** Of its newest event. */
  readonly position: Position
}

/** Who listens to an engine that is in this process alone; all are told at once. */
export class MemoryWatches {
  readonly #ofTask = new Map<string, Set<(signal: WatchSignal) => void>>()
  readonly #ofAll = new Set<(key: TaskKey) => void>()
  readonly #ofListings = new Set<(change: ListingChange) => void>()

  /** Those that have not been closed, without those of listings. */
  get count(): number {
    let count = this.#ofAll.size
    for (const watchers of this.#ofTask.values()) count += watchers.size
    return count
  }

  watch(key: TaskKey, onSignal: (signal: WatchSignal) => void): Watch {
    const channel = channelOf(key)
    const watchers = this.#ofTask.get(channel) ?? new Set()
    this.#ofTask.set(channel, watchers)
    // A function of its own, so that one listener given twice counts twice.
    const watcher = (signal: WatchSignal) => onSignal(signal)
    watchers.add(watcher)
    return {
      close: async () => {
        watchers.delete(watcher)
        if (watchers.size === 0 && this.#ofTask.get(channel) === watchers) this.#ofTask.delete(channel)
      },
    }
  }

  watchAll(onChange: (key: TaskKey) => void): Watch {
    return added(this.#ofAll, (key: TaskKey) => onChange(key))
  }

  watchListings(onChange: (change: ListingChange) => void): Watch {
    return added(this.#ofListings, (change: ListingChange) => onChange(change))
  }

  tellAppended(log: Log, entries: readonly LogEntry[]): void {
    for (const watcher of this.#ofTask.get(channelOf(log.key)) ?? []) {
      const own = entries.map(({ offset, event }) => ({ offset, event: ownCopy(event) }))
      watcher({ kind: 'appended', top: log.position, entries: own })
    }
    for (const watcher of this.#ofAll) watcher(log.key)
  }

  tellEdited(log: Log, signal: Extract<WatchSignal, { kind: 'edited' }>): void {
    for (const watcher of this.#ofTask.get(channelOf(log.key)) ?? []) watcher(signal)
    for (const watcher of this.#ofAll) watcher(log.key)
  }

  tellOutput(key: TaskKey, top: Position): void {
    for (const watcher of this.#ofTask.get(channelOf(key)) ?? []) watcher({ kind: 'output', top })
  }

  tellDropped(key: TaskKey): void {
    for (const watcher of this.#ofTask.get(channelOf(key)) ?? []) watcher({ kind: 'dropped' })
  }

  tellListing(change: ListingChange): void {
    for (const watcher of this.#ofListings) watcher(change)
  }

  close(): void {
    for (const watchers of [this.#ofTask, this.#ofAll, this.#ofListings]) watchers.clear()
  }
}

function added<T>(watchers: Set<T>, watcher: T): Watch {
  watchers.add(watcher)
  return {
    close: async () => {
      watchers.delete(watcher)
    },
  }
}
