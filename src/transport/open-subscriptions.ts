import { EpochcastError } from '../task/errors.ts'

/** Counts the subscriptions of this process, whatever carries them, and bounds their number. */
export class OpenSubscriptions {
  readonly #max: number
  #open = 0

  constructor(max: number) {
    this.#max = max
  }

  get count(): number {
    return this.#open
  }

  /**
   * Counts one more until the returned function has been called.
   *
   * @throws EpochcastError TOO_MANY_SUBSCRIPTIONS
   */
  open(): () => void {
    if (this.#open >= this.#max) {
      throw new EpochcastError(
        'TOO_MANY_SUBSCRIPTIONS',
        `the server has ${this.#open} open subscriptions; expected at most ${this.#max} (EPOCHCAST_MAX_SUBSCRIPTIONS)`,
      )
    }
    this.#open++
    let isOpen = true
    return () => {
      if (isOpen) this.#open--
      isOpen = false
    }
  }
}
