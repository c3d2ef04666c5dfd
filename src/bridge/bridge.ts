import type { Redis } from 'ioredis'
import { BoundedLines } from '../bounds/bounded-lines.ts'
import type { Registrations } from '../dispatch/register-external.ts'
import type { Leases } from '../event-log/leases.ts'
import { boundReports } from '../ingest/bound-reports.ts'
import type { Ingest } from '../ingest/ingest.ts'
import { LIMITS } from '../task/limits.ts'
import type { Report } from '../task/report.ts'
import { isTaskId } from '../task/task.ts'
import { Backlog, type Held } from './backlog.ts'
import { newCounts, type Outcome } from './bridge-counts.ts'
import { ChannelReporter, type Step } from './channel-reporter.ts'
import { type BridgeMessage, readMessage } from './message.ts'
import { LEASE_MS, Ownership } from './ownership.ts'
import { PatternSubscription } from './pattern-subscription.ts'

export interface BridgeParts {
  /** A connection for this bridge alone. */
  readonly subscriber: Redis
  readonly leases: Leases
  readonly ingest: Ingest
  readonly registrations: Registrations
}

export interface BridgeOptions {
  /** Channels `prefix:id` of these are listened to. */
  readonly channelPrefixes: readonly string[]
  readonly serverId: string
  /** Whether no other server reports to the same tasks. */
  readonly isAlone: boolean
  /** Told why messages are no events, so many times in a while, and how many were left out before. */
  readonly onLeftOut: (outcome: Outcome | 'field', why: string, channel: string, untold: number) => void
  readonly onError: (error: unknown) => void
}

/** What waits: where an engine is away, and at servers that do not report at present. */
const MAX_HELD = { maxBytes: 64 * 1024 * 1024, maxChannels: 10_000 }
/** For how long a server that does not report remembers what it heard, should the one that does be gone. */
const HOLD_MS = 4 * LEASE_MS
/** Channels that are reported at a time. */
const MAX_ACTIVE = 64
/** Until a channel is tried again that failed by a bug or a broken part. */
const UNEXPECTED_MS = 5000
/** How long a bridge that stops goes on with what it has heard. */
const CLOSE_MS = 2000

/**
 * Makes events of what other programs publish on Redis channels. Every server hears every message; one at a time reports them
 * (`ownership.ts`), and the others hold what they heard for a while, to go on where it stopped.
 */
export class Bridge {
  readonly #options: BridgeOptions
  readonly #backlog = new Backlog(MAX_HELD, () => this.#countUnlessOthers('overflowed'))
  readonly #reporter: ChannelReporter
  readonly #ownership: Ownership
  readonly #subscription: PatternSubscription
  readonly #lines = new BoundedLines({ lines: 5, windowMs: 10_000 })
  /** Channels with messages, in the order in which it is their turn. */
  readonly #ready = new Set<string>()
  readonly #active = new Set<string>()
  readonly #waiting = new Map<string, NodeJS.Timeout>()
  readonly counts = newCounts()
  #whenIdle: (() => void) | undefined

  constructor({ subscriber, leases, ingest, registrations }: BridgeParts, options: BridgeOptions) {
    const { serverId, isAlone, onError } = options
    this.#options = options
    this.#reporter = new ChannelReporter(ingest, registrations, this.#backlog)
    this.#ownership = new Ownership(leases, {
      ...{ serverId, isAlone, onError },
      onChange: () => {
        this.#reporter.forget()
        for (const channel of this.#backlog.channels) this.#turn(channel)
      },
    })
    this.#subscription = new PatternSubscription(
      subscriber,
      options.channelPrefixes.map((prefix) => `${prefix}:*`),
      {
        onMessage: (pattern, channel, message) => this.#hear(pattern.slice(0, -2), channel, message),
        onHearing: (isHearing) => this.#ownership.hearing(isHearing),
        onError,
      },
    )
  }

  /** Whether this server reports. */
  get isOwner(): boolean {
    return this.#ownership.isOwner
  }

  /** Messages that wait; those held for another server among them. */
  get heldCount(): number {
    return this.#backlog.size
  }

  start(): void {
    this.#ownership.start()
    this.#subscription.start()
  }

  /** Reports what it has heard, as far as that goes without waiting, and leaves the rest to another server. */
  async close(): Promise<void> {
    if (this.#ownership.isOwner && this.#backlog.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#whenIdle = resolve
      })
      const timer = setTimeout(() => this.#whenIdle?.(), CLOSE_MS)
      this.#next()
      await idle
      clearTimeout(timer)
    }
    await this.#ownership.close()
    this.#subscription.close()
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
    this.#backlog.clear()
  }

  #hear(channelPrefix: string, channel: string, message: Buffer): void {
    const now = performance.now()
    if (this.#ownership.isOthers) this.#backlog.trim(now - HOLD_MS)
    const id = channel.slice(channelPrefix.length + 1)
    // Of a longer prefix, whose own pattern brings it, or of no task.
    if (id.includes(':')) return
    const found = readFrom(id, message)
    if (found.kind === 'mirrored') return
    if (found.kind !== 'message') {
      this.#leaveOut(found.kind, found.why, channel)
      return
    }
    const { report, machineId, leftOut } = found
    if (leftOut.length > 0)
      this.#tell('field', `left out, as they cannot be used: ${leftOut.slice(0, 5).join(', ')}`, channel)
    this.#backlog.add({ key: { channelPrefix, id }, report, machineId, receivedAt: now }, message.length)
    this.#turn(channel)
  }

  #turn(channel: string): void {
    if (!this.isOwner || this.#active.has(channel) || this.#waiting.has(channel)) return
    this.#ready.add(channel)
    this.#next()
  }

  #next(): void {
    for (const channel of this.#ready) {
      if (this.#active.size >= MAX_ACTIVE) return
      this.#ready.delete(channel)
      this.#active.add(channel)
      void this.#serve(channel)
    }
    if (this.#backlog.size === 0 && this.#active.size === 0) this.#whenIdle?.()
  }

  async #serve(channel: string): Promise<void> {
    const waitMs = await this.#step(channel)
    this.#active.delete(channel)
    if (waitMs > 0 && this.isOwner) {
      const again = () => {
        this.#waiting.delete(channel)
        this.#turn(channel)
      }
      this.#waiting.set(channel, setTimeout(again, waitMs))
    }
    if (this.#backlog.of(channel).length > 0) this.#turn(channel)
    this.#next()
  }

  /** Returns the time to wait before the next one. */
  async #step(channel: string): Promise<number> {
    if (!this.isOwner || this.#backlog.of(channel).length === 0) return 0
    let step: Step
    try {
      step = await this.#reporter.step(channel, (held) => this.#mayBeKnown(held))
    } catch (error) {
      this.#options.onError(error)
      return UNEXPECTED_MS
    }
    switch (step.kind) {
      case 'reported':
        this.counts.reported += step.reported
        this.counts.repeated += step.repeated
        return 0
      case 'refused':
        this.#leaveOut('refused', step.error.message, channel)
        return 0
      case 'again':
        return step.afterMs
    }
  }

  /** Whether the server whose turn it was before may have reported it. */
  #mayBeKnown({ receivedAt }: Held): boolean {
    const { since } = this.#ownership
    return since !== null && receivedAt < since + LEASE_MS
  }

  #leaveOut(outcome: Outcome, why: string, channel: string): void {
    this.#countUnlessOthers(outcome)
    this.#tell(outcome, why, channel)
  }

  /** All servers hear it; the one that reports counts it. */
  #countUnlessOthers(outcome: Outcome): void {
    if (!this.#ownership.isOthers) this.counts[outcome]++
  }

  #tell(outcome: Outcome | 'field', why: string, channel: string): void {
    if (this.#ownership.isOthers) return
    const untold = this.#lines.take(outcome)
    if (untold !== null) this.#options.onLeftOut(outcome, why, channel, untold)
  }
}

type Found =
  | ({ readonly kind: 'message' } & BridgeMessage)
  | { readonly kind: 'malformed' | 'oversized'; readonly why: string }
  /** A mirror has published it, this server's or another's. */
  | { readonly kind: 'mirrored' }

function readFrom(id: string, message: Buffer): Found {
  if (!isTaskId(id)) return { kind: 'malformed', why: 'the name of its channel has no task id' }
  if (message.length > LIMITS.bridgeMessageBytes) {
    const why = `it has ${message.length} bytes; expected at most ${LIMITS.bridgeMessageBytes}`
    return { kind: 'oversized', why }
  }
  const found = readMessage(message.toString('utf8'))
  if (found === 'mirrored') return { kind: 'mirrored' }
  if ('unreadable' in found) return { kind: 'malformed', why: found.unreadable }
  // Cut as they are taken, so that they are known again.
  const [report] = boundReports([found.report]).reports as [Report]
  return { kind: 'message', ...found, report }
}
