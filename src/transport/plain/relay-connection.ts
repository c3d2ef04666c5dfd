import type { RawData } from 'ws'
import { EpochcastError } from '../../task/errors.ts'
import { channelOf } from '../../task/task.ts'
import type { RefusalCode } from '../refusal-counts.ts'
import { FrameMeter } from '../websocket/frame-meter.ts'
import { TRY_AGAIN_LATER } from '../websocket/socket-caller.ts'
import type { Upgraded } from '../websocket/socket-server.ts'
import { PlainConnection, type PlainConnectionOptions, TEXT_OF_PING } from './plain-connection.ts'
import type { Applied } from './relay-lane.ts'
import { type RelayMessage, relayMessage } from './relay-messages.ts'

export interface RelayConnectionOptions extends PlainConnectionOptions {
  readonly maxMessageBytes: number
  /** Whether its sender reads what becomes of each message. */
  readonly isAcknowledged: boolean
  /** Applies a message, after those that came before it. */
  readonly apply: (connection: RelayConnection, message: RelayMessage) => Promise<Applied>
}

/** Messages of one socket that wait to be applied; more are not read meanwhile. */
const MAX_UNAPPLIED = 100
/**
 * Errors that a sender is told that has not shown that it reads. A client in Python that does not read stops at 16 messages: it
 * would not respond to pings any more.
 */
const MAX_UNASKED_ERRORS = 12
/** Time for a sender to take the close frame of a socket that is not read any more. */
const LAST_WORDS_MS = 500

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * One WebSocket of a trainer that sends to a hand-made relay. Such senders connect for each message and leave at once, or
 * keep a socket and never read: what has come is applied all the same, nothing is said of what is well, and too much is
 * answered by reading slowly.
 */
export class RelayConnection extends PlainConnection {
  readonly #options: RelayConnectionOptions
  readonly #meter: FrameMeter
  /** Counted so far of what `#meter` has. */
  #receivedBytes = 0
  #count = 0
  #unapplied = 0
  #isReader: boolean
  #errors = 0
  #isSlowed = false
  /** It was told to go; what it sends after that is left alone. */
  #isRefused = false

  constructor(upgraded: Upgraded<PlainConnection>, options: RelayConnectionOptions) {
    super(upgraded, options)
    this.#options = options
    this.#isReader = options.isAcknowledged
    this.#meter = new FrameMeter(options.maxMessageBytes)
  }

  override receive(data: RawData): void {
    if (this.#isRefused) return
    const waitMs = this.budget.take(performance.now())
    if (waitMs === null)
      return void this.#end('RATE_LIMITED', 'too many messages (EPOCHCAST_OPERATIONS_PER_SECOND)')
    if (waitMs > 0) this.#slow(waitMs)
    const { received, turns } = this.options.clients
    const { holder } = this.writer
    const bytes = bytesOf(data)
    // Until it has been applied: the engine may be away for a while.
    received.add(holder, bytes.length)
    if (received.isOver(holder)) {
      received.add(holder, -bytes.length)
      return void this.#end('OVERLOADED', 'too many bytes of messages that wait to be applied')
    }
    const number = ++this.#count
    this.#unapplied++
    this.#flow()
    turns.take(holder, () => {
      void this.#take(bytes, number).finally(() => {
        received.add(holder, -bytes.length)
        this.#unapplied--
        this.#flow()
      })
    })
  }

  async #take(bytes: Buffer, number: number): Promise<void> {
    try {
      const text = decoded(bytes)
      if (TEXT_OF_PING.test(text)) {
        this.#isReader = true
        return this.say({ type: 'pong', timestamp: new Date().toISOString() })
      }
      const applied = await this.#options.apply(this, relayMessage(text))
      if (this.#options.isAcknowledged && !this.isOver) this.say(acknowledgement(applied, number))
    } catch (error) {
      this.#tell(error, number)
    }
  }

  /** What a message is refused with; those that follow are taken. */
  #tell(error: unknown, number: number): void {
    const { message, extensions } = this.options.translate(error)
    this.options.clients.refusals.addAll([{ extensions }], 'websocket', this.caller.address)
    if (this.isOver || (!this.#isReader && this.#errors >= MAX_UNASKED_ERRORS)) return
    this.#errors++
    const isLast = !this.#isReader && this.#errors === MAX_UNASKED_ERRORS
    const more = isLast ? '; no further errors are told here, as nobody seems to read them' : ''
    const timestamp = new Date().toISOString()
    this.say({ type: 'error', message: message + more, ...extensions, number, timestamp })
  }

  /** Reads no faster than it is applied. */
  #flow(): void {
    const { peer } = this
    const isFull = this.#isSlowed || this.#unapplied >= MAX_UNAPPLIED
    if (isFull && !peer.isPaused) peer.pause()
    else if (!isFull && peer.isPaused && !this.#isRefused) peer.resume()
  }

  #slow(waitMs: number): void {
    if (this.#isSlowed) return
    this.#isSlowed = true
    setTimeout(() => {
      this.#isSlowed = false
      this.#flow()
    }, waitMs).unref()
  }

  override refuse(error: unknown): void {
    this.#isRefused = true
    super.refuse(error)
  }

  override meter(chunk: Buffer): void {
    const { received } = this.options.clients
    const { holder } = this.writer
    this.#meter.push(chunk)
    const { bytes } = this.#meter
    const more = bytes - this.#receivedBytes
    if (more === 0) return
    received.add(holder, more)
    this.#receivedBytes = bytes
    if (more > 0 && received.isOver(holder))
      this.#end('OVERLOADED', 'too many bytes of messages that have not come whole')
  }

  override checkTimes(now: number, date: number): void {
    super.checkTimes(now, date)
    const { requestMs } = this.options.clients.limits
    const { startedAt } = this.#meter
    if (startedAt === null || now - startedAt < requestMs || this.peer.isPaused) return
    const bound = `${requestMs / 1000} s (EPOCHCAST_REQUEST_SECONDS)`
    this.#end('REQUEST_TIMEOUT', `a message has not come whole within ${bound}`)
  }

  /** One that is not read cannot show that it lives. */
  override probe(): void {
    if (this.peer.isPaused) this.showAlive()
    else super.probe()
  }

  override async ended(code: number): Promise<void> {
    this.options.clients.received.add(this.writer.holder, -this.#receivedBytes)
    this.#receivedBytes = 0
    await super.ended(code)
  }

  /** Ends a sender that may come back; reads nothing more of it meanwhile. */
  #end(code: RefusalCode, reason: string): void {
    const { peer } = this
    if (this.#isRefused) return
    this.#isRefused = true
    this.options.clients.refusals.add(code, 'websocket', this.caller.address)
    peer.close(TRY_AGAIN_LATER, reason)
    peer.pause()
    setTimeout(() => peer.terminate(), LAST_WORDS_MS)
  }
}

function acknowledgement({ task, isRepeat, stopRequested, warnings }: Applied, number: number): object {
  const { id: task_id } = task
  const told = { type: 'ack', number, task_id, channel: channelOf(task), timestamp: new Date().toISOString() }
  return { ...told, repeated: isRepeat, stop_requested: stopRequested, warnings }
}

const bytesOf = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data)

/** Text, or a binary frame with text in it. */
function decoded(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new EpochcastError('BAD_REQUEST', 'the message is not UTF-8; expected JSON')
  }
}
