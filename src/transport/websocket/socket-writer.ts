import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { EventBatch } from '../../delivery/outlet.ts'
import { takenBytes } from '../taken-bytes.ts'
import type { Waiter, WaitingBytes } from '../waiting-bytes.ts'
import { type Envelope, frameOf, framesOf } from './frames.ts'

const NOTHING = Buffer.alloc(0)

/**
 * Writes messages to one WebSocket. The only place that writes to a socket beside `ws`: finished frames, each
 * whole, between whole frames of the library, which writes its own at once as long as nothing is compressed. On a
 * socket with compression the library sends.
 */
export class SocketWriter implements Waiter {
  /** The address that it writes to. */
  readonly holder: string
  readonly #waiting: WaitingBytes | null
  readonly #webSocket: WebSocket
  readonly #socket: Duplex
  readonly #maxBufferedBytes: number
  readonly #isCompressed: boolean
  /** Until the last compressed message has been handed to the system. */
  #sending: Promise<void> | undefined

  /**
   * @param socket what `webSocket` was made of at the upgrade
   * @param waiting where what waits is counted, beside this socket's own bound
   */
  constructor(
    webSocket: WebSocket,
    socket: Duplex,
    maxBufferedBytes: number,
    holder = '',
    waiting: WaitingBytes | null = null,
  ) {
    this.holder = holder
    this.#waiting = waiting
    this.#webSocket = webSocket
    this.#socket = socket
    this.#maxBufferedBytes = maxBufferedBytes
    this.#isCompressed = webSocket.extensions !== ''
  }

  /** False once it is closing: nothing may follow. */
  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN
  }

  /** Bytes that wait in this process. */
  get bufferedBytes(): number {
    return this.#isCompressed ? this.#webSocket.bufferedAmount : this.#socket.writableLength
  }

  /** Bytes that the system has taken altogether; not a number on sockets that do not count them. */
  get takenBytes(): number {
    return takenBytes(this.#socket)
  }

  get waitingBytes(): number {
    return this.bufferedBytes
  }

  /** Its pings tell whether it lives. */
  standsStill(): void {}

  /** Counts what waits. To be called after what may have made more of it, which is nothing while its reader keeps up. */
  note(): void {
    if (this.#waiting && this.bufferedBytes > 0) this.#waiting.note(this)
  }

  /** It is gone, and what waited with it. */
  forget(): void {
    this.#waiting?.forget(this)
  }

  /** What may wait: nothing more than waits already, where the others' room is used up. */
  #room(bufferedBytes: number): number {
    if (bufferedBytes > 0 && this.#waiting?.isOver(this.holder)) return 0
    return this.#maxBufferedBytes - bufferedBytes
  }

  /**
   * Sends texts of a batch from index `from` up to `to` as messages of one subscription, as `Outlet.send` says.
   *
   * @param id in ASCII, escaped as the envelope wants it
   */
  sendBatch(envelope: Envelope, id: string, batch: EventBatch, from: number, to: number): number {
    if (!this.isOpen) return to
    if (this.#isCompressed) return this.#sendEachCompressed(envelope, id, batch.texts, from, to)
    const isAlone = !batch.isShared && to - from === 1 && this.#socket.writableLength === 0
    if (isAlone) {
      this.#socket.write(frameOf(messageOf(envelope, id, batch.texts[from] as string)))
      return to
    }
    const frames = framesOf(batch, envelope, id.length)
    let at = from
    while (at < to) {
      const buffered = this.#socket.writableLength
      const fitting = frames.fitting(at, this.#room(buffered))
      if (fitting === at && buffered > 0) break
      const end = Math.min(to, Math.max(fitting, at + 1))
      frames.write(this.#socket, id, at, end)
      at = end
    }
    this.note()
    return at
  }

  /** Sends one message, whatever waits; the promise, where there is one, resolves once the system has it. */
  sendMessage(text: string): Promise<void> | undefined {
    if (!this.isOpen) return undefined
    if (this.#isCompressed) {
      this.#sendCompressed(text)
      return this.#sending
    }
    this.#socket.write(frameOf(text))
    if (this.#socket.writableLength === 0) return undefined
    this.note()
    return this.drained()
  }

  /** Resolves once all that was sent before has been handed to the system, or the socket is gone. */
  async drained(): Promise<void> {
    if (this.#isCompressed && this.isOpen && this.bufferedBytes > 0) await this.#sending
    if (!this.isOpen || this.#socket.writableLength === 0) return
    // Called back in its turn, after all that waits.
    await new Promise<void>((resolve) => this.#socket.write(NOTHING, () => resolve()))
    this.#waiting?.note(this)
  }

  #sendEachCompressed(
    envelope: Envelope,
    id: string,
    texts: readonly string[],
    from: number,
    to: number,
  ): number {
    const buffered = this.bufferedBytes
    let room = this.#room(buffered)
    let at = from
    for (; at < to; at++) {
      const message = messageOf(envelope, id, texts[at] as string)
      room -= Buffer.byteLength(message)
      if (room < 0 && (at > from || buffered > 0)) break
      this.#sendCompressed(message)
    }
    return at
  }

  #sendCompressed(text: string): void {
    // A failure to send ends the socket, and with it all that would be sent.
    this.#sending = new Promise((resolve) => this.#webSocket.send(text, () => resolve()))
    this.note()
  }
}

/** The text of one message. */
export const messageOf = ({ beforeId, afterId, end }: Envelope, id: string, text: string): string =>
  beforeId + id + afterId + text + end
