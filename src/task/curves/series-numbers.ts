import { type SeriesKey, seriesId } from './point.ts'

/** The series of one task, numbered as they appear; segments name them by number. */
export class SeriesNumbers {
  readonly #keys: SeriesKey[]
  readonly #numbers: Map<string, number>

  constructor(keys: readonly SeriesKey[]) {
    this.#keys = [...keys]
    this.#numbers = new Map(keys.map((key, number) => [seriesId(key), number]))
  }

  /** By number. */
  get keys(): readonly SeriesKey[] {
    return this.#keys
  }

  /** The number of a series; one that is new gets the next. */
  of(key: SeriesKey): number {
    const id = seriesId(key)
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    this.#numbers.set(id, this.#keys.length)
    return this.#keys.push(key) - 1
  }
}
