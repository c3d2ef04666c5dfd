import type { Metrics, MetricValue } from '../task.ts'
import { emptySegment, type SegmentColumns, segmentFlags } from './segment.ts'

/** Of a row in `#numbers`, before its values: its step, epoch and time. */
const ROW_NUMBERS = 3
/** Of a row in `#integers`, before its runs: its offset, its attempt, and how many runs follow. */
const ROW_INTEGERS = 3
const RUNS = 2
/** Of a run in `#integers`: the place of its first series, and how many series one after the other have a point. */
const RUN_INTEGERS = 2
const FIRST_CAPACITY = 64
const NOT_LISTED = -1

/** Series by their names. */
export interface PlacedSeries {
  /** In the order in which they are expected to come. */
  readonly names: readonly string[]
  /** Of each of the names. */
  readonly places: readonly number[]
  /** Of one that is not the expected one. */
  placeOrAdd(name: string): number
}

/** What there is of each series, by its place. */
interface Extent {
  /** Points. */
  readonly counts: Uint32Array
  /** Whether the points are not those of the first so many rows. */
  readonly isListed: readonly boolean[]
}

/**
 * Rows of points as they come, each with its values one after the other, and made into columns only when they become a
 * segment: a server has much to do between two reports, and finds little of them in a cache by the next one, where a
 * row of twenty columns is twenty places to fetch. Series are told by their places, which are counted from 0.
 */
export class ReportRows {
  #numbers: Float64Array = new Float64Array(FIRST_CAPACITY)
  #integers = new Uint32Array(FIRST_CAPACITY)
  #numbersUsed = 0
  #integersUsed = 0
  #rows = 0
  /** Where the newest row counts its runs. */
  #runs = 0

  get length(): number {
    return this.#rows
  }

  /** Of all rows. */
  get points(): number {
    return this.#numbersUsed - ROW_NUMBERS * this.#rows
  }

  /**
   * @param offset of the event, counted from the segment's `after`
   * @param epoch NaN where it is not known
   * @param time milliseconds since the epoch
   */
  begin(offset: number, attempt: number, step: number, epoch: number, time: number): void {
    this.#pushNumber(step)
    this.#pushNumber(epoch)
    this.#pushNumber(time)
    this.#pushInteger(offset)
    this.#pushInteger(attempt)
    this.#runs = this.#integersUsed
    this.#pushInteger(0)
    this.#rows++
  }

  /** Adds a point of each metric to the row that was begun last; none of their series may have one there. */
  push(metrics: Metrics, series: PlacedSeries): void {
    const { names, places } = series
    // This is done for every metric of every report: fields are read and written once for all of them.
    let numbers = this.#numbers
    let used = this.#numbersUsed
    let runStart = used
    let nextPlace = -1
    let next = 0
    for (const name in metrics) {
      const place = names[next] === name ? (places[next] as number) : series.placeOrAdd(name)
      next++
      if (place !== nextPlace) {
        this.#endRun(used - runStart)
        this.#beginRun(place)
        runStart = used
      }
      nextPlace = place + 1
      if (used === numbers.length) numbers = this.#growNumbers()
      const value = metrics[name] as MetricValue
      numbers[used++] = typeof value === 'number' ? value : Number(value)
    }
    this.#endRun(used - runStart)
    this.#numbersUsed = used
  }

  clear(): void {
    this.#numbersUsed = 0
    this.#integersUsed = 0
    this.#rows = 0
  }

  /**
   * As a segment in bytes.
   *
   * @param seriesCount of all that there are places for
   * @param numberOf a series in the task's index, by its place; asked of those only that have points
   */
  encode(
    after: number,
    through: number,
    seriesCount: number,
    numberOf: (place: number) => number,
  ): Uint8Array {
    const { counts, isListed } = this.#extent(seriesCount)
    const places = [...counts.keys()].filter((place) => counts[place] !== 0)
    const { bytes, columns } = emptySegment(after, through, {
      rows: this.#rows,
      series: places.length,
      points: this.points,
      listed: places.reduce((sum, place) => sum + (isListed[place] ? (counts[place] as number) : 0), 0),
    })
    const cursors = {
      values: new Uint32Array(seriesCount),
      rows: new Int32Array(seriesCount).fill(NOT_LISTED),
    }
    let [start, listedStart] = [0, 0]
    for (const [i, place] of places.entries()) {
      const count = counts[place] as number
      columns.numbers[i] = numberOf(place)
      columns.counts[i] = count
      columns.flags[i] = segmentFlags(false, isListed[place] as boolean)
      cursors.values[place] = start
      start += count
      if (!isListed[place]) continue
      cursors.rows[place] = listedStart
      listedStart += count
    }
    this.#fill(columns, cursors)
    return bytes
  }

  /** @param cursors where the next point of each series goes, by its place, and the row of it where rows are listed */
  #fill(
    { steps, epochs, times, offsets, attempts, values, rows }: SegmentColumns,
    cursors: { readonly values: Uint32Array; readonly rows: Int32Array },
  ): void {
    const [numbers, integers] = [this.#numbers, this.#integers]
    const { values: next, rows: nextListed } = cursors
    let [number, integer] = [0, 0]
    for (let row = 0; row < this.#rows; row++) {
      steps[row] = numbers[number] as number
      epochs[row] = numbers[number + 1] as number
      times[row] = numbers[number + 2] as number
      offsets[row] = integers[integer] as number
      attempts[row] = integers[integer + 1] as number
      const end = integer + ROW_INTEGERS + RUN_INTEGERS * (integers[integer + RUNS] as number)
      number += ROW_NUMBERS
      for (integer += ROW_INTEGERS; integer < end; integer += RUN_INTEGERS) {
        const first = integers[integer] as number
        const past = first + (integers[integer + 1] as number)
        for (let place = first; place < past; place++) {
          values[(next[place] as number)++] = numbers[number++] as number
          const listed = nextListed[place] as number
          if (listed === NOT_LISTED) continue
          rows[listed] = row
          nextListed[place] = listed + 1
        }
      }
    }
  }

  #extent(seriesCount: number): Extent {
    const integers = this.#integers
    const counts = new Uint32Array(seriesCount)
    const lastRows = new Uint32Array(seriesCount)
    for (let row = 0, integer = 0; row < this.#rows; row++) {
      const end = integer + ROW_INTEGERS + RUN_INTEGERS * (integers[integer + RUNS] as number)
      for (integer += ROW_INTEGERS; integer < end; integer += RUN_INTEGERS) {
        const first = integers[integer] as number
        const past = first + (integers[integer + 1] as number)
        for (let place = first; place < past; place++) {
          ;(counts[place] as number)++
          lastRows[place] = row
        }
      }
    }
    // A series has at most one point in a row.
    return { counts, isListed: Array.from(counts, (count, place) => lastRows[place] !== count - 1) }
  }

  #beginRun(place: number): void {
    this.#pushInteger(place)
    this.#pushInteger(0)
    ;(this.#integers[this.#runs] as number)++
  }

  /** @param points how many it has; 0 where none was begun */
  #endRun(points: number): void {
    if (points > 0) this.#integers[this.#integersUsed - 1] = points
  }

  #pushNumber(value: number): void {
    if (this.#numbersUsed === this.#numbers.length) this.#growNumbers()
    this.#numbers[this.#numbersUsed++] = value
  }

  #growNumbers(): Float64Array {
    const larger = new Float64Array(2 * this.#numbers.length)
    larger.set(this.#numbers)
    this.#numbers = larger
    return larger
  }

  #pushInteger(value: number): void {
    if (this.#integersUsed === this.#integers.length) {
      const larger = new Uint32Array(2 * this.#integers.length)
      larger.set(this.#integers)
      this.#integers = larger
    }
    this.#integers[this.#integersUsed++] = value
  }
}
