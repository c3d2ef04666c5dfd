import type { Cluster, Redis } from 'ioredis'
import type { TaskKey } from '../../task/task.ts'
import type { CurvesRead } from '../curve-store.ts'
import type { CurveChange } from '../event-log.ts'
import type { RedisKeys } from './keys.ts'
import { curvesReadOf } from './replies.ts'
import type { Scripts } from './scripts.ts'

/** Reads the curves of tasks; append.lua changes them. */
export class RedisCurves {
  readonly #redis: (Redis | Cluster) & Scripts
  readonly #keys: RedisKeys

  constructor(redis: (Redis | Cluster) & Scripts, keys: RedisKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  async read(key: TaskKey): Promise<CurvesRead | null> {
    const keys = this.#keys
    const reply = await this.#redis.epochcastReadCurves(keys.state(key), keys.log(key), keys.curves(key))
    return reply && curvesReadOf(reply)
  }

  async segments(key: TaskKey, names: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    return names.length === 0 ? [] : this.#redis.hmgetBuffer(this.#keys.curves(key), ...names)
  }
}

/** The last arguments of append.lua. */
export function curveArgs({ through, index, put, drop }: CurveChange): (string | number | Uint8Array)[] {
  const segments = put.flatMap(({ name, bytes }) => [name, asBuffer(bytes)])
  return [through, index, put.length, ...segments, ...drop]
}

/** ioredis sends only Buffers as they are. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)
