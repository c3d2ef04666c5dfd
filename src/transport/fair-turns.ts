const DONE = () => {}

/** What one holder waits with, and has had of this round. */
interface Lane {
  waiting: (() => void)[]
  /** Of `waiting`, how many have been run. */
  next: number
  taken: number
  spentMs: number
}

/**
 * Bounds how much of what clients ask for is begun in one round of the event loop, and divides it among the addresses
 * that ask: a few of each at once, the others in the rounds that follow, in the order of asking. So an address that
 * asks for thousands of things at a time, or for few that take long, has what it asks for after those of the others.
 *
 * Each runs in a callback of its own, so that the promises which it goes on in are over before the next one: they are
 * what takes long, and their time is counted by when the next one comes.
 */
export class FairTurns {
  readonly #perRound: number
  readonly #maxMs: number
  readonly #lanes = new Map<string, Lane>()
  #isScheduled = false
  /** Those that wait, of all lanes. */
  #waiting = 0
  /** The one that ran last, and when it began. */
  #last: Lane | null = null
  #startedAt = 0
  readonly #slot = () => this.#runNext()
  readonly #nextRound = () => this.#beginRound()

  /**
   * @param perRound turns in one round, of all addresses together; each has at least one
   * @param maxMs what one address may take of a round: it gets no other turn in it after that
   */
  constructor(perRound: number, maxMs: number) {
    this.#perRound = perRound
    this.#maxMs = maxMs
  }

  /** Runs now, where there is room in this round, or when it is its turn. */
  take(holder: string, run: () => void): void {
    this.#settle()
    if (!this.#isScheduled) {
      this.#isScheduled = true
      setImmediate(this.#nextRound)
    }
    let lane = this.#lanes.get(holder)
    if (!lane) {
      lane = { waiting: [], next: 0, taken: 0, spentMs: 0 }
      this.#lanes.set(holder, lane)
    }
    if (lane.waiting.length === 0 && this.#hasRoom(lane)) {
      this.#run(lane, run)
    } else {
      lane.waiting.push(run)
      this.#waiting++
    }
  }

  /** As `take`, as a promise. */
  turn(holder: string): Promise<void> {
    return new Promise((resolve) => this.take(holder, resolve))
  }

  #hasRoom({ taken, spentMs }: Lane): boolean {
    return taken < Math.max(1, this.#perRound / this.#lanes.size) && spentMs < this.#maxMs
  }

  #run(lane: Lane, run: () => void): void {
    lane.taken++
    this.#last = lane
    this.#startedAt = performance.now()
    run()
  }

  #settle(): void {
    if (this.#last) this.#last.spentMs += performance.now() - this.#startedAt
    this.#last = null
  }

  #beginRound(): void {
    this.#settle()
    this.#isScheduled = this.#waiting > 0
    for (const [holder, lane] of this.#lanes) {
      if (lane.waiting.length === 0) this.#lanes.delete(holder)
      else [lane.taken, lane.spentMs] = [0, 0]
    }
    if (!this.#isScheduled) return
    const slots = Math.min(this.#waiting, Math.max(this.#perRound, this.#lanes.size))
    for (let i = 0; i < slots; i++) setImmediate(this.#slot)
    setImmediate(this.#nextRound)
  }

  #runNext(): void {
    this.#settle()
    for (const [holder, lane] of this.#lanes) {
      if (lane.waiting.length === 0 || !this.#hasRoom(lane)) continue
      // Behind the others.
      this.#lanes.delete(holder)
      this.#lanes.set(holder, lane)
      this.#run(lane, this.#shift(lane))
      return
    }
  }

  #shift(lane: Lane): () => void {
    const run = lane.waiting[lane.next] as () => void
    // A request that was kept here until all of them are run would have outlived the young generation by then.
    lane.waiting[lane.next++] = DONE
    this.#waiting--
    // Not one by one: each would move all that follow.
    if (lane.next === lane.waiting.length || lane.next > 1000) {
      lane.waiting = lane.waiting.slice(lane.next)
      lane.next = 0
    }
    return run
  }
}
