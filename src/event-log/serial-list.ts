/** What a cursor returns after its last serial; serials count from 1. */
export const END = -1

/** A walk over serials, newest or oldest first. Several of them intersect by asking each other on. */
export interface SerialCursor {
  /**
   * The first serial at or after `from`, in the direction of the walk; or one before that, at which to ask on. Never
   * asked back.
   */
  seek(from: number): number
}

/**
 * A set of serials in order. A plain array: nearly all that is added has the highest serial, and the few that have not
 * move memory that fits into a cache.
 */
export class SerialList {
  readonly #serials: number[] = []

  get length(): number {
    return this.#serials.length
  }

  add(serial: number): void {
    const serials = this.#serials
    const last = serials.at(-1)
    if (last === undefined || last < serial) {
      serials.push(serial)
      return
    }
    const index = this.#indexOf(serial)
    if (serials[index] !== serial) serials.splice(index, 0, serial)
  }

  delete(serial: number): void {
    const index = this.#indexOf(serial)
    if (this.#serials[index] === serial) this.#serials.splice(index, 1)
  }

  /** Those before a serial (the newest for null), newest first. */
  before(serial: number | null, limit: number): number[] {
    const end = serial === null ? this.#serials.length : this.#indexOf(serial)
    return this.#serials.slice(Math.max(0, end - limit), end).reverse()
  }

  /** The list must not change while the cursor is used. */
  cursor(isDescending: boolean): SerialCursor {
    return cursorOver(this.#serials, isDescending)
  }

  #indexOf(serial: number): number {
    let low = 0
    let high = this.#serials.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#serials[middle] as number) < serial) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** @param serials in ascending order; they must not change while the cursor is used */
export const cursorOver = (serials: readonly number[], isDescending: boolean): SerialCursor =>
  isDescending ? new DescendingCursor(serials) : new AscendingCursor(serials)

/** Steps grow while the serial that is looked for is further on, so a long way takes few of them. */
class AscendingCursor implements SerialCursor {
  readonly #serials: readonly number[]
  #index = 0

  constructor(serials: readonly number[]) {
    this.#serials = serials
  }

  seek(from: number): number {
    const serials = this.#serials
    let before = this.#index
    if (before >= serials.length) return END
    if ((serials[before] as number) >= from) return serials[before] as number
    let step = 1
    while (before + step < serials.length && (serials[before + step] as number) < from) {
      before += step
      step *= 2
    }
    let found = Math.min(before + step, serials.length)
    while (before + 1 < found) {
      const middle = (before + found) >>> 1
      if ((serials[middle] as number) < from) before = middle
      else found = middle
    }
    this.#index = found
    return serials[found] ?? END
  }
}

class DescendingCursor implements SerialCursor {
  readonly #serials: readonly number[]
  #index: number

  constructor(serials: readonly number[]) {
    this.#serials = serials
    this.#index = serials.length - 1
  }

  seek(from: number): number {
    const serials = this.#serials
    let before = this.#index
    if (before < 0) return END
    if ((serials[before] as number) <= from) return serials[before] as number
    let step = 1
    while (before - step >= 0 && (serials[before - step] as number) > from) {
      before -= step
      step *= 2
    }
    let found = Math.max(before - step, -1)
    while (before - 1 > found) {
      const middle = (before + found) >> 1
      if ((serials[middle] as number) > from) before = middle
      else found = middle
    }
    this.#index = found
    return serials[found] ?? END
  }
}

/** What is in any of several lists. */
export class UnionCursor implements SerialCursor {
  readonly #cursors: readonly SerialCursor[]
  readonly #isDescending: boolean

  constructor(lists: readonly SerialList[], isDescending: boolean) {
    this.#cursors = lists.map((list) => list.cursor(isDescending))
    this.#isDescending = isDescending
  }

  seek(from: number): number {
    let first = END
    for (const cursor of this.#cursors) {
      const serial = cursor.seek(from)
      if (serial === END) continue
      if (first === END || (this.#isDescending ? serial > first : serial < first)) first = serial
    }
    return first
  }
}

/** What may be spent on a walk before it pauses (`repository/effort.ts`). */
interface Spending {
  readonly isSpent: boolean
  spend(steps: number): void
}

/** A walk came to this serial, found nothing there, and may go on from it. */
export class Pause {
  readonly at: number

  constructor(at: number) {
    this.at = at
  }
}

/** The serials that all cursors have, from `start` on; and pauses, wherever there is nothing left to spend. */
export function* intersection(
  cursors: readonly SerialCursor[],
  start: number,
  isDescending: boolean,
  effort: Spending,
): Generator<number | Pause, void, undefined> {
  let serial = start
  let agreeing = 0
  for (let i = 0; ; i = (i + 1) % cursors.length) {
    // Others may have spent it all before this walk went on.
    while (effort.isSpent) yield new Pause(serial)
    effort.spend(1)
    const found = (cursors[i] as SerialCursor).seek(serial)
    if (found === END) return
    agreeing = found === serial ? agreeing + 1 : 0
    serial = found
    if (agreeing < cursors.length) continue
    yield serial
    serial += isDescending ? -1 : 1
    agreeing = 0
  }
}
