import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface MetricsServerOptions {
  readonly host: string
  readonly port: number
  /** Prometheus's text format. */
  readonly text: () => Promise<string>
  readonly isReady: () => Promise<boolean>
  readonly onError: (error: unknown) => void
}

export interface MetricsServer {
  /** Of the metrics. */
  readonly url: string
  close(): Promise<void>
}

export const METRICS_PATH = '/metrics'
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
/** Whoever scrapes has one. */
const MAX_CONNECTIONS = 64
const MAX_HEADERS_BYTES = 8192
const REQUEST_MS = 10_000

/**
 * A port of its own for those that watch over the server: its metrics, and `/health` and `/ready` as on the main port.
 *
 * @throws the error of listen, such as EADDRINUSE
 */
export async function serveMetrics(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(
    { maxHeaderSize: MAX_HEADERS_BYTES, requestTimeout: REQUEST_MS },
    (request, response) => {
      const path = request.url?.split('?')[0]
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return respond(response, 405, 'expected GET\n')
      switch (path) {
        case METRICS_PATH:
          return respondMetrics(response, options)
        case '/health':
          return respond(response, 200, 'alive\n')
        case '/ready':
          return void options.isReady().then(
            (ready) => respond(response, ready ? 200 : 503, ready ? 'ready\n' : 'not ready\n'),
            () => respond(response, 503, 'not ready\n'),
          )
        default:
          return respond(response, 404, `there is nothing here; metrics are at ${METRICS_PATH}\n`)
      }
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  await listen(server, options)
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}${METRICS_PATH}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Metrics as every port gives them; a failure is told to the log and not to the one who asks. */
export function respondMetrics(
  response: ServerResponse,
  { text, onError }: Pick<MetricsServerOptions, 'text' | 'onError'>,
): void {
  text().then(
    (metrics) => respond(response, 200, metrics, METRICS_TYPE),
    (error) => {
      onError(error)
      respond(response, 500, 'the metrics could not be read; the log of the server tells more\n')
    },
  )
}

function respond(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}

function listen(server: Server, { host, port }: MetricsServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
