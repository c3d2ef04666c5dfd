import {
  type DocumentNode,
  defaultFieldResolver,
  type ExecutionArgs,
  execute,
  type FieldNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type GraphQLAbstractType,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNullableType,
  getOperationAST,
  type InlineFragmentNode,
  isAbstractType,
  isObjectType,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
  typeFromAST,
  visit,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { DeliveredEvent } from '../task/stream-event.ts'
import { fill, type Slot, slotOf, type Template } from './event-template.ts'

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
  const fragments = new Map(
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
interface Selected {
  readonly schema: GraphQLSchema
  readonly eventType: GraphQLAbstractType
  readonly selectionSet: SelectionSetNode
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
}

type Values = Readonly<Record<string, unknown>>

const leaveToExecution: EventEncoder = () => null

/** Whether execution refuses an event without values; an error inside of the event is no refusal. */
function isRefused(args: ExecutionArgs): boolean {
  const result = execute(args)
  if ('then' in result) return true
  return result.errors?.some(({ path }) => path === undefined || path.length === 1) ?? false
}

function variablesOf({ selectionSet, fragments }: Selected): readonly string[] {
  const names = new Set<string>()
  const seen = new Set<string>()
  const look = (node: SelectionSetNode | FragmentDefinitionNode): void => {
    visit(node, {
      Variable: ({ name }) => {
        names.add(name.value)
      },
      FragmentSpread: ({ name }) => {
        const fragment = fragments.get(name.value)
        if (!fragment || seen.has(name.value)) return
        seen.add(name.value)
        look(fragment)
      },
    })
  }
  look(selectionSet)
  return [...names].sort()
}

function encoderOf(selected: Selected, responseKey: string, values: Values): EventEncoder {
  const before = `{"data":{${JSON.stringify(responseKey)}:`
  const templates = new Map<string, Template | null>()
  return (event) => {
    // Few documents are there to see all types, so a type is compiled when its first event comes.
    let template = templates.get(event.type)
    if (template === undefined) {
      template = templateOf(selected, event.type, values, before)
      templates.set(event.type, template)
    }
    return template && fill(template, event)
  }
}

function templateOf(selected: Selected, typeName: string, values: Values, before: string): Template | null {
  const { schema, eventType } = selected
  const type = schema.getType(typeName)
  if (!isObjectType(type) || type.isTypeOf || !schema.isSubType(eventType, type)) return null
  const fields = collectFields(selected, type, values)
  if (fields === null) return null

  const slots: Slot[] = []
  let constant = `${before}{`
  let separator = ''
  for (const [key, node] of fields) {
    constant += `${separator}${JSON.stringify(key)}:`
    separator = ','
    if (node.name.value === '__typename') {
      constant += JSON.stringify(type.name)
      continue
    }
    const field = type.getFields()[node.name.value]
    const slot = field && isPlain(field) ? slotOf(constant, field.name, field.type) : null
    if (slot === null) return null
    slots.push(slot)
    constant = ''
  }
  return { slots, end: `${constant}}}}` }
}

/** Whether execution reads the property of the field's name: Pothos gives what is exposed no resolver. */
function isPlain({ resolve, args }: GraphQLField<unknown, unknown>): boolean {
  return (resolve === undefined || resolve === defaultFieldResolver) && args.length === 0
}

/**
 * The fields of an event of one type under their response keys, in the order of graphql-js: that of the
 * first appearance, depth first. Fields under one key are the same field, so the first stands for all. Null
 * where only execution can tell.
 */
function collectFields(
  { schema, selectionSet, fragments }: Selected,
  type: GraphQLObjectType,
  values: Values,
): ReadonlyMap<string, FieldNode> | null {
  const fields = new Map<string, FieldNode>()
  const spread = new Set<string>()

  const applies = ({ typeCondition }: InlineFragmentNode | FragmentDefinitionNode): boolean => {
    if (!typeCondition) return true
    const condition = typeFromAST(schema, typeCondition)
    return condition === type || (isAbstractType(condition) && schema.isSubType(condition, type))
  }

  const collect = ({ selections }: SelectionSetNode): boolean => {
    for (const node of selections) {
      const included = isIncluded(node, values)
      if (included === null) return false
      if (!included) continue
      if (node.kind === Kind.FIELD) {
        const key = (node.alias ?? node.name).value
        if (!fields.has(key)) fields.set(key, node)
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        if (applies(node) && !collect(node.selectionSet)) return false
      } else if (!spread.has(node.name.value)) {
        spread.add(node.name.value)
        const fragment = fragments.get(node.name.value)
        if (!fragment || fragment.directives?.length) return false
        if (applies(fragment) && !collect(fragment.selectionSet)) return false
      }
    }
    return true
  }
  return collect(selectionSet) ? fields : null
}

/** Null where a directive is unknown, or a condition has no value. */
function isIncluded(
  node: FieldNode | InlineFragmentNode | FragmentSpreadNode,
  values: Values,
): boolean | null {
  if (!node.directives?.length) return true
  const known: readonly string[] = [GraphQLSkipDirective.name, GraphQLIncludeDirective.name]
  if (!node.directives.every(({ name }) => known.includes(name.value))) return null
  try {
    if (getDirectiveValues(GraphQLSkipDirective, node, values)?.if === true) return false
    return getDirectiveValues(GraphQLIncludeDirective, node, values)?.if !== false
  } catch {
    return null
  }
}
