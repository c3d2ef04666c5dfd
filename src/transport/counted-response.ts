import { type IncomingMessage, ServerResponse } from 'node:http'
import type { RefusalCounts } from './refusal-counts.ts'
import { takenBytes } from './taken-bytes.ts'
import type { Waiter, WaitingBytes } from './waiting-bytes.ts'

/** Larger responses are not given to an address that has too much to read already. */
const SMALL_BYTES = 16 * 1024

/** A response that is told for whom its bytes wait, and knows where to count that it is a refusal. */
export type CountedResponse = ServerResponse & {
  holder: string
  readonly refusals: RefusalCounts
  /**
   * Writes finished chunks (RFC 9112, 7.1), the same bytes for many responses, past what Node does for each write: it makes four
   * pieces of a chunk, which cost more than the system call.
   *
   * @param chunks whole ones; must not change any more
   * @returns false where that cannot be: the body is not in chunks, or something waits in the response itself
   */
  tryWriteChunks(chunks: Buffer): boolean
}

/**
 * Responses whose bytes are counted while they wait for the client to read them, whoever writes them. One of which
 * nothing is taken for too long is ended with its connection.
 */
export function countedResponses(waiting: WaitingBytes, refusals: RefusalCounts): typeof ServerResponse {
  class Counted<Request extends IncomingMessage> extends ServerResponse<Request> implements Waiter {
    /** Set as soon as it is known who asks. */
    holder = ''
    #isCounted = false

    get refusals(): RefusalCounts {
      return refusals
    }

    get waitingBytes(): number {
      return this.writableLength
    }

    get takenBytes(): number {
      return this.socket ? takenBytes(this.socket) : 0
    }

    standsStill(): void {
      this.destroy()
    }

    override write(...args: unknown[]): boolean {
      const hasRoom = (super.write as (...args: unknown[]) => boolean)(...args)
      if (!hasRoom || this.#isCounted) this.#count()
      return hasRoom
    }

    tryWriteChunks(chunks: Buffer): boolean {
      const { socket, chunkedEncoding } = this
      // Of HTTP/1.0 and HEAD, or behind another response; or it would overtake what waits.
      if (!chunkedEncoding || !socket || this.writableLength !== socket.writableLength) return false
      const hasRoom = socket.write(chunks)
      if (!hasRoom || this.#isCounted) this.#count()
      return true
    }

    override end(...args: unknown[]): this {
      const [chunk] = args
      // Asked for before the others had been answered: the client does not read, and nobody else is to pay for it.
      if (isLarge(chunk) && waiting.isOver(this.holder)) return this.destroy()
      ;(super.end as (...args: unknown[]) => this)(...args)
      if (this.#isCounted || this.writableLength > 0) this.#count()
      return this
    }

    #count(): void {
      const { socket } = this.req
      // What has not been sent by then never will be.
      if (socket.destroyed) return
      waiting.note(this)
      if (this.#isCounted) return
      this.#isCounted = true
      const forget = () => {
        waiting.forget(this)
        socket.off('close', forget)
      }
      this.once('close', forget)
      // One that waits behind another on its connection has no close of its own when that goes.
      socket.once('close', forget)
    }
  }
  return Counted as unknown as typeof ServerResponse
}

const isLarge = (chunk: unknown): boolean =>
  (typeof chunk === 'string' || ArrayBuffer.isView(chunk)) &&
  (typeof chunk === 'string' ? chunk.length : chunk.byteLength) > SMALL_BYTES
