import { EpochcastError } from '../task/errors.ts'

/** Something that is done again and again while there is a reason, never twice at a time. */
export class Repeating {
  readonly #work: () => Promise<void>
  readonly #everyMs: number
  readonly #onError: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #underWay: Promise<void> | null = null

  /** @param onError not told of a queue that is out of reach, which its connection tells of */
  constructor(work: () => Promise<void>, everyMs: number, onError: (error: unknown) => void) {
    this.#work = work
    this.#everyMs = everyMs
    this.#onError = onError
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#run(), this.#everyMs)
  }

  pause(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Resolves once nothing is under way. */
  async close(): Promise<void> {
    this.pause()
    await this.#underWay
  }

  #run(): void {
    this.#underWay ??= this.#work()
      .catch((error: unknown) => {
        if (!(error instanceof EpochcastError)) this.#onError(error)
      })
      .finally(() => {
        this.#underWay = null
      })
  }
}
