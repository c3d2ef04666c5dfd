import type { Metrics, MetricsSnapshot } from './metrics.ts'

/** How long a worker may take; one that is busy is left out of this answer. */
const ANSWER_MS = 3000

interface Question {
  readonly type: 'epochcast:metrics'
  readonly id: number
}

interface Answer extends Question {
  readonly metrics: MetricsSnapshot
}

const isMetricsMessage = (message: unknown): message is Question =>
  typeof message === 'object' && (message as Question | null)?.type === 'epochcast:metrics'

/** Has this process, a worker, answer the questions of its supervisor. */
export function answerSupervisor(metrics: Metrics, onError: (error: unknown) => void): void {
  process.on('message', (question: unknown) => {
    if (!isMetricsMessage(question)) return
    metrics.snapshot().then((snapshot) => process.send?.({ ...question, metrics: snapshot }), onError)
  })
}

/** A worker as its supervisor talks to it. */
export interface MetricsWorker {
  send(message: unknown, done: (error: Error | null) => void): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

/** The metrics of several workers as those of one server, in Prometheus's text format. */
export class WorkersMetrics {
  readonly #workers: () => readonly MetricsWorker[]
  #newest = 0

  constructor(workers: () => readonly MetricsWorker[]) {
    this.#workers = workers
  }

  async text(): Promise<string> {
    const { AggregatorRegistry, Gauge } = await import('prom-client')
    const workers = this.#workers()
    const answers = await Promise.all(workers.map((worker) => this.#ask(worker)))
    const found = answers.filter((answer) => answer !== null)
    // Its type says objects where it wants lists.
    const registry = AggregatorRegistry.aggregate(found as unknown as object[])
    new Gauge({
      name: 'epochcast_workers',
      help: 'Workers that answered; the other metrics are those of these, together.',
      registers: [registry],
    }).set(found.length)
    return registry.metrics()
  }

  #ask(worker: MetricsWorker): Promise<MetricsSnapshot | null> {
    const id = ++this.#newest
    return new Promise((resolve) => {
      const settle = (metrics: MetricsSnapshot | null) => {
        clearTimeout(timer)
        worker.off('message', hear)
        resolve(metrics)
      }
      const hear = (message: unknown) => {
        if (isMetricsMessage(message) && message.id === id) settle((message as Answer).metrics)
      }
      const timer = setTimeout(() => settle(null), ANSWER_MS)
      worker.on('message', hear)
      worker.send({ type: 'epochcast:metrics', id } satisfies Question, (error) => {
        if (error) settle(null)
      })
    })
  }
}
