import type { z } from 'zod'
import { type OutputConfig, outputConfig, outputSettings } from './output-config.ts'
import { expecting, flag, optionalWhole, seconds, text } from './setting.ts'

/** How the server is run: how it stops, what it shows of itself, how it is reached. */
export interface OperationConfig {
  /** From the signal to stop until the port is closed: time for load balancers to notice that it is not ready. */
  readonly stopDelayMs: number
  /** Longest time over which sockets and event streams are closed, and for which requests under way are awaited. */
  readonly drainMs: number
  /** The port of metrics and probes; null for none, 0 for any. */
  readonly metricsPort: number | null
  readonly metricsHost: string
  /** Files with the certificate and its key, where the server speaks TLS itself. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null
  /** Where spans are sent, as OTLP over HTTP; null where there are none. */
  readonly tracingEndpoint: string | null
  /** What local trainers are given as the place to report to; null for the server's own port. */
  readonly reportUrl: string | null
  readonly output: OutputConfig
}

const httpUrl = (expected: string) => {
  const isHttp = (found: string) => found === '' || (/^https?:\/\//.test(found) && URL.canParse(found))
  return text('')
    .refine(isHttp, expecting(expected))
    .transform((found) => found || null)
}

/** Of a collector on this machine, by its standard port. */
const DEFAULT_COLLECTOR = 'http://localhost:4318'

/** Names, defaults and bounds. */
export const operationSettings = {
  EPOCHCAST_STOP_DELAY_SECONDS: seconds(0, 0, 600),
  EPOCHCAST_DRAIN_SECONDS: seconds(5, 0, 600),
  EPOCHCAST_METRICS_PORT: optionalWhole(0, 65_535),
  EPOCHCAST_METRICS_HOST: text('127.0.0.1'),
  EPOCHCAST_TLS_CERT: text(''),
  EPOCHCAST_TLS_KEY: text(''),
  EPOCHCAST_REPORT_URL: httpUrl('the URL of the GraphQL endpoint, such as https://epochcast.example/graphql'),
  EPOCHCAST_TRACING: flag(),
  ...outputSettings,
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl(
    'the URL of an OpenTelemetry collector, such as http://localhost:4318',
  ),
}

type Found = { readonly [Name in keyof typeof operationSettings]: z.infer<(typeof operationSettings)[Name]> }

export const operationConfig = (found: Found): OperationConfig => ({
  stopDelayMs: found.EPOCHCAST_STOP_DELAY_SECONDS,
  drainMs: found.EPOCHCAST_DRAIN_SECONDS,
  metricsPort: found.EPOCHCAST_METRICS_PORT,
  metricsHost: found.EPOCHCAST_METRICS_HOST,
  tls: found.EPOCHCAST_TLS_CERT
    ? { certFile: found.EPOCHCAST_TLS_CERT, keyFile: found.EPOCHCAST_TLS_KEY }
    : null,
  reportUrl: found.EPOCHCAST_REPORT_URL,
  output: outputConfig(found),
  tracingEndpoint: found.OTEL_EXPORTER_OTLP_ENDPOINT ?? (found.EPOCHCAST_TRACING ? DEFAULT_COLLECTOR : null),
})
