import type { TaskKey } from '../../task/task.ts'
import { storedChannelOf } from '../find-task.ts'

/**
 * Names in Redis. A task's keys share one hash tag, its channel, so that a script over them runs in a
 * Redis Cluster, too. Pub/sub knows no database numbers: what isolates installations on one Redis is
 * the key prefix, which the channels carry as well.
 */
export class RedisKeys {
  readonly #prefix: string

  constructor(keyPrefix: string) {
    this.#prefix = keyPrefix
  }

  /**
   * Hash: generation, top, serial, state; logBytes and curveBytes, about what the two take; listing, the bytes of the state
   * and the task's listing as it was published last, and listingBytes, what that takes; revision once the task was edited,
   * folded (offset of the last event that the curves contain), and previousGeneration and common once the log lost entries.
   * Of its output the same: outputGeneration, outputTop, outputOldest, outputBytes, outputState, outputPrevious, outputCommon.
   */
  state(key: TaskKey): string {
    return `${this.#prefix}epochcast:{${storedChannelOf(key)}}:state`
  }

  /** Stream with ids `offset-0`, the event as JSON in field `e`. */
  log(key: TaskKey): string {
    return `${this.#prefix}epochcast:{${storedChannelOf(key)}}:log`
  }

  /** Hash: the index of the task's curves in `index`, a segment's bytes under its name. */
  curves(key: TaskKey): string {
    return `${this.#prefix}epochcast:{${storedChannelOf(key)}}:curves`
  }

  /** Stream of the task's output with ids `offset of the first line-0`; the chunk's lines as JSON in `e`, their number in `n`. */
  output(key: TaskKey): string {
    return `${this.#prefix}epochcast:{${storedChannelOf(key)}}:output`
  }

  /** What names a task that was deleted under this key; kept for a while. */
  dropped(key: TaskKey): string {
    return `${this.#prefix}epochcast:{${storedChannelOf(key)}}:dropped`
  }

  /**
   * Channel on which servers tell each other what was appended. Not the task's public name: a Redis channel of
   * that name belongs to publishers and pages that were there before.
   */
  appended(key: TaskKey): string {
    return `${this.#prefix}epochcast:{${storedChannelOf(key)}}:appended`
  }

  /** Channel that names every task that changes. */
  get changes(): string {
    return `${this.#prefix}epochcast:changes`
  }

  /** Channel on which servers tell each other the listings of tasks. */
  get listings(): string {
    return `${this.#prefix}epochcast:listings`
  }

  /** Sorted sets from serial to channel. */
  get tasks(): string {
    return `${this.#prefix}epochcast:tasks`
  }

  get unfinished(): string {
    return `${this.#prefix}epochcast:unfinished`
  }

  /** Sorted set from the time (ms) at which a finished task's keys are gone to its channel. */
  get expiries(): string {
    return `${this.#prefix}epochcast:expiries`
  }

  /** Counts the tasks that were ever created. */
  get serial(): string {
    return `${this.#prefix}epochcast:serial`
  }

  /** Held for a time by one server; see `Leases`. */
  lease(name: string): string {
    return `${this.#prefix}epochcast:lease:${name}`
  }
}

/** The key of a task from its channel; ids have no colon, prefixes may. */
export function keyOfChannel(channel: string): TaskKey {
  const colon = channel.lastIndexOf(':')
  return { channelPrefix: channel.slice(0, colon), id: channel.slice(colon + 1) }
}
