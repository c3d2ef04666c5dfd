// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { Subscriber } from './subscriber.js'

/** @typedef {import('./watched-task.js').WatchedTask} WatchedTask */
/** @typedef {import('./subscriber.js').Dialect} Dialect */

/** Connections under way at a time, where a storm is not what is measured. */
const CONNECTING = 100
/** Nothing at all arrives for so long: something was lost. */
const SILENCE_MS = 15_000
/** Time in which a repetition after the last expected delivery would arrive. */
const AFTERMATH_MS = 150
const LOOKING_MS = 5

/** @typedef {{ remaining: number, resolve: () => void, reject: (error: Error) => void }} Wait */

/** Subscribers of one server, and the wait for what all of them must get. */
export class Audience {
  /** @type {Subscriber[]} */
  subscribers = []
  deliveries = 0
  /** Called with the number of every event that reaches a subscriber. */
  /** @type {((sequence: number) => void) | null} */
  onDelivered = null
  #target
  /** @type {Error | null} */
  #failure = null
  /** @type {Wait | null} */
  #openings = null
  /** @type {Wait | null} */
  #expected = null
  /** For each event that is awaited by itself. */
  /** @type {Map<number, Wait>} */
  #awaited = new Map()
  #sign = 0
  #lastSign = 0
  #watchdog

  /** @param {{ port: number, dialect: Dialect }} target */
  constructor(target) {
    this.#target = target
    this.#watchdog = setInterval(() => this.#bark(), SILENCE_MS)
  }

  get size() {
    return this.subscribers.length
  }

  /**
   * Adds subscribers, some at a time, until there are so many; they share the tasks evenly. Resolves once
   * each has its opening message.
   *
   * @param {number} size
   * @param {readonly WatchedTask[]} tasks
   */
  async growTo(size, tasks) {
    while (this.size < size) await this.storm(Math.min(CONNECTING, size - this.size), tasks)
  }

  /**
   * Adds subscribers, all at once.
   *
   * @param {number} count
   * @param {readonly WatchedTask[]} tasks
   * @param {import('./subscriber.js').SubscriberOptions} [options]
   */
  async storm(count, tasks, options) {
    this.#throwFailure()
    const opened = /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        this.#openings = { remaining: count, resolve, reject }
      })
    )
    for (let i = 0; i < count; i++) {
      const task = /** @type {WatchedTask} */ (tasks[this.size % tasks.length])
      this.subscribers.push(new Subscriber(this.#target, task, this, options))
    }
    await opened
    this.#openings = null
  }

  /**
   * Runs what brings events in, and resolves once it is done and there were so many deliveries more.
   *
   * @param {number} deliveries
   * @param {() => Promise<unknown>} run
   */
  async expect(deliveries, run) {
    this.#throwFailure()
    if (deliveries === 0) return void (await run())
    const delivered = /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        this.#expected = { remaining: deliveries, resolve, reject }
      })
    )
    await Promise.all([run(), delivered])
    this.#expected = null
  }

  /**
   * Resolves once every subscriber has got an event, whatever else arrives meanwhile. Called before it is reported, and
   * of an audience of one task only.
   *
   * @param {number} sequence
   * @returns {Promise<void>}
   */
  everybodyHas(sequence) {
    this.#throwFailure()
    return new Promise((resolve, reject) => {
      this.#awaited.set(sequence, { remaining: this.size, resolve, reject })
    })
  }

  /**
   * Resolves once every subscriber is past an event, whenever it was reported.
   *
   * @param {number} sequence
   */
  async reached(sequence) {
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

  /** @param {{ reset?: boolean }} [options] */
  close(options = { reset: true }) {
    clearInterval(this.#watchdog)
    this.shrinkTo(0, options)
  }

  /**
   * The newest of them go, until there are so many; others may come.
   *
   * @param {number} size
   * @param {{ reset?: boolean }} [options]
   */
  shrinkTo(size, options) {
    for (const subscriber of this.subscribers.splice(size)) subscriber.close(options)
  }

  opened() {
    this.#sign++
    const openings = this.#openings
    if (openings && --openings.remaining === 0) openings.resolve()
  }

  /** @param {number} sequence */
  delivered(sequence) {
    this.#sign++
    this.deliveries++
    this.onDelivered?.(sequence)
    const expected = this.#expected
    if (expected && --expected.remaining === 0) expected.resolve()
    if (this.#awaited.size > 0) this.#deliveredAwaited(sequence)
  }

  /** @param {Error} error */
  fail(error) {
    this.#failure ??= error
    this.#openings?.reject(error)
    this.#expected?.reject(error)
    for (const { reject } of this.#awaited.values()) reject(error)
  }

  /** @param {number} sequence */
  #deliveredAwaited(sequence) {
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
