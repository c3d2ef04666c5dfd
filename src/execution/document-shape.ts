import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { EpochcastError } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'

/**
 * Bounds what a document asks for, before it is validated: some of GraphQL's rules compare fields with fields, and
 * fragments multiply what a few tokens say. Each fragment is measured once, so that the pass is linear in the
 * document; only what is within the bounds is then spread out.
 *
 * @throws EpochcastError QUERY_TOO_COMPLEX, which names the bound and what was found; GraphQLError for fragments that
 * are spread within themselves
 */
export function checkShape(document: DocumentNode): void {
  const fragments = new Map<string, FragmentDefinitionNode>()
  const operations: OperationDefinitionNode[] = []
  const definitions: FragmentDefinitionNode[] = []
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition)
    if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue
    definitions.push(definition)
    fragments.set(definition.name.value, definition)
  }
  atMost('documentOperations', operations.length, (count) => `the document has ${count} operations`)
  atMost('documentFragments', definitions.length, (count) => `the document has ${count} fragments`)
  for (const { variableDefinitions = [], directives } of operations) {
    atMost('operationVariables', variableDefinitions.length, (count) => `an operation has ${count} variables`)
    for (const { directives } of variableDefinitions) checkDirectives(directives)
    checkDirectives(directives)
  }

  const measure = new Measure(fragments)
  const total = new Size()
  for (const { selectionSet } of operations) total.add(measure.selections(selectionSet))
  // Those that no operation spreads, and all but one of a name, are not valid; until that is told they count.
  const others = definitions.filter((fragment) => !measure.knows(fragment))
  for (const fragment of others) if (!measure.knows(fragment)) total.add(measure.fragment(fragment))
  atMost('queryDepth', total.depth, (depth) => `the query's depth is ${depth}`)
  atMost('documentFields', total.fields, (count) => `the document has ${count} fields${SPREAD_OUT}`)
  atMost(
    'documentIntrospections',
    total.introspections,
    (count) => `the document asks for the schema ${count} times${SPREAD_OUT}`,
  )
  atMost('documentAliases', total.aliases, (count) => `the document has ${count} aliases${SPREAD_OUT}`)

  for (const { kind, selectionSet } of [...operations, ...others]) {
    const { root, most } = repeats(selectionSet, fragments)
    atMost('fieldRepeats', most.times, (times) => `the field "${most.path}" is selected ${times} times`)
    if (kind === Kind.OPERATION_DEFINITION)
      atMost('rootFields', root.below.size, (count) => `an operation has ${count} fields at its root`)
  }
}

const SPREAD_OUT = ' (those of a fragment counted wherever it is spread)'

type Bound = {
  [Name in keyof typeof LIMITS]: (typeof LIMITS)[Name] extends number ? Name : never
}[keyof typeof LIMITS]

function atMost(bound: Bound, found: number, say: (found: number | string) => string): void {
  const max = LIMITS[bound]
  if (found <= max) return
  // Fragments that double at each level soon are more than can be counted.
  const number = Number.isSafeInteger(found) ? found : `over ${Number.MAX_SAFE_INTEGER}`
  throw new EpochcastError('QUERY_TOO_COMPLEX', `${say(number)}; expected at most ${max}`)
}

function checkDirectives(directives: readonly DirectiveNode[] = []): void {
  atMost('directivesPerNode', directives.length, (count) => `there are ${count} directives at one place`)
}

/** How much a selection is, with its fragments spread out. */
class Size {
  fields = 0
  aliases = 0
  depth = 0
  introspections = 0

  add({ fields, aliases, depth, introspections }: Size): void {
    this.introspections += introspections
    this.fields += fields
    this.aliases += aliases
    this.depth = Math.max(this.depth, depth)
  }
}

class Measure {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #known = new Map<FragmentDefinitionNode, Size>()
  /** Fragments that are being measured, each spread within the one before. */
  readonly #within = new Set<FragmentDefinitionNode>()

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#fragments = fragments
  }

  knows(fragment: FragmentDefinitionNode): boolean {
    return this.#known.has(fragment)
  }

  selections({ selections }: SelectionSetNode): Size {
    const size = new Size()
    for (const node of selections) {
      checkDirectives(node.directives)
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = this.#fragments.get(node.name.value)
        if (fragment && this.#within.has(fragment)) throw spreadWithinItself(node)
        // Validation tells that there is none; until then it counts, as there may be many.
        size.add(fragment ? this.fragment(fragment) : ONE)
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        size.add(this.selections(node.selectionSet))
      } else {
        const below = node.selectionSet ? this.selections(node.selectionSet) : new Size()
        below.depth++
        below.fields++
        if (node.alias) below.aliases++
        if (node.name.value === '__schema' || node.name.value === '__type') below.introspections++
        size.add(below)
      }
    }
    return size
  }

  fragment(fragment: FragmentDefinitionNode): Size {
    let size = this.#known.get(fragment)
    if (!size) {
      checkDirectives(fragment.directives)
      this.#within.add(fragment)
      size = this.selections(fragment.selectionSet)
      this.#within.delete(fragment)
      this.#known.set(fragment, size)
    }
    return size
  }
}

const ONE = Object.assign(new Size(), { fields: 1 })

const spreadWithinItself = (spread: FragmentSpreadNode): GraphQLError =>
  new GraphQLError(
    `the fragment "${spread.name.value}" is spread within itself; expected it to have an end`,
    {
      nodes: spread,
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    },
  )

/** A field of the response, and how often it is selected: each of these times is compared with each other one. */
class SelectedField {
  readonly path: string
  times = 0
  readonly below = new Map<string, SelectedField>()

  constructor(path: string) {
    this.path = path
  }

  select(key: string): SelectedField {
    let field = this.below.get(key)
    if (!field) {
      field = new SelectedField(this.path === '' ? key : `${this.path}.${key}`)
      this.below.set(key, field)
    }
    field.times++
    return field
  }
}

/** The fields of a selection with its fragments spread out, and the one that is selected most often. */
function repeats(
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): { root: SelectedField; most: SelectedField } {
  const root = new SelectedField('')
  let most = root
  const spreadOut = ({ selections }: SelectionSetNode, parent: SelectedField): void => {
    for (const node of selections) {
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(node.name.value)
        if (fragment) spreadOut(fragment.selectionSet, parent)
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        spreadOut(node.selectionSet, parent)
      } else {
        const field = parent.select((node.alias ?? node.name).value)
        if (field.times > most.times) most = field
        if (node.selectionSet) spreadOut(node.selectionSet, field)
      }
    }
  }
  spreadOut(selectionSet, root)
  return { root, most }
}
