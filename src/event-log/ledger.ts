import { wordsFor } from '../bounds/holders.ts'
import { EpochcastError } from '../task/errors.ts'

/** What is counted: the log of a task in an engine, or what is known of it. */
export interface Holding {
  /** Who pays for it; null for the server, which has no share. */
  readonly owner: string | null
  readonly bytes: number
}

export interface LedgerOptions {
  /** Bytes of all tasks together. */
  readonly maxBytes: number
  /** Part of them that unfinished tasks of one owner may hold where nobody else holds any; 1 for no bound. */
  readonly share: number
  /** The variables that change the two, and what holds the bytes, for refusals. */
  readonly words: { readonly engine: string; readonly maxBytes: string; readonly share: string }
}

interface Account<Task> {
  /** Bytes of unfinished tasks, and of finished ones. */
  held: number
  kept: number
  /** In the order in which they were created. */
  readonly unfinished: Set<Task>
  /** In the order in which they finished. */
  readonly finished: Set<Task>
  /** Where the last look for something to trim ended. */
  turn: Iterator<Task>
}

/** Tasks, or owners, that one decision looks at: enough to find a large one, and no more work than a report is. */
const SAMPLE = 64

/**
 * Who holds how many bytes of a store, and who has to give way. Finished tasks are kept as long as there is room.
 * Unfinished ones cannot be taken from their trainers, so what they hold is shared out by a dynamic threshold (Choudhury
 * and Hahne, 1998): an owner may hold so many times what nobody holds. With a share of 0.9, an owner that is alone
 * may hold 90 %, two that want all they can get hold 47 % each, and there is always some room for one more.
 */
export class Ledger<Task extends Holding> {
  readonly #options: LedgerOptions
  readonly #accounts = new Map<string | null, Account<Task>>()
  /** In the order in which they finished. */
  readonly #finished = new Set<Task>()
  #held = 0
  #kept = 0
  #turn: Iterator<Account<Task>> = this.#accounts.values()

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  get bytes(): number {
    return this.#held + this.#kept
  }

  /** Tasks that have finished, the oldest end first. */
  get finished(): ReadonlySet<Task> {
    return this.#finished
  }

  add(task: Task, isFinished = false): void {
    const account = this.#accountOf(task.owner)
    if (isFinished) {
      account.finished.add(task)
      this.#finished.add(task)
    } else account.unfinished.add(task)
    this.#count(account, isFinished, task.bytes)
  }

  remove(task: Task): void {
    const account = this.#accountOf(task.owner)
    const isFinished = account.finished.delete(task)
    if (isFinished) this.#finished.delete(task)
    if (isFinished || account.unfinished.delete(task)) this.#count(account, isFinished, -task.bytes)
    if (account.finished.size + account.unfinished.size === 0) this.#accounts.delete(task.owner)
  }

  /** After a task has become larger or, by less than 0, smaller. */
  grew(task: Task, bytes: number): void {
    const account = this.#accountOf(task.owner)
    this.#count(account, account.finished.has(task), bytes)
  }

  /** The task has finished, or has come back from that. */
  move(task: Task, isFinished: boolean): void {
    if (this.#finished.has(task) === isFinished) return
    this.remove(task)
    this.add(task, isFinished)
  }

  /** Bytes that unfinished tasks of an owner have to give up before they may grow; 0 or less where they may. */
  excess(owner: string | null, growth: number): number {
    if (growth <= 0) return 0
    const share = owner === null ? 1 : this.#options.share
    const free = this.#options.maxBytes - this.#held - growth
    const own = (this.#accounts.get(owner)?.held ?? 0) + growth
    // Giving up makes room and lowers what is held, so both sides of `own <= share / (1 - share) * free` move.
    return (1 - share) * own - share * free
  }

  /** Bytes by which all of them would be too many after a growth. */
  missing(growth: number): number {
    return this.bytes + growth - this.#options.maxBytes
  }

  /** Bytes that are missing for a growth even when all finished tasks are dropped, but for this one; 0 or less for none. */
  shortage(growth: number, keep: Task | null): number {
    const keptBytes = keep !== null && this.#finished.has(keep) ? keep.bytes : 0
    return this.missing(growth) - (this.#kept - keptBytes)
  }

  /** Some unfinished tasks of an owner, others at each call; of few all. */
  someOf(owner: string | null): Set<Task> {
    const account = this.#accounts.get(owner)
    const some = new Set<Task>()
    if (!account) return some
    for (let looked = 0; looked < Math.min(SAMPLE, account.unfinished.size); looked++) {
      let next = account.turn.next()
      if (next.done) {
        account.turn = account.unfinished.values()
        next = account.turn.next()
      }
      if (!next.done) some.add(next.value)
    }
    return some
  }

  /**
   * The finished task that is dropped first: the oldest of an owner that has more than its part of the store, and of
   * several such owners of the one that has most; else the oldest of all.
   */
  firstToDrop(keep: Task | null): Task | undefined {
    let largest: Account<Task> | undefined
    const fairShare = this.#options.maxBytes / this.#accounts.size
    for (let looked = 0; looked < Math.min(SAMPLE, this.#accounts.size); looked++) {
      let next = this.#turn.next()
      if (next.done) {
        this.#turn = this.#accounts.values()
        next = this.#turn.next()
      }
      if (next.done) break
      const account = next.value
      const bytes = account.held + account.kept
      const isOver = bytes > fairShare && account.finished.size > 0
      if (isOver && bytes > (largest ? largest.held + largest.kept : 0)) largest = account
    }
    return (largest && firstBut(keep, largest.finished)) ?? firstBut(keep, this.#finished)
  }

  /** @param growth that there is no room for */
  refusal(owner: string | null, growth: number): EpochcastError {
    const { maxBytes, share, words } = this.#options
    const own = this.#accounts.get(owner)?.held ?? 0
    const isShare = owner !== null && this.#held + growth <= maxBytes
    const whose = isShare
      ? `unfinished tasks of ${wordsFor(owner ?? '')} hold ${own} bytes, and ${maxBytes - this.#held} are free; with ${growth} more they would be over their share of ${share} (${words.share})`
      : `unfinished tasks hold ${this.#held} of ${maxBytes} bytes; there is no room for ${growth} more`
    return new EpochcastError(
      'STORE_FULL',
      `${words.engine} is full: ${whose}. Nothing was applied; raise ${words.maxBytes}, or finish or cancel some`,
    )
  }

  #accountOf(owner: string | null): Account<Task> {
    let account = this.#accounts.get(owner)
    if (!account) {
      const unfinished = new Set<Task>()
      account = { held: 0, kept: 0, unfinished, finished: new Set(), turn: unfinished.values() }
      this.#accounts.set(owner, account)
    }
    return account
  }

  #count(account: Account<Task>, isFinished: boolean, bytes: number): void {
    if (isFinished) {
      account.kept += bytes
      this.#kept += bytes
    } else {
      account.held += bytes
      this.#held += bytes
    }
  }
}

function firstBut<T>(but: T | null, all: ReadonlySet<T>): T | undefined {
  for (const one of all) if (one !== but) return one
  return undefined
}
