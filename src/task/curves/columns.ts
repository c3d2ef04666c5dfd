const FIRST_CAPACITY = 16

/** A column of floating-point numbers that grows. */
export class FloatColumn {
  #values = new Float64Array(FIRST_CAPACITY)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What it has now; not to be used once there is more. */
  get view(): Float64Array {
    return this.#values.subarray(0, this.#length)
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = value
  }

  clear(): void {
    this.#length = 0
  }
}

/** A column of whole numbers from 0 to 2^32 - 1 that grows. */
export class IntegerColumn {
  #values = new Uint32Array(FIRST_CAPACITY)
  #length = 0

  /** 0, 1, 2 … as many as that. */
  static upTo(length: number): IntegerColumn {
    const column = new IntegerColumn()
    for (let i = 0; i < length; i++) column.push(i)
    return column
  }

  /** What it has now; not to be used once there is more. */
  get view(): Uint32Array {
    return this.#values.subarray(0, this.#length)
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Uint32Array(2 * this.#length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = value
  }

  clear(): void {
    this.#length = 0
  }
}

/** The values of a column at positions. */
export function pickFloats(column: Float64Array, positions: Uint32Array): Float64Array {
  const picked = new Float64Array(positions.length)
  for (let i = 0; i < picked.length; i++) picked[i] = column[positions[i] as number] as number
  return picked
}

/** The values of a column at positions. */
export function pickIntegers(column: Uint32Array, positions: Uint32Array): Uint32Array {
  const picked = new Uint32Array(positions.length)
  for (let i = 0; i < picked.length; i++) picked[i] = column[positions[i] as number] as number
  return picked
}
