import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { EventLog } from '../event-log/event-log.ts'
import type { Leases } from '../event-log/leases.ts'
import { recordStart } from '../event-log/record-start.ts'
import type { TaskIndex } from '../event-log/task-index.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import type { TaskEvent } from '../task/event.ts'
import { type LivenessWindows, processEnded, silence } from '../task/lifecycle.ts'
import { isFinalStatus, type TaskSpec, type TaskState } from '../task/task.ts'
import { type WatchedTask, WatchedTasks } from './watched-tasks.ts'

type LivenessStore = Pick<EventLog, 'snapshot'> & TaskIndex & Leases

export interface LivenessOptions extends LivenessWindows {
  /** Names this server among those that share the event log. */
  readonly serverId: string
  /** A server that has not renewed its lease for so long is gone, and its child processes with it. */
  readonly serverLeaseMs: number
  /**
   * Whether a task's launcher tells its end, however long its trainer is silent: a queue knows whether it waits or a worker has
   * it. None does where it is left out.
   */
  readonly isFollowed?: (spec: TaskSpec) => boolean
  /** Whether no other server can have the event log while this one has it: those of before are gone. */
  readonly isAlone: boolean
  readonly onError: (error: unknown) => void
}

const LOOKED_AT_TOGETHER = 50
/** Until a task is looked at again that could not be written to. */
const RETRY_MS = 5000
const MIN_CHECK_MS = 50
const MAX_CHECK_MS = 5000

/**
 * Notices what nobody reports: silent trainers, and servers that are gone with the trainers they held. Of
 * all servers one at a time looks, at regular intervals; a change is appended like any other, so that even
 * two that look at once record it once. It looks at those tasks only whose time has come (`WatchedTasks`), and also
 * drops what retention has passed.
 */
export class Liveness {
  readonly #store: LivenessStore
  readonly #tasks: WatchedTasks
  readonly #writer: TaskWriter
  readonly #options: LivenessOptions
  readonly #checkMs: number
  readonly #timers: NodeJS.Timeout[] = []
  readonly #busy = new Map<() => Promise<void>, Promise<void>>()
  /** Since when this server has renewed its own lease without a break. */
  #leasedSince: number | null = null

  constructor(store: LivenessStore, writer: TaskWriter, options: LivenessOptions) {
    this.#store = store
    this.#tasks = new WatchedTasks(store, options)
    this.#writer = writer
    this.#options = options
    const shortest = Math.min(options.stallMs, options.serverLeaseMs)
    this.#checkMs = Math.min(MAX_CHECK_MS, Math.max(MIN_CHECK_MS, shortest / 4))
  }

  start(): void {
    // Apart from each other: a long look must not cost this server its lease.
    for (const step of [() => this.#renew(), () => this.#check()]) {
      this.#run(step)
      this.#timers.push(setInterval(() => this.#run(step), this.#checkMs))
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#busy.values())
    await this.#tasks.close()
  }

  /** Runs a step, unless its last run is still under way. */
  #run(step: () => Promise<void>): void {
    if (this.#busy.has(step)) return
    this.#busy.set(
      step,
      step()
        .catch(this.#options.onError)
        .finally(() => this.#busy.delete(step)),
    )
  }

  async #renew(): Promise<void> {
    const { serverId, serverLeaseMs } = this.#options
    try {
      // Its own lease gone before its time: the store lost its data, and the others' leases, too.
      if (!(await this.#store.isLeased(leaseOf(serverId)))) this.#leasedSince = null
      await this.#store.lease(leaseOf(serverId), serverId, serverLeaseMs)
      this.#leasedSince ??= Date.now()
    } catch (error) {
      this.#leasedSince = null
      throw error
    }
  }

  async #check(): Promise<void> {
    const isMine = await this.#store.lease('liveness', this.#options.serverId, 3 * this.#checkMs)
    if (!isMine) return this.#tasks.close()
    await this.#tasks.open()
    await this.#look()
    await this.#store.dropExpired()
  }

  async #look(): Promise<void> {
    const isHeldBy = this.#holders()
    const failures: unknown[] = []
    const lookAt = (tasks: readonly WatchedTask[]) =>
      Promise.all(tasks.map((task) => this.#lookAt(task, isHeldBy).catch((error) => failures.push(error))))
    for (const holder of this.#tasks.holders) {
      if ((await isHeldBy(holder)) || !this.#canJudgeLeases(Date.now())) continue
      const held = this.#tasks.heldBy(holder)
      for (let i = 0; i < held.length; i += LOOKED_AT_TOGETHER) {
        await lookAt(held.slice(i, i + LOOKED_AT_TOGETHER))
        await eventLoopTurn()
      }
    }
    const now = Date.now()
    for (;;) {
      const due = this.#tasks.takeDue(now, LOOKED_AT_TOGETHER)
      if (due.length === 0) break
      await lookAt(due)
      // An engine in this process never waits for the network, so many tasks would block everything else.
      await eventLoopTurn()
    }
    // One task that cannot be written to does not keep the others from being looked at, and is not told a thousand times.
    if (failures.length > 0) this.#options.onError(failures[0])
  }

  async #lookAt(task: WatchedTask, isHeldBy: (holder: string | null) => Promise<boolean>): Promise<void> {
    // Whatever comes of it, it is looked at again.
    this.#tasks.retry(task, Date.now() + RETRY_MS)
    const snapshot = await this.#store.snapshot(task.key)
    if (snapshot?.serial !== task.serial) this.#tasks.forget(task.serial)
    if (!snapshot || isFinalStatus(snapshot.state.status)) return this.#tasks.forget(task.serial)
    // Where lists were not right, or another task has its name by now.
    if (snapshot.serial !== task.serial) this.#tasks.add(snapshot)
    const { state } = snapshot
    const isHeld = (await isHeldBy(state.spec.holder)) || (this.#options.isFollowed?.(state.spec) ?? false)
    if (this.#notice(state, isHeld).length > 0) await this.#record(state, isHeld)
    // One that is held may be silent for longer; and what was just recorded is heard of.
    else this.#tasks.keep(task, state, Date.now() + this.#checkMs)
  }

  /** Nothing where it was deleted meanwhile. */
  async #record({ spec }: TaskState, isHeld: boolean): Promise<void> {
    await recordStart(this.#writer, spec, (present) => this.#notice(present, isHeld))
  }

  #notice(state: TaskState, isHeld: boolean): TaskEvent[] {
    const now = Date.now()
    if (state.spec.holder !== null && !isHeld && this.#canJudgeLeases(now)) {
      const message = 'the server that ran the trainer is gone, and the trainer with it'
      return processEnded(state, { message, type: 'ServerLost' }, now)
    }
    return silence(state, this.#options, isHeld, now)
  }

  /** After the engine was out of reach, every server gets the time to renew its lease. */
  #canJudgeLeases(now: number): boolean {
    if (this.#leasedSince === null) return false
    return this.#options.isAlone || now - this.#leasedSince > this.#options.serverLeaseMs
  }

  /** Asks for each holder once in a round. */
  #holders(): (holder: string | null) => Promise<boolean> {
    const known = new Map<string, Promise<boolean>>()
    return (holder) => {
      if (holder === null) return Promise.resolve(false)
      const isLeased = known.get(holder) ?? this.#store.isLeased(leaseOf(holder))
      known.set(holder, isLeased)
      return isLeased
    }
  }
}

const leaseOf = (serverId: string): string => `server:${serverId}`
