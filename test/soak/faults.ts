import { setTimeout as sleep } from 'node:timers/promises'
import { empty, fill } from './disk.ts'
import { UsageError } from './options.ts'
import type { Random } from './random.ts'
import type { Run } from './run.ts'

/** How long Redis is frozen: the servers wait for shorter, so that some calls time out and have their effect later. */
const FREEZE_MS = { min: 100, max: 2500 }
/** What servers take to be back on Redis after a cut. */
const MAX_RECONNECTION_MS = 150
const MAX_DOWN_MS = 700
const MAX_FULL_MS = 2000
const UP_MS = { min: 200, max: 1500 }

type Kinds = Record<string, () => Promise<void> | void>

/** Breaks what a network and an operator can break, one thing after the other, and puts it up again. */
export class Faults {
  /** How often each kind was fired. */
  readonly counts: Record<string, number> = {}
  /** The newest, for the evidence. */
  readonly latest: string[] = []
  readonly #run: Run
  readonly #random: Random
  /** What is being put up again. */
  readonly #recovering: Map<object, Promise<void>> = new Map()
  readonly #start = Date.now()
  #fired = 0
  #latestAt = Date.now()
  readonly #ofRedis: Kinds = {
    'CLIENT KILL TYPE pubsub': () => this.#killClients('pubsub'),
    'CLIENT KILL TYPE normal': () => this.#killClients('normal'),
    'Redis restarted': () => this.#restartRedis('SIGTERM'),
    'Redis killed': () => this.#restartRedis('SIGKILL'),
    'Redis frozen': () => this.#freezeRedis(),
  }
  readonly #ofDisk: Kinds = { 'disk full': () => this.#fillDisk() }
  readonly #ofPower: Kinds = { 'power cut': () => this.#cutPower() }
  readonly #ofAll: Kinds = {
    'sockets cut': () => this.#cutSockets(),
    'server restarted': () => this.#restartServer('SIGTERM'),
    'server killed': () => this.#restartServer('SIGKILL'),
  }
  readonly #kinds: Kinds

  /** @throws UsageError */
  constructor(run: Run) {
    this.#run = run
    this.#random = run.random('faults')
    const { only, faults, engine, diskMiB, powerCuts } = run.options
    this.#kinds = {
      ...this.#ofAll,
      ...(engine === 'redis' ? this.#ofRedis : {}),
      ...(diskMiB === null ? {} : this.#ofDisk),
      ...(powerCuts ? this.#ofPower : {}),
    }
    for (const kind of Object.keys(this.#kinds)) {
      if (faults && only.some((part) => kind.includes(part))) this.counts[kind] = 0
    }
    if (faults && Object.keys(this.counts).length === 0) {
      throw new UsageError(
        `--faults is ${only.join(',')}; expected parts of these names: ${Object.keys(this.#kinds).join(', ')}`,
      )
    }
  }

  /** In rounds of every kind once, in another order each time. */
  async fire(signal: AbortSignal) {
    const kinds = Object.keys(this.counts)
    this.#latestAt = Date.now()
    for (;;) {
      for (const kind of this.#random.shuffled(kinds)) {
        await sleep(this.#run.options.faultIntervalMs * 2 * this.#random.fraction(), undefined, { signal })
        await this.#kinds[kind]?.()
        this.counts[kind] = (this.counts[kind] ?? 0) + 1
        this.#fired++
        this.#latestAt = Date.now()
      }
    }
  }

  /** How far the first round is, from 0 to 1; it grows between the faults, too, so that what follows it is steady. */
  get firstRound() {
    // Never all of a fault that has yet to come, or the run could be over before it.
    const next = Math.min(0.9, (Date.now() - this.#latestAt) / this.#run.options.faultIntervalMs)
    return Math.min(1, (this.#fired + next) / Object.keys(this.counts).length)
  }

  /** Resolves once everything is up. */
  async settle() {
    await Promise.all(this.#recovering.values())
  }

  #cutSockets() {
    const sockets = this.#run.subscribers.filter(({ done }) => !done)
    const share = this.#random.pick([0.1, 0.5, 1])
    const cut = sockets.filter(() => this.#random.chance(share))
    this.#note(`${cut.length} sockets cut`)
    for (const subscriber of cut) subscriber.cut()
  }

  async #killClients(type: 'pubsub' | 'normal') {
    const { redis } = this.#run
    await this.#untilUp(redis)
    const killed = await redis
      .run((client) => client.client('KILL', 'TYPE', type))
      .catch((error) => String(error))
    this.#note(`CLIENT KILL TYPE ${type}: ${killed}`)
  }

  async #restartRedis(signal: 'SIGTERM' | 'SIGKILL') {
    const { redis } = this.#run
    const downMs = this.#random.whole(0, MAX_DOWN_MS)
    await this.#untilUp(redis)
    this.#note(`Redis ${signal}, down for ${downMs} ms`)
    await (signal === 'SIGTERM' ? redis.end() : redis.kill())
    this.#recover(redis, 'Redis is back', downMs, () => redis.start())
  }

  async #fillDisk() {
    const { disk } = this.#run
    const fullMs = this.#random.whole(0, MAX_FULL_MS)
    await this.#untilUp(disk)
    this.#note(`disk full for ${fullMs} ms`)
    fill(disk)
    this.#recover(disk, 'disk has room', fullMs, async () => empty(disk))
  }

  async #cutPower() {
    const { disk } = this.#run
    const [server] = this.#run.servers
    if (!server || !disk.power) throw new Error('there is no power to cut')
    const downMs = this.#random.whole(0, MAX_DOWN_MS)
    await Promise.all([this.#untilUp(server), this.#untilUp(disk)])
    this.#note(`power cut, down for ${downMs} ms`)
    // It goes on for a moment, as what it asks of the disk fails: nothing of that may be acknowledged, or shown.
    server.expectEnd()
    await disk.power.cut()
    await server.kill()
    disk.power.restore()
    this.#recover(server, `${server.name} is back`, downMs, () => server.start())
  }

  async #freezeRedis() {
    const { redis } = this.#run
    const frozenMs = this.#random.whole(FREEZE_MS.min, FREEZE_MS.max)
    await this.#untilUp(redis)
    // Half of the time while the servers subscribe once more, as in a failover.
    if (this.#random.chance(0.5)) {
      await this.#killClients('pubsub')
      await sleep(this.#random.whole(0, MAX_RECONNECTION_MS))
    }
    this.#note(`Redis frozen for ${frozenMs} ms`)
    redis.freeze()
    this.#recover(redis, 'Redis goes on', frozenMs, async () => redis.thaw())
  }

  async #restartServer(signal: 'SIGTERM' | 'SIGKILL') {
    const server = this.#random.pick(this.#run.servers)
    const downMs = this.#random.whole(0, MAX_DOWN_MS)
    await this.#untilUp(server)
    this.#note(`${server.name} ${signal}, down for ${downMs} ms`)
    await (signal === 'SIGTERM' ? server.end() : server.kill())
    this.#recover(server, `${server.name} is back`, downMs, () => server.start())
  }

  /** With some time in which it is of use again: what is never up cannot be expected to serve. */
  async #untilUp(part: object) {
    const recovering = this.#recovering.get(part)
    if (!recovering) return
    await recovering
    await sleep(this.#random.whole(UP_MS.min, UP_MS.max), undefined, { signal: this.#run.signal })
  }

  /** Goes on in the background, so that faults of different parts overlap. */
  #recover(part: object, note: string, downMs: number, putUp: () => Promise<void>) {
    const recovering = sleep(downMs)
      .then(() => (this.#run.signal.aborted ? undefined : putUp()))
      .then(
        () => this.#note(note),
        (error) => {
          if (!this.#run.signal.aborted) this.#run.fail(String(error))
        },
      )
      .finally(() => this.#recovering.delete(part))
    this.#recovering.set(part, recovering)
  }

  #note(what: string) {
    this.latest.push(`${((Date.now() - this.#start) / 1000).toFixed(1)} s: ${what}`)
    if (this.latest.length > 20) this.latest.shift()
  }
}
