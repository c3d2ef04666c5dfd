import type { Cluster, Redis } from 'ioredis'
import { NO_OUTPUT, type OutputState } from '../../task/output.ts'
import type { Position } from '../../task/position.ts'
import type { TaskKey } from '../../task/task.ts'
import type { LogExtent } from '../log-extent.ts'
import { outputChunks, readOutput } from '../output-chunks.ts'
import {
  OUTPUT_BOUNDS,
  type OutputAppend,
  type OutputAppendResult,
  type OutputBounds,
  type OutputLog,
  type OutputRead,
  type StoredOutput,
} from '../output-log.ts'
import type { PortErrors } from './errors.ts'
import type { RedisKeys } from './keys.ts'
import type { OutputReply } from './replies.ts'
import type { Scripts } from './scripts.ts'

/** A stream of chunks for each task, and where it stands in the hash of the task's state. */
export class RedisOutputLog implements OutputLog {
  readonly #redis: (Redis | Cluster) & Scripts
  readonly #keys: RedisKeys
  readonly #errors: PortErrors
  readonly #bounds: OutputBounds

  constructor(
    redis: (Redis | Cluster) & Scripts,
    keys: RedisKeys,
    errors: PortErrors,
    bounds: OutputBounds = OUTPUT_BOUNDS,
  ) {
    this.#redis = redis
    this.#keys = keys
    this.#errors = errors
    this.#bounds = bounds
  }

  async find(key: TaskKey): Promise<StoredOutput | null> {
    const reply = await this.#read(key, null, 0)
    const extent = reply && extentOf(reply)
    return extent && { extent, state: stateOf(reply) }
  }

  append(key: TaskKey, { expected, generation, state, texts }: OutputAppend): Promise<OutputAppendResult> {
    return this.#errors.translated(async () => {
      const before = expected?.offset ?? 0
      const outcome = await this.#redis.epochcastAppendOutput(
        this.#keys.state(key),
        this.#keys.output(key),
        expected?.generation ?? '',
        before,
        generation,
        JSON.stringify(state),
        this.#bounds.maxLines,
        this.#bounds.maxBytes,
        this.#keys.appended(key),
        ...outputChunks(texts, before).flatMap(({ count, text }) => [count, text]),
      )
      if (outcome === -1) return { kind: 'missing' }
      if (outcome === 0) return { kind: 'conflict' }
      const top = { generation, offset: before + texts.length }
      return { kind: 'appended', top, bytes: outcome }
    })
  }

  async read(key: TaskKey, after: Position | null, limit: number): Promise<OutputRead> {
    const reply = await this.#read(key, after, limit)
    if (!reply) return { kind: 'missing' }
    const extent = extentOf(reply)
    if (!extent) return { kind: 'none' }
    const [, , , , , , chunks] = reply
    return readOutput(extent, after, () => chunks.map(([first, text]) => ({ first: Number(first), text })))
  }

  #read(key: TaskKey, after: Position | null, limit: number): Promise<OutputReply | null> {
    return this.#errors.translated(() =>
      this.#redis.epochcastReadOutput(
        this.#keys.state(key),
        this.#keys.output(key),
        after?.offset ?? -1,
        limit,
      ),
    )
  }
}

function extentOf([generation, top, oldest, previous, common]: OutputReply): LogExtent | null {
  if (generation === '') return null
  return {
    generation,
    previous: previous === '' ? null : { generation: previous, offset: Number(common) },
    top: Number(top),
    oldest: Number(oldest),
  }
}

const stateOf = ([, , , , , state]: OutputReply): OutputState =>
  state === '' ? NO_OUTPUT : (JSON.parse(state) as OutputState)
