import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialect } from './dialects.ts'
import { Subscriber, type SubscriberOptions } from './subscriber.ts'
import type { WatchedTask } from './watched-task.ts'

/** Connections under way at a time, where a storm is not what is measured. */
const CONNECTING = 100
/** Nothing at all arrives for so long: something was lost. */
const SILENCE_MS = 15_000
/** Time in which a repetition after the last expected delivery would arrive. */
const AFTERMATH_MS = 150
const LOOKING_MS = 5

export type Wait = { remaining: number; resolve: () => void; reject: (error: Error) => void }

/** Subscribers of one server, and the wait for what all of them must get. */
export class Audience {
  subscribers: Subscriber[] = []
  deliveries = 0
  /** Called with the number of every event that reaches a subscriber. */
  onDelivered: ((sequence: number) => void) | null = null
  readonly #target: { port: number; dialect: Dialect }
  #failure: Error | null = null
  #openings: Wait | null = null
  #expected: Wait | null = null
  /** For each event that is awaited by itself. */
  readonly #awaited: Map<number, Wait> = new Map()
  #sign = 0
  #lastSign = 0
  readonly #watchdog: NodeJS.Timeout

  constructor(target: { port: number; dialect: Dialect }) {
    this.#target = target
    this.#watchdog = setInterval(() => this.#bark(), SILENCE_MS)
  }

  get size() {
    return this.subscribers.length
  }

  /**
   * Adds subscribers, some at a time, until there are so many; they share the tasks evenly. Resolves once
   * each has its opening message.
   */
  async growTo(size: number, tasks: readonly WatchedTask[]) {
    while (this.size < size) await this.storm(Math.min(CONNECTING, size - this.size), tasks)
  }

  /** Adds subscribers, all at once. */
  async storm(count: number, tasks: readonly WatchedTask[], options?: SubscriberOptions) {
    this.#throwFailure()
    const opened = new Promise<void>((resolve, reject) => {
      this.#openings = { remaining: count, resolve, reject }
    })
    for (let i = 0; i < count; i++) {
      const task = tasks[this.size % tasks.length] as WatchedTask
      this.subscribers.push(new Subscriber(this.#target, task, this, options))
    }
    await opened
    this.#openings = null
  }

  /** Runs what brings events in, and resolves once it is done and there were so many deliveries more. */
  async expect(deliveries: number, run: () => Promise<unknown>) {
    this.#throwFailure()
    if (deliveries === 0) return void (await run())
    const delivered = new Promise<void>((resolve, reject) => {
      this.#expected = { remaining: deliveries, resolve, reject }
    })
    await Promise.all([run(), delivered])
    this.#expected = null
  }

  /**
   * Resolves once every subscriber has got an event, whatever else arrives meanwhile. Called before it is reported, and
   * of an audience of one task only.
   */
  everybodyHas(sequence: number): Promise<void> {
    this.#throwFailure()
    return new Promise((resolve, reject) => {
      this.#awaited.set(sequence, { remaining: this.size, resolve, reject })
    })
  }

  /** Resolves once every subscriber is past an event, whenever it was reported. */
  async reached(sequence: number) {
    const deadline = performance.now() + SILENCE_MS
    while (this.subscribers.some(({ next }) => next <= sequence)) {
      this.#throwFailure()
      if (performance.now() > deadline) throw new Error(`event ${sequence} did not reach everybody`)
      await sleep(LOOKING_MS)
    }
    this.#throwFailure()
  }

  /** Nothing may come after the last expected delivery. */
  async settle() {
    await sleep(AFTERMATH_MS)
    this.#throwFailure()
  }

  close(options: { reset?: boolean } = { reset: true }) {
    clearInterval(this.#watchdog)
    this.shrinkTo(0, options)
  }

  /** The newest of them go, until there are so many; others may come. */
  shrinkTo(size: number, options?: { reset?: boolean }) {
    for (const subscriber of this.subscribers.splice(size)) subscriber.close(options)
  }

  opened() {
    this.#sign++
    const openings = this.#openings
    if (openings && --openings.remaining === 0) openings.resolve()
  }

  delivered(sequence: number) {
    this.#sign++
    this.deliveries++
    this.onDelivered?.(sequence)
    const expected = this.#expected
    if (expected && --expected.remaining === 0) expected.resolve()
    if (this.#awaited.size > 0) this.#deliveredAwaited(sequence)
  }

  fail(error: Error) {
    this.#failure ??= error
    this.#openings?.reject(error)
    this.#expected?.reject(error)
    for (const { reject } of this.#awaited.values()) reject(error)
  }

  #deliveredAwaited(sequence: number) {
    const awaited = this.#awaited.get(sequence)
    if (!awaited || --awaited.remaining > 0) return
    this.#awaited.delete(sequence)
    awaited.resolve()
  }

  #bark() {
    if (this.#sign === this.#lastSign) {
      if (this.#openings) this.fail(new Error(`${this.#openings.remaining} openings never came`))
      if (this.#expected) this.fail(new Error(`${this.#expected.remaining} deliveries never came`))
      for (const [sequence, { remaining }] of this.#awaited) {
        this.fail(new Error(`event ${sequence} never came to ${remaining} subscribers`))
      }
    }
    this.#lastSign = this.#sign
  }

  #throwFailure() {
    if (this.#failure) throw this.#failure
  }
}
