import { isLoopback } from './loopback.ts'
import { parseRedisUrl } from './redis-url.ts'

/** Everything that the environment decides; checked once, at start. */
export interface Config {
  readonly port: number
  readonly host: string
  /** Whether other machines may reach the server although it asks nobody who they are. */
  readonly allowAnonymous: boolean
  /** Server processes that share the port; more than one need Redis. */
  readonly workers: number
  /** Where Redis is; null for the memory engine. */
  readonly redisUrl: string | null
  /** In front of every key and channel in Redis. */
  readonly keyPrefix: string
  /** Longest wait for an answer of Redis. */
  readonly redisTimeoutMs: number
  /** Log level of the server's own log. */
  readonly logLevel: string
  /** The first is the default. */
  readonly channelPrefixes: readonly string[]
  /** Path of the trainers' configuration; null for none. */
  readonly trainersFile: string | null
  /** Origins of browser pages that may use the server, beside its own; `loopback` stands for all of this machine. */
  readonly allowedOrigins: readonly string[]
  readonly maxStreamMs: number
  readonly retainEvents: number
  readonly retainSeconds: number
  readonly memoryBytes: number
  readonly stallMs: number
  readonly abandonMs: number
  /** Silence after which a server counts as gone, and the trainers it held with it. */
  readonly serverLeaseMs: number
  readonly maxBodyBytes: number
  readonly maxSubscriptionsPerSocket: number
  readonly maxSubscriptions: number
  /** Bytes that may wait in this process for one WebSocket; a reader who is slower catches up from the log. */
  readonly maxBufferedBytes: number
  /** Whether WebSocket messages are compressed (permessage-deflate) for clients that offer it. */
  readonly compression: boolean
  readonly keepAliveMs: number
  readonly localConcurrency: number
  readonly localQueue: number
  readonly stopGraceMs: number
  readonly killGraceMs: number
  /** What trainers get of this process's environment: all but Epochcast's own settings and secrets. */
  readonly trainerEnv: Readonly<Record<string, string>>
}

/** A setting that cannot be used; the message names the variable, what was found and what was expected. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * @param overrides what the command line says instead, by the name of the variable
 * @throws ConfigError
 */
export function readConfig(overrides: Env = {}, environment: Env = process.env): Config {
  const env = { ...environment, ...overrides }
  const host = text(env, 'HOST', '127.0.0.1')
  refuseWhatIsNotThereYet(env)
  const allowAnonymous = oneOf(env, 'EPOCHCAST_ALLOW_ANONYMOUS', '0', ['0', '1']) === '1'
  if (!isLoopback(host) && !allowAnonymous) {
    throw new ConfigError(
      `HOST is ${JSON.stringify(host)}, which other machines can reach, and no authentication is configured; expected a loopback address such as 127.0.0.1, or EPOCHCAST_ALLOW_ANONYMOUS=1: whoever reaches the port may then do everything, so only behind something that authenticates`,
    )
  }
  const workers = whole(env, 'EPOCHCAST_WORKERS', 1, 1, 64)
  if (workers > 1 && redisUrl(env) === null) {
    throw new ConfigError(
      `EPOCHCAST_WORKERS is ${workers}, but REDIS_URL is not set; expected REDIS_URL, as the memory engine belongs to one process`,
    )
  }
  const localConcurrency = whole(env, 'EPOCHCAST_LOCAL_CONCURRENCY', 2, 1, 256)
  return Object.freeze<Config>({
    port: whole(env, 'PORT', 4000, 0, 65_535),
    host,
    allowAnonymous,
    workers,
    redisUrl: redisUrl(env),
    keyPrefix: keyPrefix(env),
    redisTimeoutMs: seconds(env, 'EPOCHCAST_REDIS_TIMEOUT_SECONDS', 3, 0.1, 60),
    logLevel: oneOf(env, 'EPOCHCAST_LOG_LEVEL', 'info', ['debug', 'info', 'warn', 'error', 'silent']),
    channelPrefixes: prefixes(env, 'EPOCHCAST_CHANNEL_PREFIXES', 'gan:training,ml:training,llm:training'),
    trainersFile: env.EPOCHCAST_TRAINERS || null,
    allowedOrigins: list(text(env, 'EPOCHCAST_ALLOWED_ORIGINS', 'loopback')),
    maxStreamMs: seconds(env, 'EPOCHCAST_MAX_STREAM_SECONDS', 7200, 1, 604_800),
    retainEvents: whole(env, 'EPOCHCAST_RETAIN_EVENTS', 10_000, 1, 10_000_000),
    retainSeconds: whole(env, 'EPOCHCAST_RETAIN_SECONDS', 604_800, 1, 315_360_000),
    memoryBytes: whole(env, 'EPOCHCAST_MEMORY_BYTES', 268_435_456, 65_536, 2 ** 40),
    stallMs: seconds(env, 'EPOCHCAST_STALL_SECONDS', 120, 1, 86_400),
    abandonMs: seconds(env, 'EPOCHCAST_ABANDON_SECONDS', 86_400, 1, 31_536_000),
    serverLeaseMs: seconds(env, 'EPOCHCAST_SERVER_LEASE_SECONDS', 15, 0.5, 3600),
    maxBodyBytes: whole(env, 'EPOCHCAST_MAX_BODY_BYTES', 1_048_576, 1024, 2 ** 30),
    maxSubscriptionsPerSocket: whole(env, 'EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET', 128, 1, 65_536),
    maxSubscriptions: whole(env, 'EPOCHCAST_MAX_SUBSCRIPTIONS', 20_000, 1, 10_000_000),
    maxBufferedBytes: whole(env, 'EPOCHCAST_MAX_BUFFERED_BYTES', 65_536, 4096, 16_777_216),
    compression: oneOf(env, 'EPOCHCAST_COMPRESSION', '0', ['0', '1']) === '1',
    keepAliveMs: seconds(env, 'EPOCHCAST_KEEP_ALIVE_SECONDS', 12, 1, 3600),
    localConcurrency,
    localQueue: whole(env, 'EPOCHCAST_LOCAL_QUEUE', 100, 0, 100_000),
    stopGraceMs: seconds(env, 'EPOCHCAST_STOP_GRACE_SECONDS', 30, 0, 86_400),
    killGraceMs: seconds(env, 'EPOCHCAST_KILL_GRACE_SECONDS', 10, 0, 3600),
    trainerEnv: Object.freeze(withoutOwnSettings(env)),
  })
}

/** Settings of the design that this version does not serve must not be taken for granted. */
function refuseWhatIsNotThereYet(env: Env): void {
  for (const name of ['EPOCHCAST_JWT_SECRET', 'EPOCHCAST_JWKS_URL']) {
    if (env[name]) {
      throw new ConfigError(
        `${name} is set, but this version does not support it yet; expected it to be unset`,
      )
    }
  }
}

function text(env: Env, name: string, fallback: string): string {
  return env[name]?.trim() || fallback
}

function whole(env: Env, name: string, fallback: number, min: number, max: number): number {
  const found = text(env, name, String(fallback))
  const value = /^\d+$/.test(found) ? Number(found) : Number.NaN
  if (value >= min && value <= max) return value
  throw new ConfigError(`${name} is ${JSON.stringify(found)}; expected a whole number from ${min} to ${max}`)
}

/** A setting in seconds (fractions allowed), as milliseconds. */
function seconds(env: Env, name: string, fallback: number, min: number, max: number): number {
  const found = text(env, name, String(fallback))
  const value = /^\d+(\.\d+)?$/.test(found) ? Number(found) : Number.NaN
  if (value >= min && value <= max) return Math.round(value * 1000)
  throw new ConfigError(`${name} is ${JSON.stringify(found)}; expected seconds from ${min} to ${max}`)
}

function oneOf(env: Env, name: string, fallback: string, expected: readonly string[]): string {
  const found = text(env, name, fallback)
  if (expected.includes(found)) return found
  throw new ConfigError(`${name} is ${JSON.stringify(found)}; expected one of ${expected.join(', ')}`)
}

const list = (found: string): string[] =>
  found
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

function prefixes(env: Env, name: string, fallback: string): readonly string[] {
  const found = list(text(env, name, fallback))
  const bad = found.find(
    (prefix) => !/^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)*$/.test(prefix) || prefix.length > 64,
  )
  if (bad !== undefined || found.length === 0) {
    throw new ConfigError(
      `${name} has ${JSON.stringify(bad ?? '')}; expected a comma-separated list of prefixes such as gan:training, each of letters, digits and . _ - : and at most 64 characters long`,
    )
  }
  return Object.freeze(found)
}

function redisUrl(env: Env): string | null {
  const found = text(env, 'REDIS_URL', '')
  if (found === '') return null
  try {
    parseRedisUrl(found)
    return found
  } catch (error) {
    // Not the value: it may hold a password.
    throw new ConfigError(`REDIS_URL cannot be used; ${(error as Error).message}`)
  }
}

function keyPrefix(env: Env): string {
  const found = text(env, 'EPOCHCAST_KEY_PREFIX', '')
  if (/^[A-Za-z0-9_.:-]{0,64}$/.test(found)) return found
  throw new ConfigError(
    `EPOCHCAST_KEY_PREFIX is ${JSON.stringify(found)}; expected at most 64 letters, digits and . _ - :`,
  )
}

function withoutOwnSettings(env: Env): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && name !== 'REDIS_URL' && !name.startsWith('EPOCHCAST_')) kept[name] = value
  }
  return kept
}
