import {
  type DocumentNode,
  type ExecutionArgs,
  execute,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  type GraphQLSchema,
  getNullableType,
  getOperationAST,
  isAbstractType,
  Kind,
  OperationTypeNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { DeliveredEvent } from '../task/stream-event.ts'
import { type Selection, templatesOf, type Values, variablesOf } from './selection.ts'
import { fill } from './template.ts'

/** What a document selects of an event, compiled to text. */
export interface EventPlan {
  /** Name of the response's one field: the alias of `trainingProgress`, or its name. */
  readonly responseKey: string
  /**
   * Variables on which the shape of the result depends: those of @include and @skip and of arguments below
   * the root field. Sorted. The root field's own arguments (taskId, after …) are not among them.
   */
  readonly shapeVariables: readonly string[]
  /** The encoder for coerced variable values; the last few used are kept, by the values of `shapeVariables`. */
  encoder(variableValues: Readonly<Record<string, unknown>>): EventEncoder
}

/**
 * The whole execution result of an event as JSON text, byte for byte what execution and `JSON.stringify`
 * give; null where that is not sure (the type of the event is not covered, a value is not what its field
 * promises): then the event is to be executed.
 */
export type EventEncoder = (event: DeliveredEvent) => string | null

const ROOT_FIELD = 'trainingProgress'
/** Encoders kept per plan: conditions are few and Boolean, and more combinations only cost compiling. */
const MAX_ENCODERS = 16

/**
 * Compiles the selection of a validated document, so that an event costs no execution. Null where the
 * operation is not a subscription whose one root selection is `trainingProgress`, without directives.
 *
 * A type is covered where all of its selected fields are leaves that graphql-js would read with its default
 * resolver, and no directive but @include and @skip has a say. Encoders are shared whatever the root field's
 * arguments are: that those are right has been checked when somebody subscribed.
 */
export function compileEventPlan(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): EventPlan | null {
  const operation = getOperationAST(document, operationName)
  if (operation?.operation !== OperationTypeNode.SUBSCRIPTION || operation.directives?.length) return null
  const [root, ...others] = operation.selectionSet.selections
  if (root?.kind !== Kind.FIELD || root.name.value !== ROOT_FIELD || others.length > 0) return null
  const field = schema.getSubscriptionType()?.getFields()[ROOT_FIELD]
  const eventType = field && getNullableType(field.type)
  if (!root.selectionSet || root.directives?.length || !isAbstractType(eventType)) return null

  const responseKey = root.alias?.value ?? ROOT_FIELD
  const fragments = new Map<string, FragmentDefinitionNode>(
    document.definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  )
  const selected: Selected = { schema, eventType, selectionSet: root.selectionSet, fragments }
  const shapeVariables = variablesOf(selected)
  const encoders = new LRUCache<string, EventEncoder>({ max: MAX_ENCODERS })
  const blankEvent = { type: schema.getPossibleTypes(eventType)[0]?.name }

  return {
    responseKey,
    shapeVariables,
    encoder(variableValues) {
      const given = shapeVariables.filter((name) => Object.hasOwn(variableValues, name))
      const values = Object.fromEntries(given.map((name) => [name, variableValues[name]]))
      const key = JSON.stringify(values)
      let encoder = encoders.get(key)
      if (encoder === undefined) {
        // Execution does not get to the event where, say, the operation is too complex.
        const args = { schema, document, operationName, variableValues, contextValue: {} }
        if (isRefused({ ...args, rootValue: blankEvent })) return leaveToExecution
        encoder = encoderOf(selected, responseKey, values)
        encoders.set(key, encoder)
      }
      return encoder
    },
  }
}

/** The selection on an event, and what is needed to understand it. */
interface Selected extends Selection {
  readonly eventType: GraphQLAbstractType
}

const leaveToExecution: EventEncoder = () => null

/** Whether execution refuses an event without values; an error inside of the event is no refusal. */
function isRefused(args: ExecutionArgs): boolean {
  const result = execute(args)
  if ('then' in result) return true
  return result.errors?.some(({ path }) => path === undefined || path.length === 1) ?? false
}

function encoderOf(selected: Selected, responseKey: string, values: Values): EventEncoder {
  const around = { before: `{"data":{${JSON.stringify(responseKey)}:`, after: '}}' }
  const templateFor = templatesOf(selected, selected.eventType, values, around)
  return (event) => {
    const template = templateFor(event.type)
    return template && fill(template, event)
  }
}
