import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import type { Logger } from 'pino'
import type { KeyAlgorithm } from '../auth-config.ts'
import { EpochcastError } from '../task/errors.ts'
import type { Keys } from './keys.ts'
import { verifiedByOneOf } from './secret-keys.ts'

export interface RemoteKeysOptions {
  readonly url: string
  readonly algorithms: readonly KeyAlgorithm[]
  /** Time after which keys are asked for again; those that are known go on meanwhile, and for as long as it fails. */
  readonly cacheMs: number
  readonly logger: Logger
  /** Shortest time between two requests, whatever tokens come. */
  readonly cooldownMs?: number
  readonly now?: () => number
}

/** However many come with keys that nobody knows. */
const COOLDOWN_MS = 10_000
const TIMEOUT_MS = 5000
const MAX_BYTES = 1024 * 1024

/**
 * The key set of whoever issues tokens (RFC 7517), as it is at present: it is asked for again when it is old, and when a
 * token comes with a key that is not among them. Where that fails, the known keys go on.
 */
export class RemoteKeys implements Keys {
  readonly #options: RemoteKeysOptions
  readonly #now: () => number
  #keys: ReturnType<typeof createLocalJWKSet> | null = null
  #askedAt = Number.NEGATIVE_INFINITY
  #fetchedAt = Number.NEGATIVE_INFINITY
  #refreshing: Promise<void> | null = null
  #isFailing = false
  readonly #closed = new AbortController()

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    void this.#refresh()
  }

  async verify(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    const bounded = { ...options, algorithms: [...this.#options.algorithms] }
    if (this.#keys === null) await this.#refreshIfDue()
    else if (this.#now() - this.#fetchedAt > this.#options.cacheMs) void this.#refreshIfDue()
    try {
      return await this.#verify(token, bounded)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      // A key may be new.
      await this.#refreshIfDue()
      return this.#verify(token, bounded)
    }
  }

  close(): void {
    this.#closed.abort()
  }

  async #verify(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    const keys = this.#keys
    if (keys === null) {
      throw new EpochcastError(
        'AUTHENTICATION_UNAVAILABLE',
        'the keys that tokens are checked by cannot be had at present; try again',
        { details: { retryAfterMs: this.#options.cooldownMs ?? COOLDOWN_MS } },
      )
    }
    try {
      return (await jwtVerify(token, keys, options)).payload
    } catch (error) {
      // A token that does not say which of several it was signed with.
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifiedByOneOf(token, error, options)
      throw error
    }
  }

  async #refreshIfDue(): Promise<void> {
    if (this.#refreshing) return this.#refreshing
    if (this.#now() - this.#askedAt < (this.#options.cooldownMs ?? COOLDOWN_MS)) return
    await this.#refresh()
  }

  #refresh(): Promise<void> {
    this.#askedAt = this.#now()
    this.#refreshing = this.#fetch()
      .then((keys) => this.#replace(keys))
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#refreshing = null
      })
    return this.#refreshing
  }

  #replace(keys: JSONWebKeySet): void {
    const { logger, url } = this.#options
    // Throws where it is none.
    this.#keys = createLocalJWKSet(keys)
    this.#fetchedAt = this.#now()
    if (this.#isFailing)
      logger.info({ url, keys: keys.keys.length }, 'the key set of tokens can be had again')
    this.#isFailing = false
  }

  /** Told once, and again when it is over. */
  #failed(err: unknown): void {
    if (this.#closed.signal.aborted || this.#isFailing) return
    this.#isFailing = true
    const { logger, url } = this.#options
    const what = this.#keys ? 'the known keys go on' : 'no token can be checked until it can be'
    logger.error({ err, url }, `the key set of tokens (EPOCHCAST_JWKS_URL) cannot be had; ${what}`)
  }

  async #fetch(): Promise<JSONWebKeySet> {
    const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#closed.signal])
    const response = await fetch(this.#options.url, {
      signal,
      redirect: 'error',
      headers: { accept: 'application/jwk-set+json, application/json' },
    })
    if (!response.ok) throw new Error(`the response has status ${response.status}; expected 200`)
    return JSON.parse(await textOf(response)) as JSONWebKeySet
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) throw new Error(`the response has more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
