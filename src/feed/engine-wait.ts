import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../event-log/store.ts'
import { EpochcastError } from '../task/errors.ts'

/** Time between two looks for the engine, which all that wait share. */
const LOOK_AGAIN_MS = 250
const RETRY_AFTER_MS = 1000

/**
 * Lets subscriptions be opened while the engine is out of reach: a client takes a refusal for the end, though the failure
 * passes. However many wait, one command at a time asks whether it is back.
 */
export class EngineWait {
  readonly #engine: Pick<Store, 'status'>
  readonly #waitMs: number
  #looking: Promise<boolean> | undefined

  /** @param waitMs longest wait, beside that of the last command itself */
  constructor(engine: Pick<Store, 'status'>, waitMs: number) {
    this.#engine = engine
    this.#waitMs = waitMs
  }

  /**
   * What `open` resolves to, once the engine is in reach.
   *
   * @param isLeft whether nobody waits for it any more: it is then refused at once
   * @throws EpochcastError ENGINE_UNAVAILABLE where it took too long; and whatever else `open` throws
   */
  async opened<T>(open: () => Promise<T>, isLeft: () => boolean): Promise<T> {
    const end = performance.now() + this.#waitMs
    const isOver = () => isLeft() || performance.now() >= end
    for (;;) {
      try {
        return await open()
      } catch (error) {
        if (!(error instanceof EpochcastError) || error.code !== 'ENGINE_UNAVAILABLE') throw error
        if (isOver()) throw this.#refusal(error)
      }
      while (!(await this.#isBack()) && !isOver());
    }
  }

  /** As `opened`, for what needs the engine, but would not notice that it is away. */
  openedInReach<T>(open: () => Promise<T>, isLeft: () => boolean): Promise<T> {
    return this.opened(async () => {
      const { connected } = await this.#engine.status()
      if (!connected) throw new EpochcastError('ENGINE_UNAVAILABLE', 'the engine is out of reach')
      return open()
    }, isLeft)
  }

  #isBack(): Promise<boolean> {
    this.#looking ??= this.#lookAgain().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookAgain(): Promise<boolean> {
    await sleep(LOOK_AGAIN_MS, undefined, { ref: false })
    return (await this.#engine.status()).connected
  }

  /** In words of its own: those of the engine's library are for the log. */
  #refusal(cause: EpochcastError): EpochcastError {
    const seconds = this.#waitMs / 1000
    return new EpochcastError(
      'ENGINE_UNAVAILABLE',
      `the engine was out of reach for ${seconds} s (EPOCHCAST_ENGINE_WAIT_SECONDS); nothing was subscribed, try again later`,
      { cause, details: { retryAfterMs: RETRY_AFTER_MS } },
    )
  }
}
