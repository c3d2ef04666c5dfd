import type { EventBatch, Outlet } from '../../delivery/outlet.ts'
import type { StreamEvent } from '../../task/stream-event.ts'
import type { Envelope } from '../websocket/frames.ts'
import type { SocketWriter } from '../websocket/socket-writer.ts'

/** A message is nothing but its text. */
const BARE: Envelope = { beforeId: '', afterId: '', end: '' }

/** A plain socket as the outlet of one task's events. */
export class PlainOutlet implements Outlet {
  readonly #writer: SocketWriter
  readonly #isGreeted: boolean
  #cursor: string | null = null

  /** @param isGreeted whether its page has been told that it is connected */
  constructor(writer: SocketWriter, isGreeted: boolean) {
    this.#writer = writer
    this.#isGreeted = isGreeted
  }

  /** Of the last event of the stream itself, such as its end; null before the first. */
  get cursor(): string | null {
    return this.#cursor
  }

  send(batch: EventBatch, from: number, to: number): number {
    return this.#writer.sendBatch(BARE, '', batch, from, to)
  }

  sendOwn(text: string, { type, cursor }: StreamEvent): void {
    this.#cursor = cursor
    if (type === 'StreamOpened' && this.#isGreeted) return
    void this.#writer.sendMessage(text)
  }

  drained(): Promise<void> {
    return this.#writer.drained()
  }
}
