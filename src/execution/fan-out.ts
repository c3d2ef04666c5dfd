import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  getVariableValues,
  type VariableDefinitionNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { DeliveryCounts } from '../delivery/delivery-counts.ts'
import { SharedEncoding } from '../delivery/encoding.ts'
import { LiveGroups } from '../delivery/live-group.ts'
import type { Outlet } from '../delivery/outlet.ts'
import { type Held, type Shared, Subscriber } from '../delivery/subscriber.ts'
import { Turns } from '../delivery/turns.ts'
import { TrainingEvents } from '../feed/training-events.ts'
import type { TrainingStream } from '../feed/training-stream.ts'
import { ANYONE } from '../repository/access.ts'
import type { Context } from '../schema/context.ts'
import { compileEventPlan, type EventPlan } from './compile-selection.ts'
import { EventExecution, type Execute } from './event-execution.ts'

/** Encodings kept for one document; more than this many variants of it are not all shared. */
export const MAX_ENCODINGS_PER_DOCUMENT = 32

/** Characters of the variables of one that is kept; as long as a document is known, nobody pays for it. */
export const MAX_KEPT_VARIABLES = 4096

/** Subscribers that catch up and are sent some of it in one round of the event loop. */
const CATCH_UPS_PER_ROUND = 8

/** What is known about one document, by the name of the operation. */
interface Known {
  readonly plans: Map<string, EventPlan | null>
  /** By what makes results differ: operation, variables that shape them, audience. */
  readonly encodings: LRUCache<string, SharedEncoding>
}

/**
 * Subscriptions to a task whose results depend on nothing but the document, some variables and the task:
 * one execution and one encoding of an event serve all that get the same. What a subscriber may see is decided
 * before, by the resolver, for each of them.
 */
export class FanOut {
  readonly #execute: Execute
  /** What its subscribers deliver by, for doors that are not GraphQL, too. */
  readonly shared: Shared = { groups: new LiveGroups(), turns: new Turns(CATCH_UPS_PER_ROUND) }
  readonly #known = new WeakMap<DocumentNode, Known>()

  constructor(execute: Execute) {
    this.#execute = execute
  }

  get counts(): DeliveryCounts {
    return this.shared.groups.counts
  }

  /** Groups of subscribers that stand at the top of their tasks. */
  get groupCount(): number {
    return this.shared.groups.size
  }

  /**
   * The subscription that an operation opens, or its refusal; null where it is of another kind and is to be run as
   * GraphQL runs any other.
   *
   * @param held what it has taken, closed once it is over
   */
  async subscribe(
    operation: ExecutionArgs,
    held: Held,
  ): Promise<SharedSubscription | ExecutionResult | null> {
    const encoding = this.#encodingOf(operation)
    if (!encoding) return null
    const source = await createSourceEventStream(operation)
    if (!(Symbol.asyncIterator in source)) return source
    if (!(source instanceof TrainingEvents)) throw new Error('trainingProgress gave no stream of a training')
    return new SharedSubscription(source.stream, encoding, this.shared, held)
  }

  #encodingOf(operation: ExecutionArgs): SharedEncoding | null {
    const { schema, document, operationName, variableValues } = operation
    let known = this.#known.get(document)
    if (!known) {
      known = { plans: new Map(), encodings: new LRUCache({ max: MAX_ENCODINGS_PER_DOCUMENT }) }
      this.#known.set(document, known)
    }
    const name = operationName ?? ''
    let plan = known.plans.get(name)
    if (plan === undefined) {
      plan = compileEventPlan(schema, document, operationName)
      // Only operations that the document has: there are as many as it can hold.
      if (getOperationAST(document, operationName)) known.plans.set(name, plan)
    }
    if (!plan) return null
    const { shapeVariables } = plan
    let values = shapeVariables.length === 0 ? null : valuesOf(operation)
    // One that is absent is not one that is null.
    const shaping = shapeVariables.map((variable) => (values && variable in values ? [values[variable]] : []))
    const { audience, services } = operation.contextValue as Context
    const shape = `${name}\n${audience}\n${shaping.length === 0 ? '' : JSON.stringify(shaping)}`
    let encoding = known.encodings.get(shape)
    if (encoding) return encoding
    values ??= valuesOf(operation)
    // What is wrong with the variables, GraphQL can tell better.
    if (!values) return null
    // Nothing of the one that came first: its socket, its request, its rights would be kept for all that follow.
    const contextValue: Context = { caller: ANYONE, audience, services }
    // Only what the document declares: the rest is whatever the first one sent.
    const given = pick(variableValues, declaredBy(operation))
    const shared = { schema, document, operationName, variableValues: given, contextValue }
    encoding = new SharedEncoding(
      new EventExecution(plan.encoder(values), shared as ExecutionArgs, this.#execute),
    )
    if (shape.length + JSON.stringify(given).length <= MAX_KEPT_VARIABLES)
      known.encodings.set(shape, encoding)
    return encoding
  }
}

/** A subscription to a task, ready to deliver to an outlet. */
export class SharedSubscription {
  readonly #stream: TrainingStream
  readonly #encoding: SharedEncoding
  readonly #shared: Shared
  readonly #held: Held

  constructor(stream: TrainingStream, encoding: SharedEncoding, shared: Shared, held: Held) {
    this.#stream = stream
    this.#encoding = encoding
    this.#shared = shared
    this.#held = held
  }

  /** To be called once; the subscriber is then to be started, or stopped. */
  deliverTo(outlet: Outlet): Subscriber {
    const [stream, encoding, shared, held] = [this.#stream, this.#encoding, this.#shared, this.#held]
    return new Subscriber({ stream, encoding, shared, outlet, held })
  }
}

/** The operation's variables as its document declares them; null where they do not fit. */
function valuesOf(operation: ExecutionArgs) {
  const { schema, variableValues } = operation
  const { coerced } = getVariableValues(schema, declaredBy(operation), variableValues ?? {}, { maxErrors: 1 })
  return coerced ?? null
}

const declaredBy = ({ document, operationName }: ExecutionArgs): readonly VariableDefinitionNode[] =>
  getOperationAST(document, operationName)?.variableDefinitions ?? []

function pick(values: ExecutionArgs['variableValues'], declared: readonly VariableDefinitionNode[]) {
  const picked: Record<string, unknown> = {}
  for (const { variable } of declared) {
    const name = variable.name.value
    if (values && Object.hasOwn(values, name)) picked[name] = values[name]
  }
  return picked
}
