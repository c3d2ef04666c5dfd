import type { TaskEvent } from './event.ts'
import type { Metrics, MetricValue, Phase } from './task.ts'

export interface MetricPoint {
  /** Progress, epoch or round: the reporter's own x. */
  readonly step: number
  readonly value: MetricValue
  readonly timestamp: string
}

export interface MetricSeries {
  readonly name: string
  /** Null for values that came with progress; fit is TRAIN and evaluation is VAL. */
  readonly phase: Phase | null
  readonly points: readonly MetricPoint[]
}

/** Gathers the metric histories of a task's events, each in the order of its events. */
export class SeriesCollector {
  readonly #names: ReadonlySet<string> | null
  readonly #series = new Map<string, { name: string; phase: Phase | null; points: MetricPoint[] }>()

  /** @param names the metrics to gather; null for all */
  constructor(names: readonly string[] | null) {
    this.#names = names && new Set(names)
  }

  add(event: TaskEvent): void {
    switch (event.type) {
      case 'ProgressUpdate': {
        const { loss, metrics } = event
        this.#addAll(loss === null ? metrics : { ...metrics, loss }, null, event.current, event.timestamp)
        return
      }
      case 'EpochEnded':
        this.#addAll(event.metrics, event.phase, event.epoch, event.timestamp)
        return
      case 'RoundEnded':
        this.#addAll(event.fitMetrics, 'TRAIN', event.round, event.timestamp)
        this.#addAll(event.evalMetrics, 'VAL', event.round, event.timestamp)
        return
      default:
    }
  }

  /** Every series, thinned to at most `maxPoints`. */
  finish(maxPoints: number): MetricSeries[] {
    return [...this.#series.values()].map((series) => ({ ...series, points: thin(series.points, maxPoints) }))
  }

  #addAll(metrics: Metrics, phase: Phase | null, step: number, timestamp: string): void {
    for (const name of Object.keys(metrics)) {
      if (this.#names && !this.#names.has(name)) continue
      const id = `${phase}/${name}`
      const series = this.#series.get(id) ?? { name, phase, points: [] }
      this.#series.set(id, series)
      series.points.push({ step, value: metrics[name] as MetricValue, timestamp })
    }
  }
}

/**
 * Thins a series to at most `maxPoints` points of itself, in order: it is cut into equal buckets, and of
 * each the lowest and the highest finite value stay, and the first that is not finite. So a spike of one
 * step and a loss that diverges are still to be seen.
 */
export function thin(points: readonly MetricPoint[], maxPoints: number): readonly MetricPoint[] {
  if (points.length <= maxPoints) return points
  const keptPerBucket = points.some(({ value }) => typeof value === 'string') ? 3 : 2
  const buckets = Math.max(1, Math.floor(maxPoints / keptPerBucket))
  const kept: MetricPoint[] = []
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = Math.floor((bucket * points.length) / buckets)
    const end = Math.floor(((bucket + 1) * points.length) / buckets)
    kept.push(...extremes(points, start, end))
  }
  return kept
}

function extremes(points: readonly MetricPoint[], start: number, end: number): MetricPoint[] {
  let lowest = -1
  let highest = -1
  let notFinite = -1
  for (let i = start; i < end; i++) {
    const value = points[i]?.value
    if (typeof value !== 'number') {
      if (notFinite < 0) notFinite = i
      continue
    }
    if (lowest < 0 || value < (points[lowest]?.value as number)) lowest = i
    if (highest < 0 || value > (points[highest]?.value as number)) highest = i
  }
  const indices = new Set([lowest, highest, notFinite].filter((index) => index >= 0))
  return [...indices].sort((a, b) => a - b).map((index) => points[index] as MetricPoint)
}
