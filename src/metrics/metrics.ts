import type { Metric, MetricObjectWithValues, MetricValue, Registry } from 'prom-client'
import { LAG_BOUNDS } from '../delivery/lag-histogram.ts'
import type { EngineStatus } from '../event-log/store.ts'
import type { Definition, HistogramDefinition } from './definition.ts'
import { DEFINITIONS, HISTOGRAMS } from './definitions.ts'
import type { Parts } from './parts.ts'

/** What one process says of itself, in a form that can be sent to another. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[]

/**
 * The metrics of one server. Nothing happens before the first question: the library is not even loaded. What is counted
 * meanwhile is plain numbers in the parts that count, and is read for each answer.
 */
export class Metrics {
  readonly #parts: Parts
  #registry: Promise<Registry> | undefined
  #engine: EngineStatus

  constructor(parts: Parts) {
    this.#parts = parts
    this.#engine = { name: parts.store.name, connected: false, latencyMs: null }
  }

  /** In Prometheus's text format. */
  async text(): Promise<string> {
    return (await this.#read()).metrics()
  }

  async snapshot(): Promise<MetricsSnapshot> {
    return (await this.#read()).getMetricsAsJSON()
  }

  async #read(): Promise<Registry> {
    this.#registry ??= this.#open()
    // Asked for once, before all of them are read.
    const [registry, engine] = await Promise.all([this.#registry, this.#parts.store.status()])
    this.#engine = engine
    return registry
  }

  async #open(): Promise<Registry> {
    const { Registry, collectDefaultMetrics } = await import('prom-client')
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    const read = <T>(of: (parts: Parts, engine: EngineStatus) => T) => of(this.#parts, this.#engine)
    for (const definition of DEFINITIONS) register(registry, valuesOf(definition, read))
    for (const definition of HISTOGRAMS) register(registry, bucketsOf(definition, read))
    return registry
  }
}

type Read = <T>(of: (parts: Parts, engine: EngineStatus) => T) => T
type Collected = MetricObjectWithValues<MetricValue<string>>

/**
 * The library's own metrics hold their values; these are read where they are counted. All that its registry asks of a metric
 * is a name and what it is at present.
 */
function register(registry: Registry, get: () => Collected): void {
  const { name } = get()
  registry.registerMetric({ name, get: async () => get() } as unknown as Metric)
}

function valuesOf({ kind, name, help, label, aggregator, read }: Definition, from: Read): () => Collected {
  return () => {
    const found = from(read)
    const entries = typeof found === 'number' ? [] : found instanceof Map ? [...found] : Object.entries(found)
    const values = typeof found === 'number' ? [{ value: found, labels: {} }] : entries.map(labelled)
    return { name, help, type: kind, aggregator: aggregator ?? 'sum', values } as unknown as Collected
  }

  function labelled([text, value]: [string, number]) {
    return { value, labels: { [label as string]: text } }
  }
}

function bucketsOf({ name, help, label, read }: HistogramDefinition, from: Read): () => Collected {
  return () => {
    const values = Object.entries(from(read)).flatMap(([text, { counts, sumSeconds }]) => {
      const labels = { [label]: text }
      let total = 0
      const buckets = counts.map((count, i) => {
        total += count
        return {
          metricName: `${name}_bucket`,
          labels: { le: LAG_BOUNDS[i] ?? '+Inf', ...labels },
          value: total,
        }
      })
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: sumSeconds },
        { metricName: `${name}_count`, labels, value: total },
      ]
    })
    return { name, help, type: 'histogram', aggregator: 'sum', values } as unknown as Collected
  }
}
