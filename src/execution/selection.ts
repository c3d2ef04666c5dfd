import {
  defaultFieldResolver,
  type FieldNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type GraphQLAbstractType,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNullableType,
  type InlineFragmentNode,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  typeFromAST,
  visit,
} from 'graphql'
import { IS_PROPERTY, TYPE_PROPERTY } from '../schema/answer.ts'
import { fill, fillAll, isData, type Slot, slotOf, type Template, type Writer, writerOf } from './template.ts'

/** What is selected of an object, and what is needed to understand it. */
export interface Selection {
  readonly schema: GraphQLSchema
  readonly selectionSet: SelectionSetNode
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
}

export type Values = Readonly<Record<string, unknown>>

/** The variables in a selection. Sorted. */
export function variablesOf({ selectionSet, fragments }: Selection): readonly string[] {
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

/** Texts before and after that of an object. */
interface Around {
  readonly before: string
  readonly after: string
}

/**
 * The text of what is selected of objects of a type, as execution and `JSON.stringify` give it. Null where only
 * execution can tell: a field that is neither a leaf nor objects, or has a resolver or arguments, a directive but
 * @include and @skip.
 *
 * @param values of the variables
 */
export function templateOf(
  selection: Selection,
  type: GraphQLObjectType,
  values: Values,
  around: Around,
): Template | null {
  if (type.isTypeOf) return null
  const fields = collectFields(selection, type, values)
  if (fields === null) return null

  const slots: Slot[] = []
  let constant = `${around.before}{`
  let separator = ''
  for (const [key, nodes] of fields) {
    const [node] = nodes
    constant += `${separator}${JSON.stringify(key)}:`
    separator = ','
    if (node.name.value === '__typename') {
      constant += JSON.stringify(type.name)
      continue
    }
    const field = type.getFields()[node.name.value]
    if (!field || !isPlain(field)) return null
    const selected = { ...selection, selectionSet: mergedSelection(nodes) }
    const write = writerOf(field.type) ?? objectsWriterOf(selected, field.type, values)
    if (write === null) return null
    const slot = slotOf(constant, field.name, write)
    slots.push(slot)
    constant = ''
  }
  return { slots, end: `${constant}}${around.after}` }
}

/** What is selected of an object, or of the objects of a list. */
function objectsWriterOf(selection: Selection, type: GraphQLOutputType, values: Values): Writer | null {
  const write = presentWriterOf(selection, getNullableType(type), values)
  const absent = isNonNullType(type) ? null : 'null'
  return write && ((value) => (value == null ? absent : isObject(value) ? write(value) : null))
}

const isObject = (value: unknown): value is object => typeof value === 'object' && isData(value)

function presentWriterOf(
  selection: Selection,
  type: ReturnType<typeof getNullableType>,
  values: Values,
): ((value: object) => string | null) | null {
  if (isListType(type)) {
    const item = isNonNullType(type.ofType) ? type.ofType.ofType : null
    const template = isObjectType(item) ? templateOf(selection, item, values, BARE) : null
    return template && ((value) => (Array.isArray(value) ? fillAll(template, value) : null))
  }
  if (isObjectType(type)) {
    const template = templateOf(selection, type, values, BARE)
    return template && ((value) => fill(template, value))
  }
  const property = isAbstractType(type) ? type.extensions[TYPE_PROPERTY] : undefined
  if (!isAbstractType(type) || typeof property !== 'string') return null
  const templateFor = templatesOf(selection, type, values, BARE)
  return (value) => {
    const template = templateFor((value as Values)[property])
    return template && fill(template, value)
  }
}

const BARE: Around = { before: '', after: '' }

/** The templates of the types that an abstract one may stand for, by their names; null of any other name. */
export function templatesOf(
  selection: Selection,
  abstract: GraphQLAbstractType,
  values: Values,
  around: Around,
): (typeName: unknown) => Template | null {
  const { schema } = selection
  const templates = new Map<unknown, Template | null>()
  return (typeName) => {
    // Few documents are there to see all types, so a type is compiled when its first object comes.
    let template = templates.get(typeName)
    if (template === undefined) {
      const type = typeof typeName === 'string' ? schema.getType(typeName) : null
      if (!isObjectType(type) || !schema.isSubType(abstract, type)) return null
      template = templateOf(selection, type, values, around)
      templates.set(typeName, template)
    }
    return template
  }
}

/** All that is selected of a field by several selections under one key. */
export const mergedSelection = (nodes: readonly FieldNode[]): SelectionSetNode => ({
  kind: Kind.SELECTION_SET,
  selections: nodes.flatMap(({ selectionSet }) => selectionSet?.selections ?? []),
})

/** Whether execution reads the property of the field's name: Pothos gives what is exposed no resolver. */
function isPlain({ resolve, args, extensions }: GraphQLField<unknown, unknown>): boolean {
  const isProperty =
    resolve === undefined || resolve === defaultFieldResolver || extensions[IS_PROPERTY] === true
  return isProperty && args.length === 0
}

type Nodes = readonly [FieldNode, ...FieldNode[]]

/**
 * The fields of an object of one type under their response keys, in the order of graphql-js: that of the
 * first appearance, depth first. Fields under one key are the same field with the same arguments. Null where only
 * execution can tell.
 */
function collectFields(
  { schema, selectionSet, fragments }: Selection,
  type: GraphQLObjectType,
  values: Values,
): ReadonlyMap<string, Nodes> | null {
  const fields = new Map<string, [FieldNode, ...FieldNode[]]>()
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
        const same = fields.get(key)
        if (same) same.push(node)
        else fields.set(key, [node])
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
