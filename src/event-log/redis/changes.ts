import type { Cluster, Redis } from 'ioredis'
import { editIn } from '../../task/edit.ts'
import type { Position } from '../../task/position.ts'
import { channelOf, type TaskKey, type TaskState } from '../../task/task.ts'
import {
  type DropResult,
  type EditResult,
  type Snapshot,
  type StoredSnapshot,
  TOMBSTONE_MS,
} from '../event-log.ts'
import { listingOf, storedBytes } from '../listing.ts'
import type { RedisKeys } from './keys.ts'
import type { Scripts } from './scripts.ts'
import type { RedisTaskList } from './task-list.ts'
import { publishedDrop, publishedListing, type RedisWatches } from './watches.ts'

/** Changes of a task that are no events of its log. */
export class RedisChanges {
  readonly #redis: (Redis | Cluster) & Scripts
  readonly #keys: RedisKeys
  readonly #tasks: RedisTaskList
  readonly #watches: RedisWatches
  readonly #onError: (error: unknown) => void

  constructor(
    redis: (Redis | Cluster) & Scripts,
    keys: RedisKeys,
    {
      tasks,
      watches,
      onError,
    }: { tasks: RedisTaskList; watches: RedisWatches; onError: (error: unknown) => void },
  ) {
    this.#redis = redis
    this.#keys = keys
    this.#tasks = tasks
    this.#watches = watches
    this.#onError = onError
  }

  async edit(key: TaskKey, expected: StoredSnapshot, state: TaskState): Promise<EditResult> {
    const keys = this.#keys
    const { top } = expected
    const stateText = JSON.stringify(state)
    const revision = expected.revision + 1
    const bytes = expected.bytes + storedBytes(state) - storedBytes(expected.state)
    const listing = listingOf({ ...expected, state, revision, bytes })
    const outcome = await this.#redis.epochcastEdit(
      keys.state(key),
      expectedOf(top, expected.revision),
      top.offset,
      revision,
      stateText,
      keys.appended(key),
      JSON.stringify(editIn(state)),
      keys.changes,
      channelOf(key),
      keys.listings,
      publishedListing(listing),
    )
    if (outcome === 0) return { kind: 'conflict' }
    if (outcome === -1) return { kind: 'missing' }
    this.#watches.tellListing({ kind: 'listed', listing })
    return { kind: 'edited', snapshot: { ...expected, state, revision, bytes: outcome } }
  }

  async drop(key: TaskKey, { top, serial, state }: Snapshot): Promise<DropResult> {
    const keys = this.#keys
    const outcome = await this.#redis.epochcastDrop(
      keys.state(key),
      keys.log(key),
      keys.curves(key),
      keys.dropped(key),
      keys.output(key),
      top.generation,
      top.offset,
      state.spec.startId,
      TOMBSTONE_MS / 1000,
      keys.appended(key),
      keys.listings,
      publishedDrop(serial),
    )
    if (outcome !== 1) return { kind: outcome === 0 ? 'conflict' : 'missing' }
    this.#watches.tellListing({ kind: 'dropped', serial })
    // Where this fails, `list` passes over the entry, and takes it out after a while.
    await this.#tasks.drop(channelOf(key), serial).catch(this.#onError)
    return { kind: 'dropped' }
  }
}

/** The log and state that something was decided for, as scripts compare them. */
export const expectedOf = ({ generation }: Position, revision: number): string =>
  revision === 0 ? generation : `${generation}/${revision}`
