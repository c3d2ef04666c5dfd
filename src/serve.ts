import { type Logger, pino } from 'pino'
import { build as pretty } from 'pino-pretty'
import { type Config, readConfig } from './config.ts'
import { startServer } from './server.ts'

/**
 * Runs a server until SIGTERM or SIGINT.
 *
 * @param overrides settings of the command line, by the name of their environment variable
 * @throws ConfigError; and the error of listen, such as EADDRINUSE
 */
export async function serve(overrides: Readonly<Record<string, string>>): Promise<void> {
  const config = readConfig(overrides)
  const logger = createLogger(config)
  const server = await startServer(config, logger)

  const ended = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  logger.info(`GraphQL, GraphiQL and WebSocket at ${server.url}`)
  logger.info('no authentication: only this machine can reach the server')
  const signal = await ended
  // A second signal means "now": the default action is back.
  logger.info(`${signal}: ending trainers and connections`)
  await server.close()
  logger.info('stopped')
}

function createLogger({ logLevel: level }: Config): Logger {
  return process.stdout.isTTY
    ? pino({ level }, pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }))
    : pino({ level })
}
