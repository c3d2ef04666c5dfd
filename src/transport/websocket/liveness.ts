import type { SocketWriter } from './socket-writer.ts'

/** Bytes that a reader may have yet to read before its pong says anything about it. */
const MANY_BYTES = 64 * 1024
/** Probes without a sign of life after which a socket stands still. */
const QUIET_PROBES = 1
/** As many where much lies before the ping, in buffers of the system that cannot be looked into. */
const QUIET_PROBES_BEHIND_DATA = 4

/**
 * Whether the other end of a socket lives. Slow is not dead: a ping waits behind all that was written before it, in this
 * process and in the system, and its pong comes when that has been read. So a socket is alive, too, while bytes
 * that did not fit into the system go on draining; and where much was written since it was known to have read all,
 * it gets more time. Looked at when it is probed, never when something is written.
 */
export class Liveness {
  /** Since the last sign of life. */
  #quietProbes = 0
  #unansweredPings = 0
  /** Bytes that the system had taken when the last ping was sent. */
  #takenAtPing = 0
  /** Of these it is known that they were read. */
  #readThrough = 0
  /** The system's buffers were full at the last ping: what it takes from then on has been read. */
  #wasFull = false

  /** To be called at each probe; true where a ping is to be sent, false where the socket stands still. */
  probe({ takenBytes, bufferedBytes }: Pick<SocketWriter, 'takenBytes' | 'bufferedBytes'>): boolean {
    if (this.#wasFull && takenBytes > this.#takenAtPing) this.#quietProbes = 0
    const isBehindData = bufferedBytes + takenBytes - this.#readThrough > MANY_BYTES
    if (this.#quietProbes >= (isBehindData ? QUIET_PROBES_BEHIND_DATA : QUIET_PROBES)) return false
    this.#quietProbes++
    this.#unansweredPings++
    this.#wasFull = bufferedBytes > 0
    this.#takenAtPing = takenBytes
    return true
  }

  answered(): void {
    this.#quietProbes = 0
    if (this.#unansweredPings > 0) this.#unansweredPings--
    // Of earlier pings nobody knows where they were.
    if (this.#unansweredPings === 0) this.#readThrough = this.#takenAtPing
  }
}
