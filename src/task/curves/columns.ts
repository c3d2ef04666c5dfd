/** The values of a column at positions, put into `picked`. */
export function pickFloats(
  column: Float64Array,
  positions: Uint32Array,
  picked: Float64Array = new Float64Array(positions.length),
): Float64Array {
  for (let i = 0; i < picked.length; i++) picked[i] = column[positions[i] as number] as number
  return picked
}

/** The values of a column at positions, put into `picked`, which may be `positions`. */
export function pickIntegers(
  column: Uint32Array,
  positions: Uint32Array,
  picked: Uint32Array = new Uint32Array(positions.length),
): Uint32Array {
  for (let i = 0; i < picked.length; i++) picked[i] = column[positions[i] as number] as number
  return picked
}

/** Numbers of each kind that a room keeps: those of several merged segments. */
const MAX_KEPT = 1 << 17

/**
 * Room for the columns of work that is done at once, to be used again by the next: memory off the heap costs more to
 * allocate than to fill. What has no room gets its own, and the next time there is more.
 */
export class ColumnRoom {
  #floats = new Float64Array(0)
  #integers = new Uint32Array(0)
  #floatsWanted = 0
  #integersWanted = 0
  readonly #maxKept: number

  constructor(maxKept: number = MAX_KEPT) {
    this.#maxKept = maxKept
  }

  /** Not cleared. */
  floats(length: number): Float64Array {
    const from = this.#floatsWanted
    this.#floatsWanted += length
    if (this.#floatsWanted > this.#floats.length) return new Float64Array(length)
    return this.#floats.subarray(from, this.#floatsWanted)
  }

  /** Not cleared. */
  integers(length: number): Uint32Array {
    const from = this.#integersWanted
    this.#integersWanted += length
    if (this.#integersWanted > this.#integers.length) return new Uint32Array(length)
    return this.#integers.subarray(from, this.#integersWanted)
  }

  /** Begins the next work: columns that were taken will have others' values. */
  reuse(): void {
    const floats = Math.min(this.#floatsWanted, this.#maxKept)
    const integers = Math.min(this.#integersWanted, this.#maxKept)
    if (floats > this.#floats.length) this.#floats = new Float64Array(floats)
    if (integers > this.#integers.length) this.#integers = new Uint32Array(integers)
    this.#floatsWanted = 0
    this.#integersWanted = 0
  }
}
