import cluster from 'node:cluster'
import { destination, type Logger, pino } from 'pino'
import { build as pretty } from 'pino-pretty'
import { type Config, readConfig } from './config.ts'
import { escapedJson, visibleJson } from './log-lines.ts'
import { startServer } from './server.ts'
import type { WorkerSettings } from './worker.ts'
import { stopBoundMs, superviseWorkers } from './workers.ts'

/** Exit codes. */
const UNCAUGHT = 70
const NOT_STOPPED = 75

/**
 * Runs a server, or several that share a port, until SIGTERM or SIGINT, and ends gracefully; a second signal
 * ends it at once.
 *
 * @param overrides settings of the command line, by the name of their environment variable
 * @throws ConfigError; and the error of listen, such as EADDRINUSE
 */
export async function serve(overrides: Readonly<Record<string, string>>): Promise<void> {
  const config = readConfig(overrides)
  const worker = config.workers > 1 ? cluster.worker : undefined
  const logger = createLogger(config, worker?.id)
  endOnUncaught(logger)
  const stop = stopSignal(worker !== undefined)

  if (!worker) logger.info(authenticationOf(config))
  try {
    if (config.workers > 1 && !worker) {
      await superviseWorkers(config, { settings: overrides, logger, stop })
    } else {
      const server = await startServer(config, logger)
      logger.info(
        `dashboard at ${new URL('/', server.url)}; GraphQL, GraphiQL and WebSocket at ${server.url}`,
      )
      if (server.metricsUrl) logger.info(`metrics at ${server.metricsUrl}`)
      logger.info(`${await stop}: ending trainers and connections`)
      endAfter(stopBoundMs(config), logger)
      await server.close()
    }
    logger.info('stopped')
  } finally {
    // The channel to the supervisor would keep the process alive.
    worker?.disconnect()
  }
}

/**
 * Runs a worker until SIGTERM or SIGINT.
 *
 * @throws ConfigError
 */
export async function work(
  overrides: Readonly<Record<string, string>>,
  settings: WorkerSettings,
): Promise<void> {
  const config = readConfig(overrides)
  const logger = createLogger(config, undefined)
  endOnUncaught(logger)
  const stop = stopSignal(false)
  // A server does without what workers are made of.
  const { startWorker } = await import('./worker.ts')
  const worker = startWorker(config, settings, logger)
  logger.info(`${await stop}: ending trainers`)
  endAfter(stopBoundMs(config), logger)
  await worker.close()
  logger.info('stopped')
}

const AUTHENTICATION = {
  secrets: 'EPOCHCAST_JWT_SECRET',
  file: 'EPOCHCAST_JWT_PUBLIC_KEY',
  jwks: 'EPOCHCAST_JWKS_URL',
} as const

/** A worker leaves what a second signal means to its supervisor: Ctrl-C reaches both, and it passes its own on. */
function stopSignal(isWorker: boolean): Promise<NodeJS.Signals> {
  const signals = ['SIGTERM', 'SIGINT'] as const
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      resolve(signal)
      if (isWorker) return
      // The default action is back: the process ends at once, and its workers with it.
      for (const each of signals) process.off(each, stop)
    }
    for (const each of signals) process.on(each, stop)
  })
}

/** Nothing is known of the process's state then: it must not go on, and whoever started it is to notice. */
function endOnUncaught(logger: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (err: unknown) => {
      logger.fatal({ err }, `the process ends: ${event}`)
      process.exit(UNCAUGHT)
    })
  }
}

/** Ends the process where its stopping does not come to an end. */
function endAfter(boundMs: number, logger: Logger): void {
  const end = () => {
    logger.fatal(`not stopped within ${boundMs / 1000} s: the process ends as it is`)
    process.exit(NOT_STOPPED)
  }
  setTimeout(end, boundMs).unref()
}

function authenticationOf({ auth, allowAnonymous, host }: Config): string {
  if (auth) return `callers are known by tokens (${AUTHENTICATION[auth.keys.kind]})`
  return allowAnonymous
    ? `no authentication (EPOCHCAST_ALLOW_ANONYMOUS): whoever reaches ${host} on this port may do everything`
    : 'no authentication: only this machine can reach the server'
}

/** Nothing logs these on purpose; should an error or a library bring one along, it is left out. */
const SECRETS = ['authorization', 'cookie', 'headers', 'connectionParams', 'token', 'ticket', 'variables']
const REDACTED = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

function createLogger({ logLevel: level }: Config, worker: number | undefined): Logger {
  const bindings = worker === undefined ? {} : { worker }
  if (!process.stdout.isTTY)
    return pino({ level, redact: REDACTED }, escapedJson(destination(1))).child(bindings)
  const lines = pretty({
    ignore: 'pid,hostname,worker',
    messageFormat: '{if worker}worker {worker}: {end}{msg}',
    translateTime: 'SYS:HH:MM:ss',
    // What is left to say when the process ends would be lost.
    sync: true,
  })
  return pino({ level, redact: REDACTED }, visibleJson(lines)).child(bindings)
}
