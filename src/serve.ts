import cluster from 'node:cluster'
import { destination, type Logger, pino } from 'pino'
import { build as pretty } from 'pino-pretty'
import { type Config, readConfig } from './config.ts'
import { escapedJson, visibleJson } from './log-lines.ts'
import { startServer } from './server.ts'
import { superviseWorkers } from './workers.ts'

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
  const stop = stopSignal(worker !== undefined)

  if (!worker) logger.info(authenticationOf(config))
  try {
    if (config.workers > 1 && !worker) {
      await superviseWorkers(config, { settings: overrides, logger, stop })
    } else {
      const server = await startServer(config, logger)
      logger.info(`GraphQL, GraphiQL and WebSocket at ${server.url}`)
      logger.info(`${await stop}: ending trainers and connections`)
      await server.close()
    }
    logger.info('stopped')
  } finally {
    // The channel to the supervisor would keep the process alive.
    worker?.disconnect()
  }
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

function authenticationOf({ auth, allowAnonymous, host }: Config): string {
  if (auth) return `callers are known by tokens (${AUTHENTICATION[auth.keys.kind]})`
  return allowAnonymous
    ? `no authentication (EPOCHCAST_ALLOW_ANONYMOUS): whoever reaches ${host} on this port may do everything`
    : 'no authentication: only this machine can reach the server'
}

function createLogger({ logLevel: level }: Config, worker: number | undefined): Logger {
  const bindings = worker === undefined ? {} : { worker }
  if (!process.stdout.isTTY) return pino({ level }, escapedJson(destination(1))).child(bindings)
  const lines = pretty({
    ignore: 'pid,hostname,worker',
    messageFormat: '{if worker}worker {worker}: {end}{msg}',
    translateTime: 'SYS:HH:MM:ss',
  })
  return pino({ level }, visibleJson(lines)).child(bindings)
}
