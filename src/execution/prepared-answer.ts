import {
  type ExecutionResult,
  type FieldNode,
  GraphQLError,
  type GraphQLResolveInfo,
  getNamedType,
  isObjectType,
  type ResponsePath,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { textSize } from '../bounds/text-size.ts'
import { type Answer, answerTooLarge, type ListWriter } from '../schema/answer.ts'
import { LIMITS } from '../task/limits.ts'
import { AnswerReads } from './answer-reads.ts'
import type { AnswerSize } from './answer-room.ts'
import { RawJson, stringify } from './raw-json.ts'
import { mergedSelection, type Selection, templateOf, type Values, variablesOf } from './selection.ts'
import { fillAll, type Template } from './template.ts'

/** Templates kept for one field of a document: conditions are few and Boolean. */
const MAX_TEMPLATES = 16

/** What GraphQL says of an error, about. */
const ERROR_CHARACTERS = 400
const WOULD_HAVE = 'the answer would have'

/** The answer of one execution: what its resolvers wrote by themselves is put into its result at the end. */
export class PreparedAnswer implements Answer {
  readonly #reads: AnswerReads
  readonly #held: AnswerSize
  readonly #written: { readonly path: ResponsePath; readonly text: string }[] = []
  #writtenSize = 0

  constructor(held: AnswerSize) {
    this.#held = held
    this.#reads = new AnswerReads(held)
  }

  read<Found>(key: string, read: () => Promise<Found>, sizeOf: (found: Found) => number): Promise<Found> {
    return this.#reads.read(key, read, sizeOf)
  }

  listWriter(info: GraphQLResolveInfo): ListWriter | null {
    const template = templateFor(info)
    if (!template) return null
    let text = ''
    let isWhole = true
    return {
      add: (items) => {
        const added = isWhole ? fillAll(template, items) : null
        isWhole = added !== null
        if (!added || added === '[]') return 0
        text += `${text === '' ? '' : ','}${added.slice(1, -1)}`
        this.#addSize(added.length)
        return added.length
      },
      end: () => {
        if (isWhole) this.#written.push({ path: info.path, text: `[${text}]` })
        return isWhole
      },
    }
  }

  #addSize(characters: number): void {
    this.#writtenSize += characters
    if (this.#writtenSize > LIMITS.answerSize) throw answerTooLarge(WOULD_HAVE, LIMITS.answerSize)
    this.#held.add(characters)
  }

  /**
   * The result with what was written in the places that its resolvers left empty; to be written by `stringify`. One
   * whose text would be too large becomes an error: fields share what they hold, as the metrics of a task, and only the
   * text has a copy for each alias.
   */
  complete(result: ExecutionResult): ExecutionResult {
    this.#putWritten(result)
    const { data, errors = [] } = result
    const size = textSize(data, LIMITS.answerSize) + errors.length * ERROR_CHARACTERS
    if (size <= LIMITS.answerSize) return result
    const error = answerTooLarge(WOULD_HAVE, LIMITS.answerSize)
    return { data: null, errors: [new GraphQLError(error.message, { originalError: error })] }
  }

  #putWritten(result: ExecutionResult): void {
    if (this.#written.length === 0) return
    for (const { path, text } of this.#written) {
      const holder = path.prev ? valueAt(result.data, path.prev) : result.data
      // Null where an error took the whole object away.
      if (holder) (holder as Record<ResponsePath['key'], unknown>)[path.key] = new RawJson(text)
    }
    // Yoga writes a result by the function that it carries.
    Object.assign(result, { stringify })
  }
}

function valueAt(data: unknown, { prev, key }: ResponsePath): unknown {
  const holder = prev ? valueAt(data, prev) : data
  return holder && (holder as Record<ResponsePath['key'], unknown>)[key]
}

interface KnownField {
  readonly selection: Selection
  readonly shapeVariables: readonly string[]
  readonly templates: LRUCache<string, { readonly template: Template | null }>
}

const knownFields = new WeakMap<FieldNode, KnownField>()

/** Null where only graphql-js can tell what the objects of the list look like. */
function templateFor(info: GraphQLResolveInfo): Template | null {
  const [node] = info.fieldNodes
  const type = getNamedType(info.returnType)
  if (!node || !isObjectType(type)) return null
  // Several selections of one field are rare, and which belong together depends on more than the first.
  const isAlone = info.fieldNodes.length === 1
  const known = (isAlone && knownFields.get(node)) || knownField(info)
  if (isAlone) knownFields.set(node, known)
  const { selection, shapeVariables, templates } = known
  const { variableValues } = info
  const shape = shapeVariables.length === 0 ? '' : JSON.stringify(valuesOf(shapeVariables, variableValues))
  let found = templates.get(shape)
  if (!found) {
    found = { template: templateOf(selection, type, variableValues, { before: '', after: '' }) }
    templates.set(shape, found)
  }
  return found.template
}

function knownField({ schema, fieldNodes, fragments }: GraphQLResolveInfo): KnownField {
  const selectionSet = mergedSelection(fieldNodes)
  const selection = { schema, selectionSet, fragments: new Map(Object.entries(fragments)) }
  const shapeVariables = variablesOf(selection)
  return { selection, shapeVariables, templates: new LRUCache({ max: MAX_TEMPLATES }) }
}

/** One that is absent is not one that is null. */
const valuesOf = (names: readonly string[], values: Values) =>
  names.map((name) => (Object.hasOwn(values, name) ? [values[name]] : []))
