import { wordsFor } from '../bounds/holders.ts'
import { RateLimit } from '../bounds/rate-limit.ts'
import { accountOf, type Caller, holdersOf } from '../repository/access.ts'
import { EpochcastError } from '../task/errors.ts'

export interface StartBoundsOptions {
  /** Trainings that one address may start in an hour; null for no bound. */
  readonly startsPerHour: number | null
  /** Tasks that there may be in all, finished ones among them. */
  readonly maxTasks: number
  readonly taskCount: () => number
  /** Unfinished tasks that one address may have; null for no bound. */
  readonly maxUnfinished: number | null
  /** How many an account has. */
  readonly unfinishedOf: (account: string) => number
}

/** So many minutes' starts may come at once, as those of a sweep do. */
const BURST_MINUTES = 6

/** What may be started: of all tasks that a server can keep in view, and of those of one address. */
export class StartBounds {
  readonly #options: StartBoundsOptions
  readonly #rate: RateLimit | null

  constructor(options: StartBoundsOptions) {
    const { startsPerHour } = options
    this.#options = options
    this.#rate =
      startsPerHour === null
        ? null
        : new RateLimit(
            'trainings started by this caller',
            {
              perSecond: startsPerHour / 3600,
              burst: Math.max(1, Math.ceil((startsPerHour * BURST_MINUTES) / 60)),
            },
            'EPOCHCAST_STARTS_PER_HOUR',
          )
  }

  /**
   * To be asked before a task is created, and not for a repeat that finds its task.
   *
   * @throws EpochcastError TOO_MANY_TASKS, RATE_LIMITED
   */
  take(caller: Pick<Caller, 'subject' | 'address'>): void {
    const { maxTasks, taskCount, maxUnfinished, unfinishedOf } = this.#options
    const all = taskCount()
    if (all >= maxTasks) {
      throw new EpochcastError(
        'TOO_MANY_TASKS',
        `there are ${all} tasks; expected at most ${maxTasks} (EPOCHCAST_MAX_TASKS). Delete some, or let them go sooner (EPOCHCAST_RETAIN_SECONDS)`,
      )
    }
    const account = accountOf(caller)
    if (account === null) return
    const count = maxUnfinished === null ? 0 : unfinishedOf(account)
    if (maxUnfinished !== null && count >= maxUnfinished) {
      throw new EpochcastError(
        'TOO_MANY_TASKS',
        `${wordsFor(account)} has ${count} unfinished tasks; expected at most ${maxUnfinished} (EPOCHCAST_MAX_TASKS_PER_ADDRESS). Finish or cancel some`,
      )
    }
    for (const holder of holdersOf(caller)) this.#rate?.take(holder)
  }
}
