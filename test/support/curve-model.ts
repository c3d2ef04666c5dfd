import type { MetricPoint, MetricSeries, SeriesAxis } from '../../src/task/curves/point.ts'
import type { TaskEvent } from '../../src/task/event.ts'
import type { Metrics, MetricValue, Phase } from '../../src/task/task.ts'

interface Reported extends MetricPoint {
  readonly order: number
}

/**
 * What series are by their definition, made of a task's events in the plainest way: no bounds, no folding, nothing
 * thinned.
 */
export class CurveModel {
  readonly #series = new Map<string, Omit<MetricSeries, 'points'> & { readonly points: Reported[] }>()
  #attempt = 1
  #startedEpoch: number | null = null
  #order = 0

  add(event: TaskEvent): void {
    if (event.type === 'StatusChanged' && event.attempt > this.#attempt) {
      this.#attempt = event.attempt
      this.#startedEpoch = null
    }
    if (event.type === 'EpochStarted') this.#startedEpoch = event.epoch
    if (event.type === 'ProgressUpdate') {
      const { metrics, loss, step, current, epoch } = event
      const all = loss === null ? metrics : { ...metrics, loss: metrics.loss ?? loss }
      this.#addAll(event, all, null, 'STEP', step ?? current, epoch ?? this.#startedEpoch)
    }
    if (event.type === 'EpochEnded') {
      const { metrics, phase, step, epoch } = event
      this.#addAll(event, metrics, phase, step == null ? 'EPOCH' : 'STEP', step ?? epoch, epoch)
    }
    if (event.type === 'SystemSampled')
      this.#addAll(event, event.metrics, null, 'TIME', Date.parse(event.timestamp) / 1000, null)
    if (event.type === 'RoundEnded') {
      const { fitMetrics, evalMetrics, step, round } = event
      const axis = step == null ? 'ROUND' : 'STEP'
      this.#addAll(event, fitMetrics, 'TRAIN', axis, step ?? round, this.#startedEpoch)
      this.#addAll(event, evalMetrics, 'VAL', axis, step ?? round, this.#startedEpoch)
    }
  }

  get series(): MetricSeries[] {
    return [...this.#series.values()].map((series) => {
      const lowestAfter = new Map<number, number>()
      for (const attempt of new Set(series.points.map((point) => point.attempt))) {
        const later = series.points.filter((point) => point.attempt > attempt)
        lowestAfter.set(
          attempt,
          later.reduce((lowest, { step }) => Math.min(lowest, step), Infinity),
        )
      }
      const points = series.points
        .filter(({ step, attempt }) => step < (lowestAfter.get(attempt) ?? Infinity))
        .sort((a, b) => a.step - b.step || a.order - b.order)
        .map(({ order: _, ...point }) => point)
      return { ...series, points }
    })
  }

  #addAll(
    event: TaskEvent & { readonly member?: string | null },
    metrics: Metrics,
    phase: Phase | null,
    axis: SeriesAxis,
    step: number,
    epoch: number | null,
  ): void {
    for (const [name, value] of Object.entries(metrics)) {
      const key = { name, phase, member: event.member ?? null, axis }
      const id = JSON.stringify(key)
      const series = this.#series.get(id) ?? { ...key, points: [] }
      this.#series.set(id, series)
      series.points.push({
        step,
        epoch,
        value: value as MetricValue,
        timestamp: Date.parse(event.timestamp),
        attempt: this.#attempt,
        order: this.#order++,
      })
    }
  }
}

export const byIdentity = (series: readonly MetricSeries[]): MetricSeries[] =>
  series
    .map((one) => ({ one, id: JSON.stringify([one.name, one.phase, one.member, one.axis]) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ one }) => one)
