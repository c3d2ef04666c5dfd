import { happenedAt, type TaskEvent } from '../event.ts'
import type { Phase, TaskState } from '../task.ts'
import type { SeriesAxis, SeriesKey } from './point.ts'
import { type PlacedSeries, ReportRows } from './report-rows.ts'
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

/** The series of one phase, member and axis, and their places among all of a draft. */
class Family implements PlacedSeries {
  readonly phase: Phase | null
  readonly axis: SeriesAxis
  readonly member: string | null
  readonly #all: SeriesKey[]
  readonly #byName = new Map<string, number>()
  readonly #names: string[] = []
  readonly #places: number[] = []

  /** @param all those of the draft, to which new ones are added */
  constructor(all: SeriesKey[], { phase, member, axis }: Omit<SeriesKey, 'name'>) {
    this.phase = phase
    this.axis = axis
    this.member = member
    this.#all = all
  }

  /** In the order of their first appearance, which is that of the next report, too, most of the time. */
  get names(): readonly string[] {
    return this.#names
  }

  get places(): readonly number[] {
    return this.#places
  }

  placeOrAdd(name: string): number {
    const known = this.#byName.get(name)
    if (known !== undefined) return known
    const { phase, member, axis } = this
    const place = this.#all.push({ name, phase, member, axis }) - 1
    this.#byName.set(name, place)
    this.#names.push(name)
    this.#places.push(place)
    return place
  }
}

/** Gathers the points of events as they come, until there are enough for a segment. */
export class CurveDraft {
  #after: number
  #through: number
  #attempt: number
  #startedEpoch: number | null
  readonly #rows = new ReportRows()
  readonly #series: SeriesKey[] = []
  /** By member. */
  readonly #families = new Map<string | null, Family[]>()
  /** That of the newest points, which is that of the next most of the time. */
  #newest: Family | undefined

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
    return this.#rows.points
  }

  /** Points and rows. */
  get size(): number {
    return this.#rows.points + this.#rows.length
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
        this.#rows.push(metrics, family)
        if (loss !== null && metrics.loss === undefined) this.#rows.push({ loss }, family)
        return
      }
      case 'EpochEnded': {
        const { step } = event
        this.#addRow(event, step ?? event.epoch, event.epoch)
        this.#rows.push(
          event.metrics,
          this.#family(event.phase, event.member, step == null ? 'EPOCH' : 'STEP'),
        )
        return
      }
      case 'RoundEnded': {
        const { step, member } = event
        const axis = step == null ? 'ROUND' : 'STEP'
        this.#addRow(event, step ?? event.round, this.#startedEpoch)
        this.#rows.push(event.fitMetrics, this.#family('TRAIN', member, axis))
        this.#rows.push(event.evalMetrics, this.#family('VAL', member, axis))
        return
      }
      case 'SystemSampled':
        this.#addRow(event, timeOf(event) / 1000, null)
        this.#rows.push(event.metrics, this.#family(null, event.member, 'TIME'))
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
   * What was gathered, as a segment in bytes.
   *
   * @param numbers those of the series in the task's index; series that are new get one
   */
  encode(numbers: SeriesNumbers): Uint8Array {
    const series = this.#series
    return this.#rows.encode(this.#after, this.#through, series.length, (place) =>
      numbers.of(series[place] as SeriesKey),
    )
  }

  /** Begins the next segment. */
  restart(): void {
    this.#after = this.#through
    this.#rows.clear()
  }

  #addRow(event: TaskEvent, step: number, epoch: number | null): void {
    const offset = this.#through - this.#after
    this.#rows.begin(offset, this.#attempt, step, epoch ?? Number.NaN, timeOf(event))
  }

  #family(phase: Phase | null, member: string | null | undefined, axis: SeriesAxis): Family {
    const whose = member ?? null
    const newest = this.#newest
    if (newest?.member === whose && newest.phase === phase && newest.axis === axis) return newest
    this.#newest = this.#familyOf(phase, whose, axis)
    return this.#newest
  }

  #familyOf(phase: Phase | null, whose: string | null, axis: SeriesAxis): Family {
    let families = this.#families.get(whose)
    if (families === undefined) {
      families = []
      this.#families.set(whose, families)
    }
    for (const family of families) if (family.phase === phase && family.axis === axis) return family
    const family = new Family(this.#series, { phase, member: whose, axis })
    families.push(family)
    return family
  }
}

/** The trainer's own time where its report gave one. */
function timeOf({ timestamp, recordedAt }: TaskEvent): number {
  return happenedAt(recordedAt).timestamp === timestamp ? recordedAt : Date.parse(timestamp)
}
