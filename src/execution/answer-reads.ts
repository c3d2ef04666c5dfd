import { answerTooLarge } from '../schema/answer.ts'
import { LIMITS } from '../task/limits.ts'
import type { AnswerSize } from './answer-room.ts'

/** Reads of one answer under way at a time. */
const READS_AT_ONCE = 4

/** What one answer reads: equal reads once, and a few at a time, so that too much is noticed before all of it is read. */
export class AnswerReads {
  readonly #known = new Map<string, Promise<unknown>>()
  readonly #waiting: (() => void)[] = []
  readonly #held: AnswerSize
  #underWay = 0
  #size = 0

  constructor(held: AnswerSize) {
    this.#held = held
  }

  /** As `Answer.read`. */
  read<Found>(key: string, read: () => Promise<Found>, sizeOf: (found: Found) => number): Promise<Found> {
    let known = this.#known.get(key) as Promise<Found> | undefined
    if (!known) {
      known = this.#inTurn(read, sizeOf)
      this.#known.set(key, known)
    }
    return known
  }

  async #inTurn<Found>(read: () => Promise<Found>, sizeOf: (found: Found) => number): Promise<Found> {
    while (this.#underWay >= READS_AT_ONCE) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#underWay++
    try {
      this.#check()
      const found = await read()
      const size = sizeOf(found)
      this.#size += size
      this.#check()
      this.#held.add(size)
      return found
    } finally {
      this.#underWay--
      // An engine in this process needs no turn of the event loop for a read, and all of them could take place in one.
      const next = this.#waiting.shift()
      if (next) setImmediate(next)
    }
  }

  #check(): void {
    if (this.#size > LIMITS.answerReads)
      throw answerTooLarge('what is read for the answer has', LIMITS.answerReads)
  }
}
