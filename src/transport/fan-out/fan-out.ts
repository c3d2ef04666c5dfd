import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  getVariableValues,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { compileEventPlan, type EventPlan } from '../../execution/compile-selection.ts'
import { TrainingStream } from '../../feed/training-stream.ts'
import { ANYONE } from '../../repository/access.ts'
import type { Context } from '../../schema/context.ts'
import { Turns } from '../turns.ts'
import { type Execute, SharedEncoding } from './encoding.ts'
import { LiveGroups } from './live-group.ts'
import { SharedResults } from './shared-results.ts'
import type { Shared } from './subscriber.ts'

/** Encodings kept for one document; more than this many variants of it are not all shared. */
export const MAX_ENCODINGS_PER_DOCUMENT = 32

/** Those who catch up and are sent some of it in one round of the event loop. */
const CATCH_UPS_PER_ROUND = 8

/** What is known about one document, by the name of the operation. */
interface Known {
  readonly plans: Map<string, EventPlan | null>
  /** By what makes results differ: operation, variables that shape them, audience. */
  readonly encodings: LRUCache<string, SharedEncoding>
}

/**
 * Subscriptions to a task whose results depend on nothing but the document, some variables and the task:
 * one execution and one encoding of an event serve all who get the same. What a subscriber may see is decided
 * before, by the resolver, for each of them.
 */
export class FanOut {
  readonly #execute: Execute
  readonly #shared: Shared = { groups: new LiveGroups(), turns: new Turns(CATCH_UPS_PER_ROUND) }
  readonly #known = new WeakMap<DocumentNode, Known>()

  constructor(execute: Execute) {
    this.#execute = execute
  }

  /** Groups of subscribers who stand at the top of their tasks. */
  get groupCount(): number {
    return this.#shared.groups.size
  }

  /**
   * The shared results of an operation, or its refusal; null where it is of another kind and is to be run as
   * GraphQL runs any other.
   *
   * @param onEnd called once its results are over
   */
  async subscribe(
    operation: ExecutionArgs,
    onEnd: () => void,
  ): Promise<SharedResults | ExecutionResult | null> {
    const encoding = this.#encodingOf(operation)
    if (!encoding) return null
    const stream = await createSourceEventStream(operation)
    if (!(Symbol.asyncIterator in stream)) return stream
    if (!(stream instanceof TrainingStream)) throw new Error('trainingProgress gave no stream of a training')
    return new SharedResults(stream, encoding, this.#shared, onEnd)
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
    const shared = { schema, document, operationName, variableValues, contextValue }
    encoding = new SharedEncoding(plan.encoder(values), shared as ExecutionArgs, this.#execute)
    known.encodings.set(shape, encoding)
    return encoding
  }
}

/** The operation's variables as its document declares them; null where they do not fit. */
function valuesOf({ schema, document, operationName, variableValues }: ExecutionArgs) {
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
  const { coerced } = getVariableValues(schema, definitions, variableValues ?? {}, { maxErrors: 1 })
  return coerced ?? null
}
