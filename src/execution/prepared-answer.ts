import {
  type ExecutionResult,
  type FieldNode,
  type GraphQLResolveInfo,
  getNamedType,
  isObjectType,
  type ResponsePath,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { Answer, ListWriter } from '../schema/answer.ts'
import { RawJson, stringify } from './raw-json.ts'
import { type Selection, templateOf, type Values, variablesOf } from './selection.ts'
import { fill, type Template } from './template.ts'

/** Templates kept for one field of a document: conditions are few and Boolean. */
const MAX_TEMPLATES = 16

/** The answer of one execution: what its resolvers wrote by themselves is put into its result at the end. */
export class PreparedAnswer implements Answer {
  readonly #written: { readonly path: ResponsePath; readonly text: string }[] = []

  listWriter(info: GraphQLResolveInfo): ListWriter | null {
    const template = templateFor(info)
    if (!template) return null
    return (items) => {
      const text = listText(template, items)
      if (text === null) return false
      this.#written.push({ path: info.path, text })
      return true
    }
  }

  /** The result with what was written in the places that its resolvers left empty; to be written by `stringify`. */
  complete(result: ExecutionResult): ExecutionResult {
    if (this.#written.length === 0) return result
    for (const { path, text } of this.#written) {
      const holder = path.prev ? valueAt(result.data, path.prev) : result.data
      // Null where an error took the whole object away.
      if (holder) (holder as Record<ResponsePath['key'], unknown>)[path.key] = new RawJson(text)
    }
    // Yoga writes a result by the function that it carries.
    return Object.assign(result, { stringify })
  }
}

function valueAt(data: unknown, { prev, key }: ResponsePath): unknown {
  const holder = prev ? valueAt(data, prev) : data
  return holder && (holder as Record<ResponsePath['key'], unknown>)[key]
}

function listText(template: Template, items: readonly object[]): string | null {
  let text = '['
  for (const item of items) {
    const written = fill(template, item)
    if (written === null) return null
    text += text.length > 1 ? `,${written}` : written
  }
  return `${text}]`
}

interface KnownField {
  readonly selection: Selection
  readonly shapeVariables: readonly string[]
  readonly templates: LRUCache<string, { readonly template: Template | null }>
}

const knownFields = new WeakMap<FieldNode, KnownField>()

/** Null where only graphql-js can tell what the objects of the list look like. */
function templateFor({ schema, fieldNodes, fragments, returnType, variableValues }: GraphQLResolveInfo) {
  const [node, ...others] = fieldNodes
  const type = getNamedType(returnType)
  if (!node?.selectionSet || others.length > 0 || !isObjectType(type)) return null
  let known = knownFields.get(node)
  if (!known) {
    const { selectionSet } = node
    const selection = { schema, selectionSet, fragments: new Map(Object.entries(fragments)) }
    const shapeVariables = variablesOf(selection)
    known = { selection, shapeVariables, templates: new LRUCache({ max: MAX_TEMPLATES }) }
    knownFields.set(node, known)
  }
  const { selection, shapeVariables, templates } = known
  const shape = shapeVariables.length === 0 ? '' : JSON.stringify(valuesOf(shapeVariables, variableValues))
  let found = templates.get(shape)
  if (!found) {
    found = { template: templateOf(selection, type, variableValues, { before: '', after: '' }) }
    templates.set(shape, found)
  }
  return found.template
}

/** One that is absent is not one that is null. */
const valuesOf = (names: readonly string[], values: Values) =>
  names.map((name) => (Object.hasOwn(values, name) ? [values[name]] : []))
