import type { Metrics, MetricValue } from '../task.ts'
import { emptySegment, type SegmentColumns, segmentFlags } from './segment.ts'

/** Of a row in `#numbers`, before its values: its step, epoch and time. */
const ROW_NUMBERS = 3
/** Of a row in `#integers`: its offset and its attempt. */
const ROW_INTEGERS = 2
/** Of a stretch in `#stretches`, before its runs: how many rows and runs it has. */
const STRETCH_INTEGERS = 2
/** Of a run: the place of its first series, and how many series one after the other have a point. */
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
  /** Those that have points. */
  readonly places: readonly number[]
  /** Points whose rows are listed. */
  readonly listed: number
}

/**
 * Rows of points as they come, each with its values one after the other, and made into columns only when they become a
 * segment: a server has much to do between two reports, and finds little of them in a cache by the next one, where a
 * row of twenty columns is twenty places to fetch. Series are told by their places, which are counted from 0. Which of
 * them have a point is told once for a stretch of rows that all have the same, as most rows of a training do.
 */
export class ReportRows {
  #numbers: Float64Array = new Float64Array(FIRST_CAPACITY)
  #integers: Uint32Array = new Uint32Array(FIRST_CAPACITY)
  #numbersUsed = 0
  #rows = 0
  #stretches: Uint32Array = new Uint32Array(FIRST_CAPACITY)
  #stretchesUsed = 0
  /** Where the last stretch begins. */
  #stretch = 0
  /** The runs of the newest row, as long as it is not in a stretch yet. */
  #runs: Uint32Array = new Uint32Array(FIRST_CAPACITY)
  #runsUsed = 0
  #isOpen = false

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
    this.#endRow()
    const used = this.#numbersUsed
    if (used + ROW_NUMBERS > this.#numbers.length) this.#growNumbers()
    const numbers = this.#numbers
    numbers[used] = step
    numbers[used + 1] = epoch
    numbers[used + 2] = time
    this.#numbersUsed = used + ROW_NUMBERS
    const at = ROW_INTEGERS * this.#rows++
    if (at + ROW_INTEGERS > this.#integers.length) this.#integers = doubled(this.#integers)
    this.#integers[at] = offset
    this.#integers[at + 1] = attempt
    this.#isOpen = true
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
    this.#rows = 0
    this.#stretchesUsed = 0
    this.#stretch = 0
    this.#runsUsed = 0
    this.#isOpen = false
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
    this.#endRow()
    const { counts, isListed, places, listed } = this.#extent(seriesCount)
    const { bytes, columns } = emptySegment(after, through, {
      rows: this.#rows,
      series: places.length,
      points: this.points,
      listed,
    })
    const cursors = {
      values: new Uint32Array(seriesCount),
      rows: new Int32Array(seriesCount).fill(NOT_LISTED),
    }
    let [start, listedStart] = [0, 0]
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number
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
    const [numbers, integers, stretches] = [this.#numbers, this.#integers, this.#stretches]
    const { values: next, rows: nextListed } = cursors
    let [number, row, at] = [0, 0, 0]
    while (at < this.#stretchesUsed) {
      const pastRow = row + (stretches[at] as number)
      const firstRun = at + STRETCH_INTEGERS
      const pastRun = firstRun + RUN_INTEGERS * (stretches[at + 1] as number)
      for (; row < pastRow; row++) {
        steps[row] = numbers[number] as number
        epochs[row] = numbers[number + 1] as number
        times[row] = numbers[number + 2] as number
        offsets[row] = integers[ROW_INTEGERS * row] as number
        attempts[row] = integers[ROW_INTEGERS * row + 1] as number
        number += ROW_NUMBERS
        for (let run = firstRun; run < pastRun; run += RUN_INTEGERS) {
          const first = stretches[run] as number
          const past = first + (stretches[run + 1] as number)
          for (let place = first; place < past; place++) {
            values[(next[place] as number)++] = numbers[number++] as number
            const listed = nextListed[place] as number
            if (listed === NOT_LISTED) continue
            rows[listed] = row
            nextListed[place] = listed + 1
          }
        }
      }
      at = pastRun
    }
  }

  #extent(seriesCount: number): Extent {
    const stretches = this.#stretches
    const counts = new Uint32Array(seriesCount)
    const lastRows = new Uint32Array(seriesCount)
    let [row, at] = [0, 0]
    while (at < this.#stretchesUsed) {
      const rows = stretches[at] as number
      const pastRun = at + STRETCH_INTEGERS + RUN_INTEGERS * (stretches[at + 1] as number)
      row += rows
      for (at += STRETCH_INTEGERS; at < pastRun; at += RUN_INTEGERS) {
        const first = stretches[at] as number
        const past = first + (stretches[at + 1] as number)
        for (let place = first; place < past; place++) {
          ;(counts[place] as number) += rows
          lastRows[place] = row - 1
        }
      }
    }
    const isListed: boolean[] = []
    const places: number[] = []
    let listed = 0
    for (let place = 0; place < seriesCount; place++) {
      const count = counts[place] as number
      // A series has at most one point in a row.
      isListed.push(lastRows[place] !== count - 1)
      if (count === 0) continue
      places.push(place)
      if (isListed[place]) listed += count
    }
    return { counts, isListed, places, listed }
  }

  #beginRun(place: number): void {
    if (this.#runsUsed + RUN_INTEGERS > this.#runs.length) this.#runs = doubled(this.#runs)
    this.#runs[this.#runsUsed] = place
    this.#runsUsed += RUN_INTEGERS
  }

  /** @param points how many it has; 0 where none was begun */
  #endRun(points: number): void {
    if (points > 0) this.#runs[this.#runsUsed - 1] = points
  }

  /** Adds the newest row to the last stretch, or begins another with it. */
  #endRow(): void {
    if (!this.#isOpen) return
    if (this.#isLikeLast()) (this.#stretches[this.#stretch] as number)++
    else this.#beginStretch()
    this.#runsUsed = 0
    this.#isOpen = false
  }

  #isLikeLast(): boolean {
    const [runs, stretches] = [this.#runs, this.#stretches]
    const first = this.#stretch + STRETCH_INTEGERS
    if (this.#stretchesUsed - first !== this.#runsUsed) return false
    for (let i = 0; i < this.#runsUsed; i++) if (stretches[first + i] !== runs[i]) return false
    return true
  }

  #beginStretch(): void {
    const start = this.#stretchesUsed
    const end = start + STRETCH_INTEGERS + this.#runsUsed
    while (end > this.#stretches.length) this.#stretches = doubled(this.#stretches)
    this.#stretches[start] = 1
    this.#stretches[start + 1] = this.#runsUsed / RUN_INTEGERS
    for (let i = 0; i < this.#runsUsed; i++) {
      this.#stretches[start + STRETCH_INTEGERS + i] = this.#runs[i] as number
    }
    this.#stretch = start
    this.#stretchesUsed = end
  }

  #growNumbers(): Float64Array {
    const larger = new Float64Array(2 * this.#numbers.length)
    larger.set(this.#numbers)
    this.#numbers = larger
    return larger
  }
}

function doubled(integers: Uint32Array): Uint32Array {
  const larger = new Uint32Array(2 * integers.length)
  larger.set(integers)
  return larger
}
