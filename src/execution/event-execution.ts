import { randomUUID } from 'node:crypto'
import type { ExecutionArgs, ExecutionResult } from 'graphql'
import type { Encoder } from '../delivery/encoding.ts'
import { withoutHttpHints } from '../schema/errors.ts'
import type { DeliveredEvent, StreamEvent, StreamOpened, TaskView } from '../task/stream-event.ts'
import type { EventEncoder } from './compile-selection.ts'
import { stringify } from './raw-json.ts'

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
 * The execution results of a subscription operation as JSON text. Events of the log are encoded by the compiled
 * selection, and executed where it leaves that to execution.
 */
export class EventExecution implements Encoder {
  readonly #compiled: EventEncoder
  readonly #operation: ExecutionArgs
  readonly #execute: Execute
  /** The last one of each type of the stream's own events. */
  readonly #templates = new Map<StreamEvent['type'], Template>()

  constructor(compiled: EventEncoder, operation: ExecutionArgs, execute: Execute) {
    this.#compiled = compiled
    this.#operation = operation
    this.#execute = execute
  }

  encode(event: DeliveredEvent): string | Promise<string> {
    return this.#compiled(event) ?? this.#run(event).then(textOf)
  }

  /**
   * Subscribers that come at the same time are told the same but for where they stand and when, so it is executed
   * for one and filled in for the others.
   */
  async encodeOwn(event: StreamEvent): Promise<string> {
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

  #run(event: DeliveredEvent | StreamEvent): Promise<ExecutionResult> {
    return this.#execute({ ...this.#operation, rootValue: event })
  }
}

function textOf({ data, errors }: ExecutionResult): string {
  return stringify({ data, errors: errors?.map((error) => withoutHttpHints(error).toJSON()) })
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
