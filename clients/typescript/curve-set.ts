import type { TrainingProgressEvent } from './follow.ts'
import type { MetricPoint, MetricSeries, Phase, SeriesAxis, TaskSeriesQuery } from './generated/graphql.ts'
import { LEAST_POINTS, thinPoints } from './thin-points.ts'

/** A point of a curve; a value that is not finite is its name. */
export type CurvePoint = Readonly<Omit<MetricPoint, '__typename'>>

/** One metric of a task: what a server's MetricSeries is. */
export interface Curve extends Readonly<Omit<MetricSeries, '__typename' | 'points'>> {
  /** By step. The same array as long as nothing was added. */
  readonly points: readonly CurvePoint[]
}

export interface CurveFilter {
  /** Only these metrics, by their own names or those of `Task.metrics` (`val_loss`). */
  readonly names?: readonly string[] | null | undefined
  readonly phase?: Phase | null | undefined
  readonly member?: string | null | undefined
}

type TaskSeries = NonNullable<TaskSeriesQuery['task']>
type Values = Readonly<Record<string, CurvePoint['value']>>

const DEFAULT_MAX_POINTS = 1000
/** The API's bounds. */
const MIN_POINTS = 10
const MAX_POINTS = 5000

/** Part of `maxPoints` that is left of a curve when it is thinned. */
const THINNED_TO = 0.75

/**
 * The curves of one task: those that a server had, and what the events after that add, by the server's rules. As many
 * as the server bounds a task's series to, each of at most `maxPoints` points.
 */
export class CurveSet {
  readonly #filter: CurveFilter
  readonly #maxPoints: number
  readonly #curves = new Map<string, MutableCurve>()
  #attempt = 1
  /** Of the newest EpochStarted of this attempt. */
  #startedEpoch: number | null = null
  #snapshot: readonly Curve[] | null = null

  /** @throws RangeError where maxPoints is outside the API's bounds */
  constructor(filter: CurveFilter = {}, maxPoints = DEFAULT_MAX_POINTS) {
    if (!(maxPoints >= MIN_POINTS && maxPoints <= MAX_POINTS)) {
      throw new RangeError(`maxPoints is ${maxPoints}; expected from ${MIN_POINTS} to ${MAX_POINTS}`)
    }
    this.#filter = filter
    this.#maxPoints = maxPoints
  }

  /** Begins with what the server has, in place of all that was there. */
  reset({ attempt, series }: Pick<TaskSeries, 'attempt' | 'series'>): void {
    this.#snapshot = null
    this.#curves.clear()
    this.#attempt = attempt
    this.#startedEpoch = null
    for (const { name, phase = null, member = null, axis, points } of series) {
      const curve = this.#curve(name, phase, member, axis)
      curve.points = thinPoints(points as readonly CurvePoint[], this.#maxPoints).slice()
      const newest = curve.points.at(-1)
      // The API does not tell it; the points that were reported within it do.
      if (newest?.attempt === attempt && Number.isInteger(newest.epoch)) {
        this.#startedEpoch = Math.max(this.#startedEpoch ?? 0, newest.epoch ?? 0)
      }
    }
  }

  /** Adds what an event has; whether that was anything. */
  add(event: TrainingProgressEvent): boolean {
    switch (event.__typename) {
      case 'ProgressUpdate': {
        const { metrics, loss, step, member, epoch } = event
        const values: Values = loss != null && metrics.loss === undefined ? { ...metrics, loss } : metrics
        return this.#addAll(
          values,
          null,
          member,
          'STEP',
          event,
          step ?? event.current,
          epoch ?? this.#startedEpoch,
        )
      }
      case 'EpochEnded': {
        const { metrics, phase, member, step, epoch = null } = event
        const axis = step == null ? 'EPOCH' : 'STEP'
        return this.#addAll(metrics, phase, member, axis, event, step ?? epoch ?? 0, epoch)
      }
      case 'RoundEnded': {
        const { fitMetrics, evalMetrics, member, step, round } = event
        const axis = step == null ? 'ROUND' : 'STEP'
        const add = (values: Values, phase: Phase) =>
          this.#addAll(values, phase, member, axis, event, step ?? round, this.#startedEpoch)
        const hasFit = add(fitMetrics, 'TRAIN')
        return add(evalMetrics, 'VAL') || hasFit
      }
      case 'SystemSampled': {
        const seconds = Date.parse(event.timestamp) / 1000
        return this.#addAll(event.metrics, null, event.member, 'TIME', event, seconds, null)
      }
      case 'EpochStarted':
        this.#startedEpoch = event.epoch ?? null
        return false
      case 'StatusChanged':
        if (event.attempt > this.#attempt) {
          this.#attempt = event.attempt
          this.#startedEpoch = null
        }
        return false
      default:
        return false
    }
  }

  /** As they are now; never changed afterwards. */
  snapshot(): readonly Curve[] {
    this.#snapshot ??= [...this.#curves.values()]
      .filter(({ points }) => points.length > 0)
      .map((curve) => {
        curve.shown ??= { ...curve.key, points: curve.points.slice() }
        return curve.shown
      })
    return this.#snapshot
  }

  #addAll(
    values: Values,
    phase: Phase | null,
    member: string | null | undefined,
    axis: SeriesAxis,
    { timestamp }: { readonly timestamp: string },
    step: number,
    epoch: number | null,
  ): boolean {
    let hasAdded = false
    for (const name in values) {
      if (!this.#isWanted(name, phase, member ?? null)) continue
      const value = values[name] as CurvePoint['value']
      const curve = this.#curve(name, phase, member ?? null, axis)
      insert(curve.points, { step, epoch, value, timestamp, attempt: this.#attempt })
      if (curve.points.length > this.#maxPoints) {
        const left = Math.max(LEAST_POINTS, Math.floor(this.#maxPoints * THINNED_TO))
        curve.points = thinPoints(curve.points, left).slice()
      }
      curve.shown = null
      hasAdded = true
    }
    if (hasAdded) this.#snapshot = null
    return hasAdded
  }

  #isWanted(name: string, phase: Phase | null, member: string | null): boolean {
    const { names, phase: wantedPhase, member: wantedMember } = this.#filter
    if (wantedPhase != null && phase !== wantedPhase) return false
    if (wantedMember != null && member !== wantedMember) return false
    const prefixes = phase === null ? [] : PREFIXES[phase]
    return names == null || names.includes(name) || prefixes.some((prefix) => names.includes(prefix + name))
  }

  #curve(name: string, phase: Phase | null, member: string | null, axis: SeriesAxis): MutableCurve {
    const id = JSON.stringify([axis, phase, member, name])
    let curve = this.#curves.get(id)
    if (!curve) {
      curve = { key: { name, phase, member, axis }, points: [], shown: null }
      this.#curves.set(id, curve)
    }
    return curve
  }
}

/** What its latest value is called in `Task.metrics`. */
const PREFIXES = { TRAIN: [], VAL: ['val_', 'eval_'], TEST: ['test_'] } as const

interface MutableCurve {
  readonly key: Omit<Curve, 'points'>
  points: CurvePoint[]
  shown: Curve | null
}

/**
 * By step, after those of the same one. From there on, points of earlier attempts are replaced by what a later one
 * reports, so that a curve never folds back on itself.
 */
function insert(points: CurvePoint[], point: CurvePoint): void {
  const { step, attempt } = point
  let at = points.length
  let stale = 0
  while (at > 0 && (points[at - 1] as CurvePoint).step >= step) {
    at--
    if ((points[at] as CurvePoint).attempt < attempt) stale++
  }
  if (stale > 0) points.push(...points.splice(at).filter((later) => later.attempt >= attempt))
  while (points[at] !== undefined && (points[at] as CurvePoint).step === step) at++
  points.splice(at, 0, point)
}
