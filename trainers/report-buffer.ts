import type { Report } from './report.ts'

/** What gives way first when the buffer is full: progress is replaced by newer progress, an outcome by nothing. */
const Importance = { progress: 0, notice: 1, measurement: 2, outcome: 3 } as const
type Importance = (typeof Importance)[keyof typeof Importance]

export interface ReportBufferBounds {
  maxReports: number
  /** UTF-8 bytes of the encoded reports. */
  maxBytes: number
}

interface BufferedReport {
  order: number
  json: string
  bytes: number
}

/**
 * Reports waiting to be sent, encoded, in the order they were made. When a bound is exceeded the
 * oldest report of the least important kind is dropped and counted; every operation is O(1), so a
 * trainer that reports in a tight loop is not slowed by a server that is away.
 */
export class ReportBuffer {
  dropped = 0
  size = 0
  bytes = 0
  readonly #bounds: ReportBufferBounds
  readonly #queues = [new Fifo(), new Fifo(), new Fifo(), new Fifo()] as const
  #nextOrder = 0

  constructor(bounds: ReportBufferBounds) {
    this.#bounds = bounds
  }

  /** Throws where the report is not JSON (a cycle, a BigInt). */
  push(report: Report): void {
    const json = encode(report)
    const bytes = Buffer.byteLength(json)
    this.#queues[importanceOf(report)].push({ order: this.#nextOrder++, json, bytes })
    this.size++
    this.bytes += bytes
    while (this.size > this.#bounds.maxReports || (this.bytes > this.#bounds.maxBytes && this.size > 1)) {
      this.#remove(this.#queues.find((queue) => queue.first !== undefined))
      this.dropped++
    }
  }

  /** Removes the oldest reports, up to both limits but at least one, and returns their JSON texts. */
  take(maxReports: number, maxBytes: number): string[] {
    const taken: string[] = []
    let bytes = 0
    while (this.size > 0 && taken.length < maxReports) {
      const oldest = this.#oldestQueue()
      bytes += (oldest.first?.bytes ?? 0) + 1
      if (taken.length > 0 && bytes > maxBytes) break
      taken.push(this.#remove(oldest))
    }
    return taken
  }

  clear(): void {
    this.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  }

  #oldestQueue(): Fifo {
    return this.#queues.reduce((oldest, queue) =>
      (queue.first?.order ?? Infinity) < (oldest.first?.order ?? Infinity) ? queue : oldest,
    )
  }

  #remove(queue: Fifo | undefined): string {
    const report = queue?.shift()
    if (!report) throw new Error('report buffer is empty')
    this.size--
    this.bytes -= report.bytes
    return report.json
  }
}

/** Adds the timestamp and spells non-finite numbers as the API's MetricValue does. */
export function encode(report: Report): string {
  const [kind, body] = Object.entries(report)[0] as [string, object]
  return JSON.stringify({ [kind]: { timestamp: new Date().toISOString(), ...body } }, (_key, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )
}

function importanceOf(report: Report): Importance {
  if ('progress' in report) return Importance.progress
  if ('epochEnd' in report || 'roundEnd' in report) return Importance.measurement
  if ('success' in report || 'failure' in report) return Importance.outcome
  if ('status' in report && ['SUCCESS', 'FAILURE', 'CANCELLED'].includes(report.status.status)) {
    return Importance.outcome
  }
  return Importance.notice
}

class Fifo {
  #items: BufferedReport[] = []
  #head = 0

  get first(): BufferedReport | undefined {
    return this.#items[this.#head]
  }

  push(item: BufferedReport): void {
    this.#items.push(item)
  }

  shift(): BufferedReport | undefined {
    const item = this.#items[this.#head]
    if (item) this.#head++
    // Array.shift moves every element; cutting the used half off now and then costs O(1) a report.
    if (this.#head > 512 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
