import { setTimeout as sleep } from 'node:timers/promises'
import { call, type Operation, REPORT, type Reported, START, Unanswered } from './api.ts'
import type { Random } from './random.ts'
import type { Run } from './run.ts'

/** A batch as it is sent. */
interface Batch {
  readonly firstSequence: number
  readonly reports: readonly unknown[]
}

const PRODUCER = 'soak'
/** Largest batch; drawn for every batch, for there are talkative trainers and thrifty ones. */
const MAX_BATCH = [5, 50, 200]
const MAX_RETRY_DELAY_MS = 200
/**
 * How far its slowest subscriber may be behind when a trainer goes on; drawn for every batch. So the run
 * stays at the live end at times, and at others leaves its subscribers to the log.
 */
const ALLOWED_LAGS = [0, ...Array(9).fill(500), ...Array(10).fill(5000)]

/** One training: reports 1, 2, 3 … in batches to any of the servers, until each of them is answered. */
export class Trainer {
  /** Reports to make, before the final one. */
  readonly total: number
  /** Reports that are known to be in the log. */
  reported = 0
  /** Calls that were made again because nobody knows whether they had their effect. */
  retries = 0
  /** Answered calls that were made once more all the same, and calls that were made to two servers at once. */
  repeats = 0
  done = false
  readonly name: string
  taskId = ''
  readonly #run: Run
  readonly #random: Random

  constructor(run: Run, name: string, total: number) {
    this.#run = run
    this.#random = run.random(`trainer ${name}`)
    this.name = name
    this.total = total
  }

  /** Registers the task. */
  async register() {
    const input = { trainer: 'external', idempotencyKey: `soak-${this.name}` }
    const { startTraining } = await this.#untilAnswered(START, { input })
    this.taskId = startTraining.task.id
  }

  /** To the end of the training, or of the run. */
  async train() {
    while (this.reported < this.total) {
      await this.#wait(this.#random.pick(ALLOWED_LAGS))
      const drawn = this.#random.whole(1, this.#random.pick(MAX_BATCH))
      const size = Math.min(drawn, this.#allowed, this.total - this.reported)
      const first = this.reported + 1
      const reports = Array.from({ length: size }, (_, i) => ({ progress: { current: first + i } }))
      await this.#report(first, reports)
      this.reported += size
      for (const subscriber of this.#run.subscribersOf(this)) subscriber.knowOf(this.reported)
      if (this.#random.chance(0.1)) await this.#repeat(first, reports)
    }
    const end = [{ success: { result: { final: this.total } } }]
    await this.#report(this.total + 1, end)
    await this.#repeat(this.total + 1, end)
    this.done = true
  }

  /** Reports that it may make now: a large batch would be the rest, with faults of the first round yet to come. */
  get #allowed(): number {
    return Math.max(1, Math.ceil(this.total * this.#run.allowedShare) - this.reported)
  }

  async #wait(allowedLag: number) {
    const { signal } = this.#run
    for (;;) {
      const isTooFast = this.reported > this.total * this.#run.allowedShare
      const slowest = Math.min(...this.#run.subscribersOf(this).map(({ sequence }) => sequence.current))
      if (!isTooFast && this.reported - slowest <= allowedLag) return
      await sleep(5, undefined, { signal })
    }
  }

  async #report(firstSequence: number, reports: readonly unknown[]) {
    const input = { taskId: this.taskId, producer: PRODUCER, firstSequence, reports }
    if (this.#random.chance(0.05)) {
      await this.#reportTwice(input)
      return
    }
    const retriesBefore = this.retries
    const { reportMetrics } = await this.#untilAnswered(REPORT, { input })
    this.#check(input, reportMetrics, this.retries === retriesBefore ? 'accepted' : 'either')
  }

  /** The same batch to two servers at once, as after a time-out that was too short: it counts once. */
  async #reportTwice(input: Batch) {
    this.repeats++
    const { length } = input.reports
    const retriesBefore = this.retries
    const answers = await Promise.all([
      this.#untilAnswered(REPORT, { input }),
      this.#untilAnswered(REPORT, { input }),
    ])
    for (const { reportMetrics } of answers) this.#check(input, reportMetrics, 'either')
    const accepted = answers.reduce((sum, { reportMetrics }) => sum + reportMetrics.accepted, 0)
    const isOnce = accepted === length || (accepted === 0 && this.retries > retriesBefore)
    if (!isOnce) {
      this.#run.fail(`task ${this.name}: two calls with the same ${length} reports had ${accepted} accepted`)
    }
  }

  /** What was answered is repeated, and must change nothing. */
  async #repeat(firstSequence: number, reports: readonly unknown[]) {
    this.repeats++
    const input = { taskId: this.taskId, producer: PRODUCER, firstSequence, reports }
    const { reportMetrics } = await this.#untilAnswered(REPORT, { input })
    this.#check(input, reportMetrics, 'duplicates')
  }

  /** @param expected a batch counts whole or not at all */
  #check(
    { reports: { length }, firstSequence }: Batch,
    { accepted, duplicates }: Reported['reportMetrics'],
    expected: 'accepted' | 'duplicates' | 'either',
  ) {
    const isWhole = accepted + duplicates === length && (accepted === 0 || duplicates === 0)
    if (isWhole && (expected === 'either' || (expected === 'accepted') === accepted > 0)) return
    const found = `${accepted} accepted and ${duplicates} duplicates`
    this.#run.fail(
      `task ${this.name}: a batch of ${length} from ${firstSequence} was answered with ${found}; expected ${expected}`,
    )
  }

  async #untilAnswered<Data>(query: Operation<Data>, variables: Record<string, unknown>): Promise<Data> {
    const { signal, servers } = this.#run
    for (let tries = 0; ; tries++) {
      try {
        return await call(this.#random.pick(servers).url, query, variables)
      } catch (error) {
        if (!(error instanceof Unanswered)) {
          this.#run.fail(`task ${this.name}: a call was refused: ${error}`)
          throw error
        }
        this.retries++
        await sleep(Math.min(MAX_RETRY_DELAY_MS, 10 * 2 ** tries), undefined, { signal })
      }
    }
  }
}
