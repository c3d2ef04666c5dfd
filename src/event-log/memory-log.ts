import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { channelOf, type TaskKey, type TaskState } from '../task/task.ts'
import type { CurvesRead } from './curve-store.ts'
import type { CurveChange, LogEntry, ReadResult, StoredSnapshot } from './event-log.ts'
import type { Holding } from './ledger.ts'
import { type LogExtent, newGeneration, refusalOf } from './log-extent.ts'
import { MemoryOutput } from './memory-output.ts'

/** Rough cost of an entry beside its text: the string's header and its slot in the array. */
const ENTRY_OVERHEAD_BYTES = 32
/** What a task takes beside the texts, as measured: objects, their names, its places in lists and in the catalog. */
const LOG_OVERHEAD_BYTES = 1536
/** Newest events that a task keeps however little room there is. */
const MIN_EVENTS = 100

export interface Appended {
  readonly events: readonly TaskEvent[]
  readonly texts: readonly string[]
  readonly state: TaskState
  readonly curves?: CurveChange | undefined
}

/** What an append or an edit would take. */
interface Weight {
  readonly textBytes: number
  readonly stateBytes: number
  readonly curveBytes: number
  /** Bytes by which the log would grow. */
  readonly growth: number
}

/** One task's log in memory. Its events are kept as JSON text, which is a third of the size of objects. */
export class MemoryLog implements Holding {
  readonly owner: string | null
  readonly key: TaskKey
  readonly serial: number
  readonly output = new MemoryOutput()
  finishedAt: number | null = null
  #generation = newGeneration()
  /** The generation before, and the last offset that both have in common. */
  #previous: Position | null = null
  /** Oldest first, from `#head` on. */
  #texts: string[] = []
  #head = 0
  #top = 0
  #revision = 0
  #state: TaskState
  #stateBytes = 0
  /** Of all retained events. */
  #textBytes = 0
  /** Offset of the last event that is in the curves; the next ones must not be trimmed. */
  #folded = 0
  #curveIndex: string | null = null
  readonly #segments = new Map<string, Uint8Array>()
  #bytes: number

  constructor(key: TaskKey, serial: number, state: TaskState) {
    this.key = key
    this.owner = state.spec.owner ?? null
    this.serial = serial
    this.#state = state
    this.#bytes = LOG_OVERHEAD_BYTES + channelOf(key).length
  }

  /** Bytes of events, state and output, counted as JSON text, and of curves. */
  get bytes(): number {
    return this.#bytes + this.output.bytes
  }

  /** Events retained. */
  get length(): number {
    return this.#texts.length - this.#head
  }

  /** Position of the newest event. */
  get position(): Position {
    return { generation: this.#generation, offset: this.#top }
  }

  get snapshot(): StoredSnapshot {
    return {
      state: this.#state,
      top: this.position,
      serial: this.serial,
      revision: this.#revision,
      folded: this.#folded,
      bytes: this.bytes,
    }
  }

  isAt({ generation, offset }: Position, revision = this.#revision): boolean {
    return generation === this.#generation && offset === this.#top && revision === this.#revision
  }

  /** As `EventLog.startGeneration` says. */
  startGeneration(previous: string, common: number): void {
    if (previous !== this.#generation) return
    this.#previous = { generation: previous, offset: common }
    this.#generation = newGeneration()
  }

  /** What is to be appended, weighed before it is. */
  weigh({ texts, state, curves }: Appended): Weight {
    let textBytes = 0
    for (const text of texts) textBytes += bytesOf(text)
    const stateBytes = Buffer.byteLength(JSON.stringify(state))
    const curveBytes = curves ? this.#curveGrowth(curves) : 0
    const growth = textBytes + stateBytes - this.#stateBytes + curveBytes
    return { textBytes, stateBytes, curveBytes, growth }
  }

  append(
    { events, texts, state, curves }: Appended,
    { textBytes, stateBytes, curveBytes }: Weight,
  ): LogEntry[] {
    const entries = events.map((event): LogEntry => ({ offset: ++this.#top, event }))
    for (const text of texts) this.#texts.push(text)
    this.#textBytes += textBytes
    this.#bytes += textBytes + curveBytes
    this.#replaceState(state, stateBytes)
    if (curves) this.#changeCurves(curves)
    return entries
  }

  edit(state: TaskState, { stateBytes }: Weight): void {
    this.#revision++
    this.#replaceState(state, stateBytes)
  }

  get curves(): CurvesRead {
    const start = this.#head + (this.#folded - (this.#top - this.length))
    const entries = this.#entriesFrom(start, Number.POSITIVE_INFINITY)
    return { top: this.position, index: this.#curveIndex, entries }
  }

  segment(name: string): Uint8Array | null {
    return this.#segments.get(name) ?? null
  }

  /** Whether there is an event that may go. */
  get isTrimmable(): boolean {
    return this.length > 1 && this.#top - this.length < this.#folded
  }

  /** About how many bytes of output and events may go where there is no room for more; the newest stay in any case. */
  get spareBytes(): number {
    const spare = Math.min(this.length - MIN_EVENTS, this.#folded - (this.#top - this.length))
    return this.output.spareBytes + (spare > 0 ? (this.#textBytes * spare) / this.length : 0)
  }

  /** Gives up its oldest output, then its oldest events, and returns the bytes that this freed. */
  trim(bytes: number): number {
    let freed = this.output.trim(bytes)
    while (freed < bytes && this.length > MIN_EVENTS && this.isTrimmable) freed += this.trimOldest()
    return freed
  }

  /** Returns the bytes that this freed. */
  trimOldest(): number {
    const bytes = bytesOf(this.#texts[this.#head] as string)
    this.#texts[this.#head++] = ''
    this.#bytes -= bytes
    this.#textBytes -= bytes
    // Moving the array's start is expensive, so it waits until half of the array is empty.
    if (this.#head > 64 && this.#head * 2 > this.#texts.length) {
      this.#texts = this.#texts.slice(this.#head)
      this.#head = 0
    }
    return bytes
  }

  read(after: Position | null, limit: number): ReadResult {
    const beforeOldest = this.#top - this.length
    const refusal = after && refusalOf(this.#extent, after)
    if (refusal) return refusal
    const skipped = after ? after.offset - beforeOldest : 0
    const entries = this.#entriesFrom(this.#head + skipped, limit)
    return { kind: 'entries', entries, top: this.position, revision: this.#revision }
  }

  get #extent(): LogExtent {
    const oldest = this.#top - this.length + 1
    return { generation: this.#generation, previous: this.#previous, top: this.#top, oldest }
  }

  #replaceState(state: TaskState, stateBytes: number): void {
    this.#bytes += stateBytes - this.#stateBytes
    this.#state = state
    this.#stateBytes = stateBytes
  }

  #entriesFrom(start: number, limit: number): LogEntry[] {
    const before = this.#top - this.length - this.#head
    return this.#texts
      .slice(start, start + limit)
      .map((text, i): LogEntry => ({ offset: before + start + 1 + i, event: JSON.parse(text) as TaskEvent }))
  }

  #curveGrowth({ index, put, drop }: CurveChange): number {
    let growth = index.length - (this.#curveIndex?.length ?? 0)
    for (const name of drop) growth -= this.#segments.get(name)?.byteLength ?? 0
    for (const { bytes } of put) growth += bytes.byteLength
    return growth
  }

  #changeCurves({ through, index, put, drop }: CurveChange): void {
    this.#curveIndex = index
    this.#folded = through
    for (const name of drop) this.#segments.delete(name)
    for (const { name, bytes } of put) this.#segments.set(name, bytes)
  }
}

const bytesOf = (text: string): number => Buffer.byteLength(text) + ENTRY_OVERHEAD_BYTES
