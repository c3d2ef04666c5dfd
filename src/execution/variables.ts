import {
  type DocumentNode,
  type ExecutionArgs,
  type FragmentDefinitionNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql'
import { EpochcastError } from '../task/errors.ts'
import { jsonBytes } from '../task/json.ts'
import { LIMITS } from '../task/limits.ts'

/** How often each variable is used. */
type Uses = Map<string, number>

/** A variable that an operation uses more than once. */
interface Repeated {
  readonly name: string
  readonly times: number
  /** Of its default. */
  readonly defaultBytes: number
}

const known = new WeakMap<OperationDefinitionNode, readonly Repeated[]>()

/**
 * Bounds what variables become where an operation uses them more than once, such as `[$v, $v, $v]`: each use is read,
 * checked and written by itself, so that a body of a megabyte could stand for gigabytes.
 *
 * @param args of an operation whose document's shape is within its bounds
 * @throws EpochcastError QUERY_TOO_COMPLEX
 */
export function checkVariableUses(args: ExecutionArgs): void {
  const { document, operationName, variableValues } = args
  const operation = getOperationAST(document, operationName)
  if (!operation) return
  let repeated = known.get(operation)
  if (!repeated) {
    repeated = repeatedIn(document, operation)
    known.set(operation, repeated)
  }
  const max = LIMITS.repeatedVariablesBytes
  let bytes = 0
  for (const { name, times, defaultBytes } of repeated) {
    const value = variableValues?.[name]
    const each = value === undefined ? defaultBytes : jsonBytes(value)
    bytes += times * each
    if (bytes <= max) continue
    const found = `the variable $${name} is ${sizeOf(each)} of JSON and used ${times} times`
    throw new EpochcastError(
      'QUERY_TOO_COMPLEX',
      `${found}; expected at most ${max} bytes of all variables that are used more than once, counted at each use`,
    )
  }
}

/**
 * Bounds the variables of a subscription, which are kept as long as it is.
 *
 * @throws EpochcastError BAD_INPUT
 */
export function checkKeptVariables(values: ExecutionArgs['variableValues']): void {
  const max = LIMITS.subscriptionVariablesBytes
  const bytes = values ? jsonBytes(values) : 0
  if (bytes <= max) return
  const found = `the variables of the subscription are ${sizeOf(bytes)} of JSON`
  throw new EpochcastError('BAD_INPUT', `${found}; expected at most ${max}`)
}

/** What is too deep to be written has no length. */
const sizeOf = (bytes: number): string => `${Number.isFinite(bytes) ? bytes : 'too many'} bytes`

function repeatedIn(document: DocumentNode, operation: OperationDefinitionNode): readonly Repeated[] {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  const uses = new VariableCount(fragments).of(operation.selectionSet)
  const repeated: Repeated[] = []
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value
    const times = uses.get(name) ?? 0
    if (times > 1) repeated.push({ name, times, defaultBytes: defaultValue ? print(defaultValue).length : 0 })
  }
  return repeated
}

/** Counts those of a fragment wherever it is spread, and looks at it once. */
class VariableCount {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #known = new Map<string, Uses>()

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#fragments = fragments
  }

  of(selectionSet: SelectionSetNode): Uses {
    const uses: Uses = new Map()
    const add = (name: string, times: number) => uses.set(name, (uses.get(name) ?? 0) + times)
    visit(selectionSet, {
      Variable: ({ name }) => {
        add(name.value, 1)
      },
      FragmentSpread: ({ name }) => {
        for (const [variable, times] of this.#ofFragment(name.value)) add(variable, times)
      },
    })
    return uses
  }

  #ofFragment(name: string): Uses {
    let uses = this.#known.get(name)
    if (!uses) {
      const fragment = this.#fragments.get(name)
      uses = fragment ? this.of(fragment.selectionSet) : new Map()
      this.#known.set(name, uses)
    }
    return uses
  }
}
