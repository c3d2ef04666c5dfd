import type { IncomingMessage } from 'node:http'
import type { OperationConfig } from '../operation-config.ts'
import type { MetricsDoor } from '../transport/http.ts'
import type { Metrics } from './metrics.ts'
import { type MetricsServer, respondMetrics, serveMetrics } from './metrics-server.ts'
import { answerSupervisor } from './workers-metrics.ts'

export interface MetricsDoorsOptions extends Pick<OperationConfig, 'metricsPort' | 'metricsHost'> {
  /** Its supervisor gives the metrics of all workers together. */
  readonly isWorker: boolean
  /** Whether who asks on the main port may read them. */
  readonly mayRead: (request: IncomingMessage) => boolean
  readonly isReady: () => Promise<boolean>
  readonly onError: (error: unknown) => void
}

/** Where the metrics of one server are: on a port of their own, or else on the main port, or else with the supervisor. */
export class MetricsDoors {
  readonly #metrics: () => Metrics
  readonly #options: MetricsDoorsOptions
  #server: MetricsServer | undefined

  /** @param metrics not asked for before the first question */
  constructor(metrics: () => Metrics, options: MetricsDoorsOptions) {
    this.#metrics = metrics
    this.#options = options
  }

  /** Of the port of their own; null without. */
  get url(): string | null {
    return this.#server?.url ?? null
  }

  /** Null where there are none. */
  get onMainPort(): MetricsDoor | null {
    const { isWorker, metricsPort, mayRead, onError } = this.#options
    if (isWorker || metricsPort !== null) return null
    return { mayRead, respond: (response) => respondMetrics(response, { text: () => this.#text(), onError }) }
  }

  /** @throws the error of listen, such as EADDRINUSE */
  async open(): Promise<void> {
    const { isWorker, metricsPort: port, metricsHost: host, isReady, onError } = this.#options
    if (isWorker) answerSupervisor(this.#metrics(), onError)
    else if (port !== null)
      this.#server = await serveMetrics({ host, port, isReady, onError, text: () => this.#text() })
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }

  #text(): Promise<string> {
    return this.#metrics().text()
  }
}
