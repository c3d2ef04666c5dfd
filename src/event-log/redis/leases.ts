import type { Cluster, Redis } from 'ioredis'
import type { RedisKeys } from './keys.ts'
import type { Scripts } from './scripts.ts'

/** Names that one server at a time holds, each a key that expires. */
export class RedisLeases {
  readonly #redis: (Redis | Cluster) & Scripts
  readonly #keys: RedisKeys

  constructor(redis: (Redis | Cluster) & Scripts, keys: RedisKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  async take(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return (await this.#redis.epochcastLease(this.#keys.lease(name), owner, ttlMs)) === 1
  }

  async isTaken(name: string): Promise<boolean> {
    return (await this.#redis.exists(this.#keys.lease(name))) === 1
  }
}
