import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** What Node has of a socket beneath its stream, and shows to nobody. */
interface Handle {
  readonly bytesWritten?: number
  readonly writeQueueSize?: number
}

/**
 * Bytes that the system has taken of a socket altogether; not a number on sockets that do not count them. Node counts
 * a write as waiting until all of it has been taken, so that a large one that drains slowly would look as if it stood
 * still: what lies beneath the stream tells them apart, as it does for Node's own timeout.
 */
export function takenBytes(socket: Duplex): number {
  const { bytesWritten, writableLength, _handle } = socket as Socket & { readonly _handle?: Handle | null }
  if (bytesWritten === undefined) return Number.NaN
  const { bytesWritten: given, writeQueueSize: queued } = _handle ?? {}
  if (given !== undefined && queued !== undefined) return given - queued
  return bytesWritten - writableLength
}
