import { resolve } from 'node:path'
import { z } from 'zod'
import { type AuthConfig, authConfig, authSettings, checkAuth, hasTokenKeys } from './auth-config.ts'
import { type ClientLimits, clientLimits, clientSettings } from './client-limits.ts'
import { DEFAULT_DATA, type EngineConfig, engineOf } from './engine-config.ts'
import { isLoopback, isOrigin } from './loopback.ts'
import { type OperationConfig, operationConfig, operationSettings } from './operation-config.ts'
import { checkQueues, type QueueConfig, queueConfig, queueSettings, redisUrl } from './queue-config.ts'
import { expecting, flag, list, oneOf, seconds, text, webUrl, whole } from './setting.ts'
import { ENV_PATTERN, isEnvPattern, TrainerEnv } from './trainer-env.ts'

/** Everything that the environment decides; checked once, at start. */
export interface Config {
  readonly port: number
  readonly host: string
  /** Whether other machines may reach the server without authentication. */
  readonly allowAnonymous: boolean
  /** Server processes that share the port; more than one need Redis. */
  readonly workers: number
  readonly engine: EngineConfig
  /** In front of every key and channel in Redis. */
  readonly keyPrefix: string
  /** Longest wait for a reply of Redis. */
  readonly redisTimeoutMs: number
  /** Longest wait of a subscription that is opened while the engine is out of reach. */
  readonly engineWaitMs: number
  /** Log level of the server's own log. */
  readonly logLevel: string
  /** The first is the default. */
  readonly channelPrefixes: readonly string[]
  /** Path of the trainers' configuration; null for none. */
  readonly trainersFile: string | null
  /** Bytes of the metric histories that are stored of one task. */
  readonly curveBytes: number
  /** Origins of browser pages that may use the server, beside its own; `loopback` stands for all of this machine. */
  readonly allowedOrigins: readonly string[]
  /** Whether clients may ask for the schema. */
  readonly introspection: boolean
  /** Path of the manifest of the documents that alone are run; null for any document. */
  readonly trustedDocumentsFile: string | null
  /** Of trainingProgress, whose clients go on with a cursor. */
  readonly maxStreamMs: number
  /** Of taskProgress, taskUpdates and heartbeat; null for as long as their socket responds. */
  readonly maxStateStreamMs: number | null
  readonly retainEvents: number
  readonly retainSeconds: number
  readonly memoryBytes: number
  /** Bytes of the newest events that are kept of all watched tasks; of others, viewers read the log. */
  readonly feedBytes: number
  /** Bytes that tasks may take in Redis; null for as many as it takes itself. */
  readonly redisBytes: number | null
  /** Part of the bytes that unfinished tasks of one address may hold. */
  readonly storeShare: number
  /** Tasks that there may be in all: every server has each of them in its catalog. */
  readonly maxTasks: number
  /** Unfinished tasks that one address may have started; null for no bound, as of the two below. */
  readonly maxTasksPerAddress: number | null
  /** Trainings that one address may start in an hour. */
  readonly startsPerHour: number | null
  /** Reports that one task takes in a second. */
  readonly taskReportsPerSecond: number | null
  /** Bytes of all tasks in the data directory. */
  readonly dataBytes: number
  /** Whether what is acknowledged is on disk; otherwise a power cut may cost the newest, or all. */
  readonly fsync: boolean
  readonly stallMs: number
  readonly abandonMs: number
  /** Silence after which a server counts as gone, and the trainers it held with it. */
  readonly serverLeaseMs: number
  readonly maxBodyBytes: number
  readonly maxSubscriptionsPerSocket: number
  readonly maxSubscriptions: number
  /** Bytes that may wait in this process for one WebSocket; a reader that is slower catches up from the log. */
  readonly maxBufferedBytes: number
  /** Whether WebSocket messages are compressed (permessage-deflate) for clients that offer it. */
  readonly compression: boolean
  readonly keepAliveMs: number
  /** Time for a new WebSocket to send connection_init. */
  readonly connectionInitMs: number
  /** How long an HTTP connection may be idle; longer than load balancers keep theirs. */
  readonly httpKeepAliveMs: number
  /** By whose tokens callers are known; null where everybody may do everything. */
  readonly auth: AuthConfig | null
  /** Where people find the server, for links to it; null for the address it listens on. */
  readonly publicUrl: string | null
  /** What clients may have of the server, and whose word on their addresses is taken. */
  readonly clients: ClientLimits
  readonly localConcurrency: number
  readonly localQueue: number
  readonly stopGraceMs: number
  readonly killGraceMs: number
  /** What trainers get of this process's environment. */
  readonly trainerEnv: TrainerEnv
  /** What it has to do with queues and channels of others. */
  readonly queues: QueueConfig
  /** How it is run: stopped, watched, reached. */
  readonly operation: OperationConfig
}

/** Settings that cannot be used; for each the message names the variable, what was found and what was expected. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  /** Each in a text of its own; the message joins them with line breaks. */
  readonly problems: readonly string[]

  constructor(found: string | readonly string[], options?: ErrorOptions) {
    const problems = typeof found === 'string' ? [found] : found
    super(problems.join('\n'), options)
    this.problems = problems
  }
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * @param overrides what the command line says instead, by the name of the variable
 * @throws ConfigError with every problem; contradictions are looked for once each value is usable by itself
 */
export function readConfig(overrides: Env = {}, environment: Env = process.env): Config {
  const env = { ...environment, ...overrides }
  const { data: found, error } = variables.safeParse(env)
  if (error) {
    throw new ConfigError(error.issues.map(({ path, message }) => `${String(path[0])} ${message}`))
  }
  return Object.freeze<Config>({
    port: found.PORT,
    host: found.HOST,
    allowAnonymous: found.EPOCHCAST_ALLOW_ANONYMOUS,
    workers: found.EPOCHCAST_WORKERS,
    engine: engineOf(found.REDIS_URL, found.EPOCHCAST_DATA),
    keyPrefix: found.EPOCHCAST_KEY_PREFIX,
    redisTimeoutMs: found.EPOCHCAST_REDIS_TIMEOUT_SECONDS,
    engineWaitMs: found.EPOCHCAST_ENGINE_WAIT_SECONDS,
    logLevel: found.EPOCHCAST_LOG_LEVEL,
    channelPrefixes: found.EPOCHCAST_CHANNEL_PREFIXES,
    trainersFile: found.EPOCHCAST_TRAINERS,
    allowedOrigins: found.EPOCHCAST_ALLOWED_ORIGINS,
    introspection: found.EPOCHCAST_INTROSPECTION,
    trustedDocumentsFile: found.EPOCHCAST_TRUSTED_DOCUMENTS,
    maxStreamMs: found.EPOCHCAST_MAX_STREAM_SECONDS,
    maxStateStreamMs: found.EPOCHCAST_MAX_STATE_STREAM_SECONDS,
    retainEvents: found.EPOCHCAST_RETAIN_EVENTS,
    retainSeconds: found.EPOCHCAST_RETAIN_SECONDS,
    curveBytes: found.EPOCHCAST_CURVE_BYTES,
    memoryBytes: found.EPOCHCAST_MEMORY_BYTES,
    feedBytes: found.EPOCHCAST_FEED_BYTES,
    redisBytes: found.EPOCHCAST_REDIS_BYTES || null,
    storeShare: found.EPOCHCAST_STORE_SHARE / 100,
    maxTasks: found.EPOCHCAST_MAX_TASKS,
    maxTasksPerAddress: found.EPOCHCAST_MAX_TASKS_PER_ADDRESS || null,
    startsPerHour: found.EPOCHCAST_STARTS_PER_HOUR || null,
    taskReportsPerSecond: found.EPOCHCAST_TASK_REPORTS_PER_SECOND || null,
    dataBytes: found.EPOCHCAST_DATA_BYTES,
    fsync: found.EPOCHCAST_FSYNC,
    stallMs: found.EPOCHCAST_STALL_SECONDS,
    abandonMs: found.EPOCHCAST_ABANDON_SECONDS,
    serverLeaseMs: found.EPOCHCAST_SERVER_LEASE_SECONDS,
    maxBodyBytes: found.EPOCHCAST_MAX_BODY_BYTES,
    maxSubscriptionsPerSocket: found.EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET,
    maxSubscriptions: found.EPOCHCAST_MAX_SUBSCRIPTIONS,
    maxBufferedBytes: found.EPOCHCAST_MAX_BUFFERED_BYTES,
    compression: found.EPOCHCAST_COMPRESSION,
    keepAliveMs: found.EPOCHCAST_KEEP_ALIVE_SECONDS,
    connectionInitMs: found.EPOCHCAST_CONNECTION_INIT_SECONDS,
    httpKeepAliveMs: found.EPOCHCAST_HTTP_KEEP_ALIVE_SECONDS,
    auth: authConfig(found),
    publicUrl: found.EPOCHCAST_PUBLIC_URL,
    clients: clientLimits(found),
    localConcurrency: found.EPOCHCAST_LOCAL_CONCURRENCY,
    localQueue: found.EPOCHCAST_LOCAL_QUEUE,
    stopGraceMs: found.EPOCHCAST_STOP_GRACE_SECONDS,
    killGraceMs: found.EPOCHCAST_KILL_GRACE_SECONDS,
    trainerEnv: new TrainerEnv(env, found.EPOCHCAST_TRAINER_ENV),
    queues: queueConfig(found),
    operation: operationConfig(found),
  })
}

const prefixes = (fallback: string) => {
  const expected =
    'a comma-separated list of prefixes such as gan:training, each of letters, digits and . _ - : and at most 64 characters long'
  const prefix = z
    .string()
    .max(64, expecting(expected, 'has'))
    .regex(/^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)*$/, expecting(expected, 'has'))
  const none = { abort: true, error: `has ""; expected ${expected}` }
  return list(fallback).pipe(z.array(prefix).min(1, none).readonly())
}

const origins = (fallback: string) => {
  const expected = 'loopback, or origins such as https://app.example, without a path or a slash at the end'
  return list(fallback).pipe(z.array(z.string().refine(isOrigin, expecting(expected, 'has'))).readonly())
}

/** Names, defaults and bounds. The helpers above are constants, so that this must come after them. */
const variables = z
  .object({
    PORT: whole(4000, 0, 65_535),
    HOST: text('127.0.0.1'),
    REDIS_URL: redisUrl(),
    EPOCHCAST_DATA: text(DEFAULT_DATA),
    EPOCHCAST_DATA_BYTES: whole(10 * 1024 ** 3, 1_048_576, 2 ** 50),
    EPOCHCAST_FSYNC: flag('1'),
    EPOCHCAST_ALLOW_ANONYMOUS: flag(),
    EPOCHCAST_WORKERS: whole(1, 1, 64),
    EPOCHCAST_KEY_PREFIX: text('').refine(
      (found) => /^[A-Za-z0-9_.:-]{0,64}$/.test(found),
      expecting('at most 64 letters, digits and . _ - :'),
    ),
    EPOCHCAST_REDIS_TIMEOUT_SECONDS: seconds(3, 0.1, 60),
    EPOCHCAST_ENGINE_WAIT_SECONDS: seconds(30, 0, 3600),
    EPOCHCAST_LOG_LEVEL: oneOf('info', ['debug', 'info', 'warn', 'error', 'silent']),
    EPOCHCAST_CHANNEL_PREFIXES: prefixes('gan:training,ml:training,llm:training'),
    EPOCHCAST_TRAINERS: z
      .string()
      .optional()
      .transform((path) => path || null),
    EPOCHCAST_ALLOWED_ORIGINS: origins('loopback'),
    EPOCHCAST_INTROSPECTION: flag('1'),
    EPOCHCAST_TRUSTED_DOCUMENTS: text('').transform((path) => path || null),
    EPOCHCAST_TRAINER_ENV: list('').refine((names) => names.every(isEnvPattern), {
      // Not what was found: where a value was given along with a name, it may be a secret.
      error: `has something that is no name; expected ${ENV_PATTERN}`,
      abort: true,
    }),
    EPOCHCAST_MAX_STREAM_SECONDS: seconds(7200, 1, 604_800),
    EPOCHCAST_MAX_STATE_STREAM_SECONDS: seconds(0, 0, 604_800).transform((ms) => ms || null),
    EPOCHCAST_RETAIN_EVENTS: whole(10_000, 1, 10_000_000),
    EPOCHCAST_RETAIN_SECONDS: whole(604_800, 1, 315_360_000),
    EPOCHCAST_CURVE_BYTES: whole(8 * 1024 * 1024, 262_144, 1024 ** 3),
    EPOCHCAST_MEMORY_BYTES: whole(268_435_456, 65_536, 2 ** 40),
    EPOCHCAST_FEED_BYTES: whole(64 * 1024 ** 2, 65_536, 2 ** 40),
    EPOCHCAST_REDIS_BYTES: whole(0, 0, 2 ** 50),
    EPOCHCAST_STORE_SHARE: whole(90, 1, 100),
    EPOCHCAST_MAX_TASKS: whole(500_000, 1, 100_000_000),
    EPOCHCAST_MAX_TASKS_PER_ADDRESS: whole(10_000, 0, 10_000_000),
    EPOCHCAST_STARTS_PER_HOUR: whole(36_000, 0, 10_000_000),
    EPOCHCAST_TASK_REPORTS_PER_SECOND: whole(200_000, 0, 10_000_000),
    EPOCHCAST_STALL_SECONDS: seconds(120, 1, 86_400),
    EPOCHCAST_ABANDON_SECONDS: seconds(86_400, 1, 31_536_000),
    EPOCHCAST_SERVER_LEASE_SECONDS: seconds(15, 0.5, 3600),
    EPOCHCAST_MAX_BODY_BYTES: whole(1_048_576, 1024, 2 ** 30),
    EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET: whole(128, 1, 65_536),
    EPOCHCAST_MAX_SUBSCRIPTIONS: whole(20_000, 1, 10_000_000),
    EPOCHCAST_MAX_BUFFERED_BYTES: whole(65_536, 4096, 16_777_216),
    EPOCHCAST_COMPRESSION: flag(),
    EPOCHCAST_KEEP_ALIVE_SECONDS: seconds(12, 1, 3600),
    EPOCHCAST_CONNECTION_INIT_SECONDS: seconds(10, 0.1, 3600),
    EPOCHCAST_HTTP_KEEP_ALIVE_SECONDS: seconds(65, 1, 3600),
    ...clientSettings,
    ...operationSettings,
    ...queueSettings,
    EPOCHCAST_LOCAL_CONCURRENCY: whole(2, 1, 256),
    EPOCHCAST_LOCAL_QUEUE: whole(100, 0, 100_000),
    EPOCHCAST_STOP_GRACE_SECONDS: seconds(30, 0, 86_400),
    EPOCHCAST_KILL_GRACE_SECONDS: seconds(10, 0, 3600),
    ...authSettings,
    EPOCHCAST_PUBLIC_URL: webUrl(),
  })
  .superRefine((found, context) => {
    const refuse = (name: keyof typeof found, message: string) =>
      context.addIssue({ code: 'custom', path: [name], message })
    checkAuth(found, refuse)
    checkQueues(found, refuse)
    const hasAuth = hasTokenKeys(found)
    if (hasAuth && found.EPOCHCAST_ALLOW_ANONYMOUS) {
      refuse('EPOCHCAST_ALLOW_ANONYMOUS', 'is 1, but authentication is configured; expected one of them')
    }
    if (!isLoopback(found.HOST) && !hasAuth && !found.EPOCHCAST_ALLOW_ANONYMOUS) {
      refuse(
        'HOST',
        `is ${JSON.stringify(found.HOST)}, which other machines can reach, and no authentication is configured; expected a loopback address such as 127.0.0.1, or EPOCHCAST_JWT_SECRET, EPOCHCAST_JWT_PUBLIC_KEY or EPOCHCAST_JWKS_URL, or EPOCHCAST_ALLOW_ANONYMOUS=1: whoever reaches the port may then do everything, so only behind something that authenticates`,
      )
    }
    const [set, unset] = found.EPOCHCAST_TLS_CERT
      ? (['EPOCHCAST_TLS_CERT', 'EPOCHCAST_TLS_KEY'] as const)
      : (['EPOCHCAST_TLS_KEY', 'EPOCHCAST_TLS_CERT'] as const)
    if (found[set] && !found[unset]) refuse(unset, `is not set, but ${set} is; expected both, or neither`)
    if (found.EPOCHCAST_WORKERS > 1 && found.REDIS_URL === null) {
      refuse(
        'EPOCHCAST_WORKERS',
        `is ${found.EPOCHCAST_WORKERS}, but REDIS_URL is not set; expected REDIS_URL, as a data directory, and the memory engine, belong to one process`,
      )
    }
  })

/** @param given what the command line says instead of EPOCHCAST_DATA */
export const dataDirectoryOf = (given: string | undefined, env: Env = process.env): string =>
  resolve(given || env.EPOCHCAST_DATA?.trim() || DEFAULT_DATA)
