import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { spread } from './spread.ts'

const LOOK_MS = 10
/** Time for a request on a connection that has just been accepted. */
const QUIET_MS = 50
/** Time for requests under way when the server stops: more than an engine takes to respond. */
const SETTLE_MS = 5000

/** Responses that are under way, and the event streams among them. */
export class OpenResponses {
  /** Connections are not kept for a further request any more. */
  isStopping = false
  /** Until when their callers may have them; null without an end. */
  readonly #eventStreams = new Map<ServerResponse, number | null>()
  #count = 0
  /** Since the process began. */
  #total = 0
  readonly #closed = () => {
    this.#count--
  }

  get count(): number {
    return this.#count
  }

  get total(): number {
    return this.#total
  }

  get eventStreamCount(): number {
    return this.#eventStreams.size
  }

  add(response: ServerResponse): void {
    this.#count++
    this.#total++
    // One function for all of them: a closure for each request costs more than all the rest.
    response.on('close', this.#closed)
    if (this.isStopping) response.shouldKeepAlive = false
  }

  /**
   * @param endsAt until when its caller may have it, in milliseconds since 1970; null without an end
   * @param onClose called once, when it is over
   */
  addEventStream(response: ServerResponse, endsAt: number | null, onClose: () => void): void {
    if (response.destroyed) return
    this.#eventStreams.set(response, endsAt)
    response.once('close', () => {
      this.#eventStreams.delete(response)
      onClose()
    })
  }

  /**
   * Cuts event streams whose callers' tokens have expired: not completed, as the client is to come back with a fresh one.
   *
   * @param now in milliseconds since 1970
   */
  cutExpired(now: number): void {
    for (const [stream, endsAt] of this.#eventStreams) if (endsAt !== null && endsAt <= now) stream.destroy()
  }

  /**
   * Cuts event streams, spread over a time. One that came to a clean end would look complete to a client that does not wait
   * for the message that says so; on a cut all of them come back.
   */
  cutStreams(withinMs: number): Promise<void> {
    return spread([...this.#eventStreams.keys()], withinMs, (stream) => stream.destroy())
  }

  /** Waits until what is under way has been answered and `isQuiet`, but not forever; the port is closed by then. */
  async settled(isQuiet: () => boolean): Promise<void> {
    const deadline = performance.now() + SETTLE_MS
    let lastBusyAt = performance.now()
    for (let now = lastBusyAt; now < deadline; now = performance.now()) {
      // One that has been opened meanwhile, on a connection that was there.
      for (const stream of this.#eventStreams.keys()) stream.destroy()
      if (this.#count > 0 || !isQuiet()) lastBusyAt = now
      else if (now - lastBusyAt >= QUIET_MS) return
      await sleep(LOOK_MS)
    }
  }
}
