import { happenedAt, type TaskEvent } from '../event.ts'
import type { Metrics, MetricValue, Phase, TaskState } from '../task.ts'
import { FloatColumn, IntegerColumn } from './columns.ts'
import type { SeriesAxis, SeriesKey } from './point.ts'
import type { Segment, SegmentSeries } from './segment.ts'
import type { SeriesNumbers } from './series-numbers.ts'

/** What the events before say of the points that follow. */
export interface CurveContext {
  readonly attempt: number
  /** Of the newest EpochStarted of this attempt. */
  readonly startedEpoch: number | null
}

/** Before the first event of a log, which tells its attempt. */
export const FIRST_CONTEXT: CurveContext = { attempt: 1, startedEpoch: null }

export const contextOf = ({ attempt, startedEpoch }: TaskState): CurveContext => ({
  attempt,
  startedEpoch,
})

interface DraftSeries {
  readonly key: SeriesKey
  /** Null as long as it has a point in every row. */
  rows: IntegerColumn | null
  readonly values: FloatColumn
}

/** The series of one phase, member and axis. */
interface Family extends Omit<SeriesKey, 'name'> {
  readonly byName: Map<string, DraftSeries>
  /** In the order of their first appearance, which is that of the next report, too, most of the time. */
  readonly inOrder: DraftSeries[]
}

/**
 * Gathers the points of events as they come, until there are enough for a segment. This is done for every metric of
 * every report, so columns are kept from one segment to the next.
 */
export class CurveDraft {
  #after: number
  #through: number
  #attempt: number
  #startedEpoch: number | null
  #points = 0
  readonly #offsets = new IntegerColumn()
  readonly #steps = new FloatColumn()
  readonly #epochs = new FloatColumn()
  readonly #times = new FloatColumn()
  readonly #attempts = new IntegerColumn()
  /** By member. */
  readonly #families = new Map<string | null, Family[]>()

  /** @param after offset of the event before the first that will be added */
  constructor(after: number, { attempt, startedEpoch }: CurveContext) {
    this.#after = after
    this.#through = after
    this.#attempt = attempt
    this.#startedEpoch = startedEpoch
  }

  /** Offset of the event before the first. */
  get after(): number {
    return this.#after
  }

  /** Offset of the last event that was added. */
  get through(): number {
    return this.#through
  }

  get points(): number {
    return this.#points
  }

  /** Points and rows. */
  get size(): number {
    return this.#points + this.#steps.length
  }

  /** What holds for the next event. */
  get context(): CurveContext {
    return { attempt: this.#attempt, startedEpoch: this.#startedEpoch }
  }

  /** Adds the event that follows the last one. */
  add(event: TaskEvent): void {
    this.#through++
    switch (event.type) {
      case 'ProgressUpdate': {
        const { metrics, loss, step } = event
        this.#addRow(event, step ?? event.current, event.epoch ?? this.#startedEpoch)
        const family = this.#family(null, event.member, 'STEP')
        this.#addAll(family, metrics)
        if (loss !== null && metrics.loss === undefined) this.#addPoint(seriesOf(family, 'loss'), loss)
        return
      }
      case 'EpochEnded': {
        const { step } = event
        this.#addRow(event, step ?? event.epoch, event.epoch)
        this.#addAll(this.#family(event.phase, event.member, step == null ? 'EPOCH' : 'STEP'), event.metrics)
        return
      }
      case 'RoundEnded': {
        const { step, member } = event
        const axis = step == null ? 'ROUND' : 'STEP'
        this.#addRow(event, step ?? event.round, this.#startedEpoch)
        this.#addAll(this.#family('TRAIN', member, axis), event.fitMetrics)
        this.#addAll(this.#family('VAL', member, axis), event.evalMetrics)
        return
      }
      case 'SystemSampled':
        this.#addRow(event, timeOf(event) / 1000, null)
        this.#addAll(this.#family(null, event.member, 'TIME'), event.metrics)
        return
      case 'EpochStarted':
        this.#startedEpoch = event.epoch
        return
      case 'StatusChanged':
        if (event.attempt <= this.#attempt) return
        this.#attempt = event.attempt
        this.#startedEpoch = null
        return
      default:
    }
  }

  /**
   * What was gathered, as views that are valid until the next event is added.
   *
   * @param numbers those of the series in the task's index; series that are new get one
   */
  segment(numbers: SeriesNumbers): Segment {
    const series: SegmentSeries[] = []
    for (const { key, rows, values } of this.#series()) {
      if (values.length === 0) continue
      series.push({
        number: numbers.of(key),
        isThinned: false,
        rows: rows?.view ?? null,
        values: values.view,
      })
    }
    return {
      after: this.#after,
      through: this.#through,
      rows: {
        length: this.#steps.length,
        offsets: this.#offsets.view,
        steps: this.#steps.view,
        epochs: this.#epochs.view,
        times: this.#times.view,
        attempts: this.#attempts.view,
      },
      series,
    }
  }

  /** Begins the next segment. */
  restart(): void {
    this.#after = this.#through
    this.#points = 0
    for (const column of [this.#offsets, this.#steps, this.#epochs, this.#times, this.#attempts])
      column.clear()
    for (const series of this.#series()) {
      series.rows = null
      series.values.clear()
    }
  }

  *#series(): Generator<DraftSeries, void> {
    for (const families of this.#families.values()) for (const { inOrder } of families) yield* inOrder
  }

  #addRow(event: TaskEvent, step: number, epoch: number | null): void {
    this.#offsets.push(this.#through - this.#after)
    this.#steps.push(step)
    this.#epochs.push(epoch ?? Number.NaN)
    this.#times.push(timeOf(event))
    this.#attempts.push(this.#attempt)
  }

  #family(phase: Phase | null, member: string | null | undefined, axis: SeriesAxis): Family {
    const whose = member ?? null
    let families = this.#families.get(whose)
    if (families === undefined) {
      families = []
      this.#families.set(whose, families)
    }
    for (const family of families) if (family.phase === phase && family.axis === axis) return family
    const family = { phase, member: whose, axis, byName: new Map<string, DraftSeries>(), inOrder: [] }
    families.push(family)
    return family
  }

  #addAll(family: Family, metrics: Metrics): void {
    const { inOrder } = family
    let place = 0
    for (const name in metrics) {
      const expected = inOrder[place++]
      const series = expected?.key.name === name ? expected : seriesOf(family, name)
      this.#addPoint(series, metrics[name] as MetricValue)
    }
  }

  #addPoint(series: DraftSeries, value: MetricValue): void {
    const { values } = series
    const row = this.#steps.length - 1
    if (series.rows === null && values.length !== row) series.rows = IntegerColumn.upTo(values.length)
    series.rows?.push(row)
    values.push(typeof value === 'number' ? value : Number(value))
    this.#points++
  }
}

function seriesOf({ byName, inOrder, phase, member, axis }: Family, name: string): DraftSeries {
  const known = byName.get(name)
  if (known !== undefined) return known
  const series: DraftSeries = { key: { name, phase, member, axis }, rows: null, values: new FloatColumn() }
  byName.set(name, series)
  inOrder.push(series)
  return series
}

/** The trainer's own time where its report gave one. */
function timeOf({ timestamp, recordedAt }: TaskEvent): number {
  return happenedAt(recordedAt).timestamp === timestamp ? recordedAt : Date.parse(timestamp)
}
