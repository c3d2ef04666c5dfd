import { setImmediate as eventLoopTurn } from 'node:timers/promises'

/** A few milliseconds of graphql-js, with all fields of a point. */
const POINTS_PER_TURN = 1000

/**
 * Spreads the work of completing many points, one by one and field by field, over turns of the event loop: in each only
 * so many, of whichever queries, and in the order of asking. So a chart of many series does not keep everything else
 * waiting until all of it is ready.
 */
export class PointTurns {
  /** The newest turn, past or to come. */
  #last: Promise<void> = Promise.resolve()
  /** The same, until it has begun. */
  #next: Promise<void> | null = null
  /** Points for which there is room in the next one. */
  #room = 0

  /** Waits for the turn of so many points, those of one series, which stay together. */
  take(points: number): Promise<void> {
    if (this.#next === null || this.#room <= 0) this.#next = this.#addTurn()
    this.#room -= points
    return this.#next
  }

  #addTurn(): Promise<void> {
    const turn = this.#last
      .then(() => eventLoopTurn())
      .then(() => {
        if (this.#next === turn) this.#next = null
      })
    this.#last = turn
    this.#room = POINTS_PER_TURN
    return turn
  }
}
