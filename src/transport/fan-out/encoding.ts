import { randomUUID } from 'node:crypto'
import type { ExecutionArgs, ExecutionResult } from 'graphql'
import type { EventEncoder } from '../../execution/compile-selection.ts'
import { withoutHttpHints } from '../../schema/errors.ts'
import type { DeliveredEvent, StreamEvent, StreamOpened, TaskView } from '../../task/stream-event.ts'
import { ResultBatch } from './frames.ts'

export type Execute = (args: ExecutionArgs) => Promise<ExecutionResult>

/** Stand for the cursor and the timestamp in a text that is made for many. */
const CURSOR = `cursor-${randomUUID()}`
const TIMESTAMP = `timestamp-${randomUUID()}`
const PLACES = new RegExp(`(${CURSOR}|${TIMESTAMP})`)

interface Template {
  readonly event: StreamEvent
  /** The result's text, cut at CURSOR and TIMESTAMP; null where it has errors, which are for one alone. */
  readonly parts: Promise<readonly string[] | null>
}

/**
 * What one document makes of events, as JSON text, for all subscribers who would get the same: an event of
 * the log costs one encoding, whoever and how many they are.
 */
export class SharedEncoding {
  readonly #encode: EventEncoder
  readonly #operation: ExecutionArgs
  readonly #execute: Execute
  /** Texts that had to be executed, or were asked for one by one. */
  readonly #texts = new WeakMap<DeliveredEvent, string | Promise<string>>()
  readonly #pages = new WeakMap<readonly DeliveredEvent[], ResultBatch | Promise<ResultBatch>>()
  /** The last one of each type of the stream's own events. */
  readonly #templates = new Map<StreamEvent['type'], Template>()

  constructor(encode: EventEncoder, operation: ExecutionArgs, execute: Execute) {
    this.#encode = encode
    this.#operation = operation
    this.#execute = execute
  }

  /** The results for consecutive events that are sent to all at once. */
  batchOf(events: readonly DeliveredEvent[]): ResultBatch | Promise<ResultBatch> {
    return batchOf(events.map((event) => this.#encode(event) ?? this.textOf(event)))
  }

  /** As `batchOf`, but for those who get them one after the other: what was made for one is kept for the next. */
  pageOf(events: readonly DeliveredEvent[]): ResultBatch | Promise<ResultBatch> {
    let page = this.#pages.get(events)
    if (!page) {
      page = batchOf(events.map((event) => this.textOf(event)))
      this.#pages.set(events, page)
      // A failure is for those who wait; whoever comes later tries again.
      if (page instanceof Promise) page.catch(() => this.#pages.delete(events))
    }
    return page
  }

  /** The result for one event of the log; kept as long as the event is. */
  textOf(event: DeliveredEvent): string | Promise<string> {
    let text = this.#texts.get(event)
    if (text === undefined) {
      text = this.#encode(event) ?? this.#executed(event)
      this.#texts.set(event, text)
    }
    return text
  }

  /**
   * The result for an event of one subscriber's stream. Subscribers who come at the same time are told the
   * same but for where they stand and when, so it is executed for one and filled in for the others.
   */
  async textOfStreamEvent(event: StreamEvent): Promise<string> {
    let template = this.#templates.get(event.type)
    if (!template || !differsOnlyInPlace(template.event, event)) {
      template = { event, parts: this.#templateOf(event) }
      this.#templates.set(event.type, template)
      template.parts.catch(() => this.#templates.delete(event.type))
    }
    const parts = await template.parts
    if (!parts) return textOf(await this.#run(event))
    return parts
      .map((part) => (part === CURSOR ? event.cursor : part === TIMESTAMP ? event.timestamp : part))
      .join('')
  }

  async #templateOf(event: StreamEvent): Promise<readonly string[] | null> {
    const result = await this.#run({ ...event, cursor: CURSOR, timestamp: TIMESTAMP })
    return result.errors ? null : textOf(result).split(PLACES)
  }

  async #executed(event: DeliveredEvent): Promise<string> {
    try {
      const text = textOf(await this.#run(event))
      this.#texts.set(event, text)
      return text
    } catch (error) {
      this.#texts.delete(event)
      throw error
    }
  }

  #run(event: DeliveredEvent | StreamEvent): Promise<ExecutionResult> {
    return this.#execute({ ...this.#operation, rootValue: event })
  }
}

function batchOf(texts: readonly (string | Promise<string>)[]): ResultBatch | Promise<ResultBatch> {
  return texts.every((text) => typeof text === 'string')
    ? new ResultBatch(texts)
    : Promise.all(texts).then((all) => new ResultBatch(all))
}

function textOf({ data, errors }: ExecutionResult): string {
  return JSON.stringify({ data, errors: errors?.map((error) => withoutHttpHints(error).toJSON()) })
}

function differsOnlyInPlace(a: StreamEvent, b: StreamEvent): boolean {
  return (Object.keys(b) as (keyof StreamOpened)[]).every((field) => {
    if (field === 'cursor' || field === 'timestamp') return true
    const [ofA, ofB] = [(a as StreamOpened)[field], (b as StreamOpened)[field]]
    return ofA === ofB || (field === 'task' && isSameView((a as StreamOpened).task, (b as StreamOpened).task))
  })
}

/** States are never changed, only replaced. */
function isSameView(a: TaskView, b: TaskView): boolean {
  return a.state === b.state && a.top.offset === b.top.offset && a.top.generation === b.top.generation
}
