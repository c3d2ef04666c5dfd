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

/** Room for columns, taken one after the other: one allocation for all of a segment. What has no room gets its own. */
export class ColumnRoom {
  readonly #floats: Float64Array
  readonly #integers: Uint32Array
  #floatsUsed = 0
  #integersUsed = 0

  /**
   * @param floats length of all columns of floating-point numbers together
   * @param integers of all columns of whole numbers
   */
  constructor(floats: number, integers: number) {
    this.#floats = new Float64Array(floats)
    this.#integers = new Uint32Array(integers)
  }

  floats(length: number): Float64Array {
    const from = this.#floatsUsed
    if (from + length > this.#floats.length) return new Float64Array(length)
    this.#floatsUsed += length
    return this.#floats.subarray(from, this.#floatsUsed)
  }

  integers(length: number): Uint32Array {
    const from = this.#integersUsed
    if (from + length > this.#integers.length) return new Uint32Array(length)
    this.#integersUsed += length
    return this.#integers.subarray(from, this.#integersUsed)
  }
}
