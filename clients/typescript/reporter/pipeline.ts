import { Delivery } from './delivery.ts'
import { reportText } from './encode-report.ts'
import { REPORTER_LIMITS as LIMITS } from './limits.ts'
import type { NodeParts } from './node.ts'
import { type Notices, wordsOf } from './notices.ts'
import type { ReporterOptions } from './options.ts'
import { Outbox, type Spool } from './outbox.ts'
import { fetchPost, ReportServer } from './report-server.ts'
import type { DeliveryTarget } from './target.ts'

/** Texts of one member that become batches together. */
interface Pending {
  readonly member: string | null
  readonly texts: string[]
  size: number
}

type PipelineOptions = Pick<
  ReporterOptions,
  'token' | 'fetch' | 'spoolDirectory' | 'spoolPrefix' | 'onStop' | 'stopPollMs' | 'maxMemoryBytes'
>

/** One process's reports of one run: from texts, over batches in the outbox, to the server. `put` waits for nothing. */
export class Pipeline {
  readonly #notices: Notices
  readonly #maxMemoryBytes: number
  readonly #outbox: Promise<Outbox>
  readonly #delivery: Promise<Delivery>
  #delivering: Delivery | null = null
  #box: Outbox | null = null
  readonly #directory: string | null
  #hasSpool = false
  #pending: Pending[] = []
  #pendingBytes = 0
  /** Of batches that are on their way to the outbox, and in its memory. */
  #waitingBytes = 0
  #timer: ReturnType<typeof setTimeout> | null = null
  /** Number of the next batch's first report. */
  #next = 1
  /** Reports that are to be delivered: pending ones, and all that became batches. */
  #accepted = 0
  #leftOut = 0
  #appending: Promise<void> = Promise.resolve()

  constructor(
    url: string,
    target: DeliveryTarget,
    options: PipelineOptions,
    notices: Notices,
    node: NodeParts | null,
  ) {
    const { token, fetch, onStop, stopPollMs } = options
    const post = fetch || !node ? fetchPost(fetch ?? globalThis.fetch) : node.post
    this.#notices = notices
    this.#maxMemoryBytes = options.maxMemoryBytes ?? LIMITS.memoryBytes
    this.#directory = (node && (options.spoolDirectory || node.env.EPOCHCAST_SPOOL_DIR)) || null
    const server = new ReportServer({
      ...{ url, post, gzip: node?.gzip ?? null },
      token: token ?? node?.env.EPOCHCAST_TOKEN,
    })
    this.#outbox = this.#openSpool(url, target, node, options.spoolPrefix ?? '').then((spool) => {
      this.#hasSpool = spool !== null
      this.#box = new Outbox(spool, this.#maxMemoryBytes)
      return this.#box
    })
    this.#delivery = this.#outbox.then((outbox) => {
      const tellStop = () => {
        try {
          onStop?.()
        } catch (error) {
          notices.say('stop', `onStop failed: ${wordsOf(error)}`)
        }
      }
      const delivery = new Delivery(server, outbox, notices, target, { onStop: tellStop, stopPollMs })
      this.#delivering = delivery
      void delivery.run()
      return delivery
    })
  }

  async #openSpool(
    url: string,
    target: DeliveryTarget,
    node: NodeParts | null,
    prefix: string,
  ): Promise<Spool | null> {
    const directory = this.#directory
    if (directory === null || !node) return null
    try {
      return await node.openSpool(directory, prefix, url, target)
    } catch (error) {
      this.#notices.say(
        'spool',
        `nothing can be kept in ${directory} (${wordsOf(error)}); only memory is used`,
      )
      return null
    }
  }

  get stopRequested(): boolean {
    return this.#delivering?.stopRequested ?? false
  }

  get taskId(): string | null {
    return this.#delivering?.taskId ?? null
  }

  /** Of what comes faster than it can be sent or kept, the newest is left out; never what ends the run. */
  put(text: string, member: string | null): void {
    if (this.#delivering?.isOver) return
    const bytes = this.#pendingBytes + this.#waitingBytes + (this.#box?.memoryBytes ?? 0)
    if (bytes + text.length > this.#maxMemoryBytes) this.#leftOut++
    else this.#add(text, member)
  }

  putEnd(text: string): void {
    // After it the server takes nothing.
    this.#tellLeftOut()
    // Alone, so that nothing beside it is refused with it.
    this.#pending.push({ member: null, texts: [], size: LIMITS.batchBytes })
    this.#add(text, null)
  }

  #add(text: string, member: string | null): void {
    let last = this.#pending.at(-1)
    const isFull =
      last && (last.texts.length >= LIMITS.batchReports || last.size + text.length > LIMITS.batchBytes)
    if (!last || last.member !== member || isFull) {
      last = { member, texts: [], size: 0 }
      this.#pending.push(last)
    }
    last.texts.push(text)
    this.#accepted++
    last.size += text.length + 1
    this.#pendingBytes += text.length
    this.#timer ??= unreferenced(setTimeout(() => this.#appendPending(), LIMITS.lingerMs))
  }

  #tellLeftOut(): void {
    if (this.#leftOut === 0) return
    const words = `${this.#leftOut} reports were left out: more came than could be sent or kept`
    this.#leftOut = 0
    this.#notices.say('left-out', words)
    this.#add(reportText('error', { error: words, errorType: 'ReportsLeftOut' }), null)
  }

  /** What is pending becomes batches, in their order. */
  #appendPending(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const pending = this.#pending.filter(({ texts }) => texts.length > 0)
    const bytes = this.#pendingBytes
    this.#pending = []
    this.#pendingBytes = 0
    this.#waitingBytes += bytes
    this.#appending = this.#appending.then(() => this.#append(pending, bytes))
    return this.#appending
  }

  async #append(pending: readonly Pending[], bytes: number): Promise<void> {
    const outbox = await this.#outbox
    for (const { member, texts } of pending) {
      const batch = { first: this.#next, count: texts.length, member, reports: `[${texts.join()}]` }
      this.#next += texts.length
      // There is room: it was counted when the texts came.
      await outbox.append(batch, true)
    }
    this.#waitingBytes -= bytes
    if (outbox.spoolError !== null)
      this.#notices.say(
        'spool',
        `the spool cannot be written (${wordsOf(outbox.spoolError)}); memory is used`,
      )
    const room = this.#maxMemoryBytes - outbox.memoryBytes
    if (this.#leftOut > 0 && room > this.#maxMemoryBytes / 2) this.#tellLeftOut()
    ;(await this.#delivery).wake()
  }

  async flush(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs
    const number = this.#accepted
    await within(this.#appendPending(), timeoutMs)
    const isDelivered = () => this.#box !== null && this.#box.delivered >= number
    while (!isDelivered() && !this.#delivering?.isOver && performance.now() < until)
      await sleep(FLUSH_LOOK_MS)
    return isDelivered()
  }

  /** Waits until all is delivered, or, with a spool and a server that is away, is in the spool. */
  async close(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs
    const leftMs = () => Math.max(0, until - performance.now())
    this.#tellLeftOut()
    // What is not in the spool by then is lost, so a disk that is slow has its time.
    await within(
      this.#appendPending(),
      this.#directory ? Math.max(timeoutMs, LIMITS.spooledFlushMs) : timeoutMs,
    )
    const [outbox, delivery] = [this.#box, this.#delivering]
    if (!outbox || !delivery) {
      this.#notices.say('left', `nothing was delivered: ${this.#directory} does not respond`)
      return false
    }
    const isSafe = () => this.#hasSpool && this.#waitingBytes === 0 && outbox.reportsInMemory === 0
    delivery.close()
    await within(
      delivery.done,
      isSafe() && delivery.isAway ? Math.min(leftMs(), LIMITS.spooledFlushMs) : leftMs(),
    )
    delivery.giveUp()
    // The call that is under way is aborted, so this is soon, unless the disk hangs.
    await within(delivery.done, LIMITS.spooledFlushMs)
    return this.#finish(outbox, delivery, isSafe())
  }

  async #finish(outbox: Outbox, delivery: Delivery, isSafe: boolean): Promise<boolean> {
    const isDelivered = !delivery.isOver && outbox.delivered >= this.#accepted
    const end = isDelivered ? 'remove' : delivery.isOver ? 'aside' : 'keep'
    await within(outbox.close(end), LIMITS.spooledFlushMs)
    const left = this.#accepted - outbox.delivered
    if (isDelivered || delivery.isOver) return isDelivered
    this.#notices.say(
      'left',
      isSafe
        ? `${left} reports are kept in ${this.#directory}; send them with: epochcast sync ${this.#directory}`
        : `${left} reports could not be delivered and are lost`,
    )
    return false
  }
}

const FLUSH_LOOK_MS = 5

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Resolves with a promise, or after a time. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}

function unreferenced<Timer>(timer: Timer): Timer {
  ;(timer as { unref?: () => void }).unref?.()
  return timer
}
