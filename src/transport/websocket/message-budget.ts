import { BURST_SECONDS } from '../clients.ts'

/** The messages that one socket may still send: refilled with time; below zero they are refused. */
export class MessageBudget {
  readonly #perSecond: number
  readonly #most: number
  #left: number
  #refilledAt = performance.now()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#most = BURST_SECONDS * perSecond
    this.#left = this.#most
  }

  /**
   * Counts a message, whatever it is.
   *
   * @param now by `performance.now()`
   * @returns 0, or when to try again where it is to be refused; null where there are so many that the socket is to be ended
   */
  take(now: number): number | null {
    const refilled = this.#left + ((now - this.#refilledAt) / 1000) * this.#perSecond
    this.#left = Math.min(this.#most, refilled) - 1
    this.#refilledAt = now
    if (this.#left >= 0) return 0
    return this.#left >= -this.#most ? Math.ceil((-this.#left / this.#perSecond) * 1000) : null
  }
}
