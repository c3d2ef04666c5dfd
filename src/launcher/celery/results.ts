import type { Redis } from 'ioredis'
import { keptResult } from '../../task/foreign-result.ts'
import { jsonText, parseJson } from '../../task/json.ts'
import type { ProcessEnd } from '../../task/lifecycle.ts'
import { LIMITS } from '../../task/limits.ts'
import { lastCharacters } from '../../task/text.ts'
import { startIn } from './messages.ts'

/** Where Celery's Redis backend keeps the result of a task. */
const keyOf = (id: string): string => `celery-task-meta-${id}`

const READ_TOGETHER = 500
/** KEYS a result; ARGV its text. */
const REMOVE_IF_SAME = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`

/** Celery's result backend in Redis. Rejects with the errors of its connection. */
export class CeleryResults {
  readonly #redis: Redis

  constructor(redis: Redis) {
    this.#redis = redis
  }

  /** The results of some tasks after one another, in their order. */
  async *read(ids: readonly string[]): AsyncGenerator<Result | null> {
    for (let i = 0; i < ids.length; i += READ_TOGETHER) {
      const texts = await this.#redis.mget(ids.slice(i, i + READ_TOGETHER).map(keyOf))
      yield* texts.map(resultIn)
    }
  }

  async remove(id: string): Promise<void> {
    await this.#redis.del(keyOf(id))
  }

  /** Whether it is there still, or again. */
  async has(id: string, { text }: Result): Promise<boolean> {
    return (await this.#redis.get(keyOf(id))) === text
  }

  /** Unless another has taken its place. */
  async removeIfSame(id: string, { text }: Result): Promise<void> {
    await this.#redis.eval(REMOVE_IF_SAME, 1, keyOf(id), text)
  }
}

/** What a result says of a task. */
export type Result = Said & {
  /** As it is stored. */
  readonly text: string
  /** The start that it is of; null where its worker keeps no such thing. */
  readonly startId: string | null
}

type Said =
  | { readonly kind: 'unfinished'; readonly isStarted: boolean }
  | { readonly kind: 'ended'; readonly end: ProcessEnd }

interface Meta {
  readonly status?: unknown
  readonly parent_id?: unknown
  readonly result?: unknown
  readonly traceback?: unknown
}

/** A result as Celery's backend stores it, in JSON. Null where there is none that can be read. */
export function resultIn(text: string | null): Result | null {
  if (text === null) return null
  let meta: Meta | null
  try {
    meta = parseJson(text) as Meta | null
  } catch {
    return null
  }
  const said = meta && saidBy(meta)
  return said && { ...said, text, startId: startIn(meta?.parent_id) }
}

function saidBy(meta: Meta): Said | null {
  switch (meta.status) {
    case 'STARTED':
    case 'RETRY':
      return { kind: 'unfinished', isStarted: meta.status === 'STARTED' }
    case 'SUCCESS':
      return {
        kind: 'ended',
        end: {
          ...{ message: 'the Celery task returned', type: 'Returned', isSuccess: true },
          result: keptResult(meta.result) ?? null,
        },
      }
    case 'FAILURE':
      return { kind: 'ended', end: failureOf(meta) }
    case 'REVOKED':
      return { kind: 'ended', end: revokedOf(meta) }
    default:
      return null
  }
}

function failureOf({ result, traceback }: Meta): ProcessEnd {
  const { type, message } = exceptionOf(result)
  const words = typeof traceback === 'string' && traceback !== '' ? traceback.trimEnd() : message
  return { message: endOf(words || `the Celery task raised ${type}`), type }
}

function revokedOf({ result }: Meta): ProcessEnd {
  const { message } = exceptionOf(result)
  if (message === 'expired') {
    const words = 'the Celery task expired before a worker took it'
    return { message: words, type: 'Expired' }
  }
  return {
    message: `the Celery task was revoked${message && ` (${message})`}`,
    type: 'Revoked',
    isCancelled: true,
  }
}

function exceptionOf(result: unknown): { type: string; message: string } {
  const { exc_type: type, exc_message: words } = (result ?? {}) as {
    exc_type?: unknown
    exc_message?: unknown
  }
  return {
    type: typeof type === 'string' && type !== '' ? type.slice(0, LIMITS.errorTypeLength) : 'Exception',
    message: [words].flat().map(textOf).filter(Boolean).join(', '),
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value == null ? '' : (jsonText(value) ?? '')

/** A traceback says the most at its end. */
const endOf = (text: string): string => lastCharacters(text, LIMITS.errorLength)
