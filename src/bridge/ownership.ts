import type { Leases } from '../event-log/leases.ts'

export interface OwnershipOptions {
  /** Names this server among those that share the leases. */
  readonly serverId: string
  /** Whether there can be no other. */
  readonly isAlone: boolean
  readonly onError: (error: unknown) => void
  /** Told when this server begins, and when it stops. */
  readonly onChange: () => void
}

const LEASE = 'bridge'
/** For how long a server that is gone, or cannot hear, keeps its turn. */
export const LEASE_MS = 3000
const RENEW_MS = 1000

/**
 * Which of the servers that hear all messages reports them: one at a time, by a lease that it renews while it can hear.
 *
 *   waiting ── takes the lease ──▶ owner ── loses it, or cannot renew it in time ──▶ waiting
 */
export class Ownership {
  readonly #leases: Leases
  readonly #options: OwnershipOptions
  #timer: NodeJS.Timeout | undefined
  #until = Number.NEGATIVE_INFINITY
  #since: number | null = null
  #othersUntil = Number.NEGATIVE_INFINITY
  /** Not before others had time to take the lease: they may have heard what this one missed. */
  #notBefore = Number.NEGATIVE_INFINITY
  #isHearing = false
  #isBusy = false

  constructor(leases: Leases, options: OwnershipOptions) {
    this.#leases = leases
    this.#options = options
  }

  get isOwner(): boolean {
    return this.#since !== null && performance.now() < this.#until
  }

  /** Since when, by `performance.now()`; null for a server that is alone, or no owner. */
  get since(): number | null {
    return this.#options.isAlone ? null : this.#since
  }

  /** Whether another is known to report. */
  get isOthers(): boolean {
    return !this.isOwner && performance.now() < this.#othersUntil
  }

  /** To be called when messages are heard from now on, and when they are not. */
  hearing(isHearing: boolean): void {
    this.#isHearing = isHearing
    if (!isHearing && this.#since !== null) {
      if (!this.#options.isAlone) this.#notBefore = this.#until + 2 * RENEW_MS
      this.#set(Number.NEGATIVE_INFINITY)
    }
    if (isHearing) void this.#renew()
  }

  start(): void {
    this.#timer = setInterval(() => void this.#renew(), RENEW_MS)
  }

  /** Gives the turn to another. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    const wasOwner = this.isOwner
    this.#isHearing = false
    this.#set(Number.NEGATIVE_INFINITY)
    if (wasOwner && !this.#options.isAlone)
      await this.#leases.lease(LEASE, this.#options.serverId, 1).catch(this.#options.onError)
  }

  async #renew(): Promise<void> {
    const now = performance.now()
    if (this.#isBusy || !this.#isHearing || now < this.#notBefore) return
    if (this.#options.isAlone) return this.#set(Number.POSITIVE_INFINITY)
    this.#isBusy = true
    try {
      const isOurs = await this.#leases.lease(LEASE, this.#options.serverId, LEASE_MS)
      if (!isOurs) this.#othersUntil = performance.now() + LEASE_MS
      if (this.#isHearing) this.#set(isOurs ? now + LEASE_MS : Number.NEGATIVE_INFINITY)
    } catch (error) {
      // What it has, it has until its time is over.
      this.#options.onError(error)
    } finally {
      this.#isBusy = false
    }
    if (!this.isOwner) this.#set(Number.NEGATIVE_INFINITY)
  }

  #set(until: number): void {
    const was = this.#since !== null
    const now = performance.now()
    const isOwner = until > now
    this.#until = until
    if (was === isOwner) return
    this.#since = isOwner ? now : null
    this.#options.onChange()
  }
}
