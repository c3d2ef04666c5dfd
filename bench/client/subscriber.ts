import { randomUUID } from 'node:crypto'
import type { Audience } from './audience.ts'
import { type Asked, type Dialect, idOf, speechOf, subscribeMessage } from './dialects.ts'
import type { LeanSocket, Receiver } from './lean-socket.ts'
import { DeliveryError, type WatchedTask } from './watched-task.ts'

export interface SubscriberOptions {
  /** Replay of all that follows this event. */
  readonly after?: { sequence: number; cursor: string }
  /** Takes its opening message, and nothing from then on. */
  readonly neverReads?: boolean
}

/** One connection with one subscription, which sees each event of its task once and in order, or fails. */
export class Subscriber implements Receiver {
  /** The place in its task's stream of the event that must come next. */
  next: number
  isOpen = false
  readonly #dialect: Dialect
  readonly #asked: Asked
  readonly #task: WatchedTask
  readonly #audience: Audience
  readonly #connection: LeanSocket
  /** What stands in front of every payload; bytes, to be compared. */
  readonly #prefix: Buffer
  readonly #neverReads: boolean

  constructor(
    { port, dialect }: { port: number; dialect: Dialect },
    task: WatchedTask,
    audience: Audience,
    { after, neverReads = false }: SubscriberOptions = {},
  ) {
    const { connect, prefix } = speechOf(dialect)
    this.#dialect = dialect
    this.#asked = {
      port,
      id: idOf(dialect, randomUUID()),
      taskId: task.id,
      after: after?.cursor ?? null,
    }
    this.#task = task
    this.#audience = audience
    this.#prefix = Buffer.from(prefix(this.#asked))
    this.#neverReads = neverReads
    this.next = (after?.sequence ?? task.reported) + 1
    this.#connection = connect(this.#asked, this)
  }

  upgraded() {
    const greeting = speechOf(this.#dialect).greeting(this.#asked)
    if (greeting !== null) this.#connection.send(greeting)
  }

  text(buffer: Buffer, start: number, end: number) {
    try {
      const body = start + this.#prefix.length
      const isNext = body < end && buffer.compare(this.#prefix, 0, this.#prefix.length, start, body) === 0
      if (isNext && this.isOpen) {
        const sequence = this.#task.check(this.next, buffer, body, end, this.#dialect)
        this.next++
        this.#audience.delivered(sequence)
      } else {
        this.#control(buffer.toString('utf8', start, end))
      }
    } catch (error) {
      this.failed(error as Error)
    }
  }

  failed(error: Error) {
    const where = this.isOpen ? `before event ${this.next}` : 'before its opening message'
    this.#audience.fail(
      error instanceof DeliveryError ? error : new Error(`a subscriber, ${where}: ${error.message}`),
    )
    this.close()
  }

  close(options?: { reset?: boolean }) {
    this.#connection.close(options)
  }

  #control(text: string) {
    if (this.#dialect === 'graphql') {
      const { type } = JSON.parse(text)
      if (type === 'connection_ack' && !this.isOpen)
        return this.#connection.send(subscribeMessage(this.#asked))
      if (type === 'ping') return this.#connection.send('{"type":"pong"}')
    }
    if (this.isOpen || !speechOf(this.#dialect).isOpening(text))
      throw new Error(`unexpected message ${text.slice(0, 400)}`)
    if (this.#neverReads) this.#connection.stopReading()
    this.isOpen = true
    this.#audience.opened()
  }
}
