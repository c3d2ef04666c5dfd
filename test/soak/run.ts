import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../processes/free-port.ts'
import { RedisProcess } from '../processes/redis-process.ts'
import { call, EVENTS, type Logged, Unanswered } from './api.ts'
import { type Disk, dataDirectoryOn, openDisk } from './disk.ts'
import { Faults } from './faults.ts'
import type { Options } from './options.ts'
import { Random } from './random.ts'
import { Sequence } from './sequence.ts'
import { Server } from './server.ts'
import { Subscriber, showsTheEnd } from './subscriber.ts'
import { Trainer } from './trainer.ts'

/** Every command is on disk before it is answered, so that nothing Redis has confirmed is ever lost. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']
const KEY_PREFIX = 'soak:'
/** Some faults last for longer: servers meet calls that time out and still have their effect. */
const REDIS_TIMEOUT_SECONDS = 1
/** A subscriber that is connected and gets nothing for so long, or a run in which nothing happens. */
const STUCK_MS = 60_000
const WATCH_INTERVAL_MS = 1000
const RECOVERY_TIMEOUT_MS = 10_000
const RECHECKED_TASKS = 20
const MAX_PROBLEMS = 20

/** One run, from the first process to the verdict. Everything it opens is gone after `close`. */
export class Run {
  readonly options: Options
  /** What went wrong; empty for a run that held. */
  readonly problems: string[] = []
  readonly servers: Server[] = []
  readonly trainers: Trainer[] = []
  readonly subscribers: Subscriber[] = []
  /** Events that subscribers got. */
  delivered = 0
  /** Events in the logs, as they were read at the end. */
  logged = 0
  /** Channels of Redis that somebody still listened to when all subscribers had left. */
  channelsLeft: number | null = null
  phase: 'starting' | 'running' | 'verifying' | 'over' = 'starting'
  /** From the first report to the last delivery. */
  durationMs = 0
  readonly faults: Faults
  #redis: RedisProcess | undefined
  #disk: Disk | undefined
  readonly #abort = new AbortController()
  readonly #startedAt = Date.now()

  /** @throws UsageError */
  constructor(options: Options) {
    this.options = options
    // All that wait listen to it.
    setMaxListeners(0, this.signal)
    this.faults = new Faults(this)
  }

  get redis(): RedisProcess {
    if (!this.#redis) throw new Error('Redis was not started yet')
    return this.#redis
  }

  /** Where the data directory is. */
  get disk(): Disk {
    if (!this.#disk) throw new Error('this run has no disk of its own')
    return this.#disk
  }

  /** Aborted once the run is over, for whatever reason. */
  get signal() {
    return this.#abort.signal
  }

  random(actor: string) {
    return new Random(this.options.seed, actor)
  }

  subscribersOf(trainer: Trainer) {
    return this.subscribers.filter((subscriber) => subscriber.trainer === trainer)
  }

  /** How much of its reports a trainer may have made: so that the first round of faults meets all of the run. */
  get allowedShare() {
    return this.options.faults ? this.faults.firstRound : 1
  }

  get reported() {
    return this.trainers.reduce((sum, { reported }) => sum + reported, 0)
  }

  get reconnects() {
    return this.subscribers.reduce((sum, { reconnects }) => sum + reconnects, 0)
  }

  get elapsedMs() {
    return Date.now() - this.#startedAt
  }

  fail(problem: string) {
    // What follows from the end of the run is no finding.
    if (this.signal.aborted && this.problems.length > 0) return
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem)
    this.#abort.abort()
  }

  /** Resolves once there is a verdict: `problems`. */
  async go() {
    const tooLate = setTimeout(() => this.#giveUp(), this.options.seconds * 1000)
    const watching = setInterval(() => this.#watch(), WATCH_INTERVAL_MS)
    try {
      await this.#start()
      this.phase = 'running'
      await this.#trainAndWatch()
      this.phase = 'verifying'
      await this.#verify()
    } catch (error) {
      if (!this.signal.aborted) this.fail(String(error))
    } finally {
      clearTimeout(tooLate)
      clearInterval(watching)
      this.phase = 'over'
    }
  }

  async close() {
    this.#abort.abort()
    await this.faults.settle()
    await Promise.all(this.servers.map((server) => server.kill()))
    await this.#redis?.close()
    this.#disk?.close()
  }

  async #start() {
    const onCrash = (what: string) => this.fail(what)
    const engine = await this.#startEngine(onCrash)
    for (let i = 0; i < this.options.servers; i++) {
      const env = {
        ...engine,
        // All of it: the log is what the subscribers are held against.
        EPOCHCAST_RETAIN_EVENTS: `${this.options.events + 1000}`,
      }
      const name = `server ${String.fromCharCode(65 + i)}`
      const command = [process.execPath, this.options.server, 'serve'] as const
      this.servers.push(new Server({ name, command, env, onCrash }, await freePort()))
    }
    await Promise.all(this.servers.map((server) => server.start()))
    const { events, tasks } = this.options
    for (let i = 0; i < tasks; i++) {
      const share = Math.floor(events / tasks) + (i < events % tasks ? 1 : 0)
      this.trainers.push(new Trainer(this, `${i + 1}`, share))
    }
    await Promise.all(this.trainers.map((trainer) => trainer.register()))
    for (let i = 0; i < this.options.subscribers; i++) {
      const trainer = this.trainers[i % tasks] as Trainer
      // Neighbours of one task sit on different servers.
      const server = this.servers[Math.floor(i / tasks) % this.servers.length] as Server
      this.subscribers.push(new Subscriber(this, `${i + 1}`, trainer, server))
    }
  }

  /** @returns the settings by which servers have it */
  async #startEngine(onCrash: (what: string) => void): Promise<Record<string, string>> {
    if (this.options.engine === 'lmdb') {
      this.#disk = openDisk(this.options)
      return { EPOCHCAST_DATA: dataDirectoryOn(this.#disk) }
    }
    this.#redis = await RedisProcess.start(DURABLE, onCrash)
    return {
      REDIS_URL: this.redis.url,
      EPOCHCAST_KEY_PREFIX: KEY_PREFIX,
      EPOCHCAST_REDIS_TIMEOUT_SECONDS: `${REDIS_TIMEOUT_SECONDS}`,
    }
  }

  async #trainAndWatch() {
    const start = Date.now()
    const ended = new AbortController()
    const watching = this.subscribers.map((subscriber) => subscriber.watch())
    const all = Promise.all([...watching, this.#train()])
    const firing = this.options.faults
      ? this.faults.fire(AbortSignal.any([this.signal, ended.signal])).catch((error) => {
          if (error.name !== 'AbortError') this.fail(String(error))
        })
      : undefined
    try {
      await all
      this.durationMs = Date.now() - start
    } finally {
      ended.abort()
      await firing
      await this.faults.settle()
    }
  }

  async #train() {
    while (!this.subscribers.every(({ ready }) => ready)) await sleep(5, undefined, { signal: this.signal })
    await Promise.all(this.trainers.map((trainer) => trainer.train()))
  }

  async #verify() {
    for (const trainer of this.trainers) {
      const log = await this.#readLog(trainer)
      this.logged += log.offset
      const digest = log.digest()
      if (log.current !== trainer.total) {
        this.fail(`the log of task ${trainer.name} has ${log.current} reports; expected ${trainer.total}`)
      }
      if (log.final !== 'TrainingSucceeded') {
        this.fail(`the log of task ${trainer.name} ends with ${log.final}; expected TrainingSucceeded`)
      }
      for (const { sequence, state } of this.subscribersOf(trainer)) {
        if (sequence.offset !== log.offset || sequence.digest() !== digest) {
          this.fail(`what was seen is not the log, which has ${log.offset} events (${state})`)
        }
      }
    }
    await this.#checkRecovered()
    if (this.options.engine === 'redis') await this.#checkReleased()
  }

  /** All of it, page by page, from one server after the other. */
  async #readLog(trainer: Trainer) {
    const log = new Sequence()
    let after: string | null = null
    for (let page = 0; ; page++) {
      const { url } = this.servers[page % this.servers.length] as Server
      const { task } = await this.#untilAnswered(url, { taskId: trainer.taskId, after })
      for (const { node } of task.events.edges) {
        const problem = log.take(node)
        if (problem) {
          this.fail(`the log of task ${trainer.name} itself: ${problem}`)
          return log
        }
      }
      const { hasNextPage, endCursor } = task.events.pageInfo
      if (hasNextPage) after = endCursor
      else if (task.status === 'SUCCESS' && task.current === trainer.total) return log
      else {
        this.fail(
          `task ${trainer.name} is ${task.status} at ${task.current}; expected SUCCESS at ${trainer.total}`,
        )
        return log
      }
    }
  }

  async #untilAnswered(url: string, variables: Record<string, unknown>): Promise<Logged> {
    for (;;) {
      try {
        return await call(url, EVENTS, variables)
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error
        await sleep(50, undefined, { signal: this.signal })
      }
    }
  }

  /** Every subscriber has left: nothing may be held for them any more. */
  async #checkReleased() {
    await this.#soon('the servers to leave the channels that nobody watches', async () => {
      const subscribed = (await this.redis.run((client) => client.pubsub('CHANNELS'))) as string[]
      // Servers listen to listings for as long as they live.
      const channels = subscribed.filter((channel) => !channel.endsWith('epochcast:listings'))
      this.channelsLeft = channels.length
      return channels.length === 0
    })
  }

  /** The faults are over: every server must have found its way back by itself. */
  async #checkRecovered() {
    for (const server of this.servers) {
      await this.#soon(`${server.name} to be ready again`, async () => {
        const response = await fetch(new URL('/ready', server.url)).catch(() => null)
        return response?.ok === true
      })
      for (const { name, taskId } of this.trainers.slice(0, RECHECKED_TASKS)) {
        await this.#soon(`${server.name} to show the end of task ${name}`, () => showsTheEnd(server, taskId))
      }
    }
  }

  async #soon(what: string, look: () => Promise<boolean>) {
    const end = Date.now() + RECOVERY_TIMEOUT_MS
    while (!(await look())) {
      if (Date.now() > end) {
        return this.fail(
          `all is over and up again, and waited ${RECOVERY_TIMEOUT_MS / 1000} s in vain for ${what}`,
        )
      }
      await sleep(50, undefined, { signal: this.signal })
    }
  }

  #watch() {
    for (const server of this.servers) server.measure()
    const stuck = this.phase === 'running' && this.subscribers.find(({ waitedMs }) => waitedMs > STUCK_MS)
    if (stuck)
      this.fail(`connected, and no event for ${STUCK_MS / 1000} s although there are more: ${stuck.state}`)
  }

  #giveUp() {
    this.fail(`not over after ${this.options.seconds} s, while ${this.phase}`)
    for (const { name, reported, total, done } of this.trainers) {
      if (!done) this.problems.push(`unfinished: task ${name} reported ${reported} of ${total}`)
    }
    for (const { state, done } of this.subscribers) if (!done) this.problems.push(`unfinished: ${state}`)
  }
}
