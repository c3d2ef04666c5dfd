import type { Server as HttpServer } from 'node:http'
import { type Server, Server as TlsServer } from 'node:https'
import type { Logger } from 'pino'
import { type Config, ConfigError } from './config.ts'
import { readTlsFiles, reloadTlsFiles, type TlsFiles, TlsFilesError } from './transport/tls-files.ts'

/**
 * Certificate and key, where the server speaks TLS itself.
 *
 * @throws ConfigError where they cannot be used
 */
export function tlsFilesOf({ operation: { tls } }: Config): TlsFiles | null {
  try {
    return tls && readTlsFiles(tls)
  } catch (error) {
    if (!(error instanceof TlsFilesError)) throw error
    throw new ConfigError(error.message, { cause: error })
  }
}

/** Has a server use what the files have later, as long as it is open. `used` is what it was given. */
export function reloadTls(
  server: HttpServer,
  { operation: { tls } }: Config,
  used: TlsFiles | null,
  logger: Logger,
): { close(): void } {
  if (!tls || !used || !(server instanceof TlsServer)) return { close: () => {} }
  const close = reloadTlsFiles(server as Server, tls, used, {
    onReloaded: (validTo) => logger.info({ validTo }, `another certificate is in use (${tls.certFile})`),
    onFailed: ({ message }) =>
      logger.error(`${message}; the certificate that was there before is still in use`),
  })
  return { close }
}
