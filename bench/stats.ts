export function median(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** Many numbers, such as the latency of every delivery, kept flat. */
export class Samples {
  #values = new Float64Array(1024)
  #length = 0
  #sorted = false

  get length() {
    return this.#length
  }

  add(value: number) {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#length++] = value
    this.#sorted = false
  }

  /** @param share such as 0.99; the smallest value that so many are not above */
  percentile(share: number) {
    const used = this.#values.subarray(0, this.#length)
    if (!this.#sorted) used.sort()
    this.#sorted = true
    return used[Math.max(0, Math.ceil(share * this.#length) - 1)] as number
  }
}
