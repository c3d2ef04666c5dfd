import fc from 'fast-check'
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNullableType,
  isEnumType,
  isLeafType,
  isNonNullType,
} from 'graphql'
import type { TaskEvent } from '../../src/task/event.ts'
import type { DeliveredEvent } from '../../src/task/stream-event.ts'

const LOG_TYPES = Object.keys({
  ProgressUpdate: true,
  EpochStarted: true,
  EpochEnded: true,
  RoundEnded: true,
  StatusChanged: true,
  ErrorReported: true,
  SystemSampled: true,
  TrainingSucceeded: true,
  TrainingFailed: true,
  TrainingCancelled: true,
} satisfies Record<TaskEvent['type'], true>)

// ---- events ----

const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: codeUnit }),
  fc.string({ unit: 'grapheme' }),
  // Few enough to come again, as most values do in the next event.
  fc.constantFrom('', 'training', 'NaN', '"quoted"\\', 'a\u2028b\u0000\u007f', '\ud83d', '\udc4d', '👍'),
)
const int = fc.oneof(fc.integer(), fc.constantFrom(0, -0, 2 ** 31 - 1, -(2 ** 31)))
const float = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e21, -1e-7, 0.1, 5e-324, Number.MAX_VALUE, 2 ** 53),
)
const metricValue = fc.oneof(float, fc.constantFrom('NaN', 'Infinity', '-Infinity'))
const metrics = fc.oneof(
  { weight: 9, arbitrary: fc.dictionary(fc.oneof(text, fc.constantFrom('loss', 'then', '7')), metricValue) },
  { weight: 1, arbitrary: fc.dictionary(text, metricValue, { minKeys: 256, maxKeys: 256, size: 'max' }) },
)
const time = fc.date({ noInvalidDate: true })

const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  Int: int,
  Float: float,
  Boolean: fc.boolean(),
  Count: fc.maxSafeNat(),
  String: text,
  ID: text,
  Cursor: text,
  DateTime: fc.oneof(
    time.map((date) => date.toISOString()),
    time.map(Number),
  ),
  MetricValue: metricValue,
  Metrics: metrics,
  JSON: fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ noUnicodeString: false }), text, float),
}

function promised({ type }: GraphQLField<unknown, unknown>): fc.Arbitrary<unknown> {
  const leaf = getNullableType(type)
  const value = isEnumType(leaf)
    ? fc.constantFrom(...leaf.getValues().map((each): unknown => each.value))
    : VALUES[String(leaf)]
  if (value === undefined) throw new Error(`no values for ${String(type)}`)
  return isNonNullType(type)
    ? value
    : fc.oneof({ weight: 3, arbitrary: value }, fc.constantFrom(null, undefined))
}

function eventOf(schema: GraphQLSchema, type: string): fc.Arbitrary<DeliveredEvent> {
  const fields = Object.values((schema.getType(type) as GraphQLObjectType).getFields())
  const values = Object.fromEntries(fields.map((field) => [field.name, promised(field)]))
  const unseen = { type: fc.constant(type), recordedAt: fc.nat(), offset: fc.nat(), producer: text }
  return fc.record({ ...unseen, ...values }) as fc.Arbitrary<unknown> as fc.Arbitrary<DeliveredEvent>
}

/** An event of each type of the log, with the values that its fields promise and some that no client sees. */
export function events(schema: GraphQLSchema): fc.Arbitrary<readonly DeliveredEvent[]> {
  return fc.tuple(...LOG_TYPES.map((type) => eventOf(schema, type)))
}

// biome-ignore lint/suspicious/noThenProperty: execution waits for whatever has one
const thenable = { then: (resolve: (value: unknown) => void) => resolve('later') }

/** Values that no log holds, and some that only fields of another type promise. */
export const ODD_VALUES: readonly unknown[] = [
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  1.5,
  true,
  '12',
  'no such value',
  12n,
  Symbol('odd'),
  () => 'called',
  Promise.resolve('later'),
  thenable,
  new Error('failed'),
  new Date(0),
  { toJSON: () => 'its own' },
  { valueOf: () => 7 },
  { deep: { count: 12n } },
  [undefined, () => 'called', Number.NaN],
  new Map([['a', 1]]),
]

/** An event with one value that its field may not promise. */
export function oddEvent(schema: GraphQLSchema): fc.Arbitrary<DeliveredEvent> {
  const event = fc.oneof(...LOG_TYPES.map((type) => eventOf(schema, type)))
  return fc.tuple(event, fc.nat(), fc.constantFrom(...ODD_VALUES)).map(([event, pick, value]) => {
    const names = Object.keys((schema.getType(event.type) as GraphQLObjectType).getFields())
    return { ...event, [names[pick % names.length] as string]: value }
  })
}

// ---- documents ----

type Condition = { readonly include: boolean; readonly if: 'true' | 'false' | `$${string}` }

type Selection = { readonly conditions: readonly Condition[] } & (
  | { readonly kind: 'field'; readonly pick: number; readonly alias: number }
  | { readonly kind: 'inline'; readonly on: number; readonly selections: readonly Selection[] }
  | { readonly kind: 'spread'; readonly pick: number }
)

interface Fragment {
  readonly on: number
  readonly selections: readonly Selection[]
}

/** How the variables of conditions are declared; those with a default may be left out. */
const VARIABLES = { $a: 'Boolean!', $b: 'Boolean!', $yes: 'Boolean = true', $no: 'Boolean! = false' } as const

const condition: fc.Arbitrary<Condition> = fc.record({
  include: fc.boolean(),
  if: fc.constantFrom('true', 'false', ...(Object.keys(VARIABLES) as (keyof typeof VARIABLES)[])),
})

const conditions = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.uniqueArray(condition, { maxLength: 2, selector: ({ include }) => include }),
)

const { selections } = fc.letrec<{ selections: Selection[]; selection: Selection }>((tie) => ({
  selections: fc.array(tie('selection'), { minLength: 1, maxLength: 6 }),
  selection: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('field' as const),
        pick: fc.nat(),
        alias: fc.integer({ min: 0, max: 2 }),
        conditions,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('spread' as const), pick: fc.nat(), conditions }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('inline' as const),
        on: fc.nat(),
        selections: tie('selections'),
        conditions,
      }),
    },
  ),
}))

export interface Operation {
  readonly document: string
  /** As a client sends them: those with defaults may be missing. */
  readonly variables: Readonly<Record<string, unknown>>
}

/** Valid subscriptions to trainingProgress with any selection of leaves. */
export function operations(schema: GraphQLSchema): fc.Arbitrary<Operation> {
  return fc
    .record({
      alias: fc.constantFrom('', 'event: '),
      selections,
      fragments: fc.array(fc.record({ on: fc.nat(), selections }), { maxLength: 4 }),
      given: fc.record(
        { a: fc.boolean(), b: fc.boolean(), yes: fc.boolean(), no: fc.boolean() },
        { requiredKeys: ['a', 'b'] },
      ),
    })
    .map(({ alias, selections, fragments, given }) => {
      const writer = new DocumentWriter(schema, fragments)
      const body = writer.root(selections)
      const declared = [...writer.variables].map((name) => `, ${name}: ${VARIABLES[name]}`).join('')
      const names = ['taskId', ...[...writer.variables].map((name) => name.slice(1))]
      const sent = Object.entries({ taskId: '7f3c', ...given }).filter(([name]) => names.includes(name))
      return {
        document: [
          `subscription ($taskId: ID!${declared}) { ${alias}trainingProgress(taskId: $taskId) ${body} }`,
          ...writer.written.values(),
        ].join('\n'),
        variables: Object.fromEntries(sent),
      }
    })
}

/**
 * Writes selections so that the document is valid: a fragment only where its type can be, no cycle, none
 * unused, and one response key for one field of one type.
 */
class DocumentWriter {
  readonly variables = new Set<keyof typeof VARIABLES>()
  /** The fragments in use, by name. */
  readonly written = new Map<string, string>()
  readonly #fragments: readonly Fragment[]
  readonly #interface: GraphQLInterfaceType
  readonly #types: readonly GraphQLObjectType[]

  constructor(schema: GraphQLSchema, fragments: readonly Fragment[]) {
    this.#fragments = fragments
    this.#interface = schema.getType('TrainingEvent') as GraphQLInterfaceType
    this.#types = schema.getPossibleTypes(this.#interface)
  }

  root(selections: readonly Selection[]): string {
    return this.#set(selections, this.#interface, 0)
  }

  /** `from`: a fragment spreads only those behind it. */
  #set(
    selections: readonly Selection[],
    scope: GraphQLInterfaceType | GraphQLObjectType,
    from: number,
  ): string {
    const written = selections.map((selection) => this.#selection(selection, scope, from)).filter(Boolean)
    return `{ ${written.length > 0 ? written.join(' ') : '__typename'} }`
  }

  #selection(
    selection: Selection,
    scope: GraphQLInterfaceType | GraphQLObjectType,
    from: number,
  ): string | null {
    const directives = () => selection.conditions.map((each) => this.#directive(each)).join('')
    if (selection.kind === 'field') return this.#field(selection, scope) + directives()
    if (selection.kind === 'inline') {
      const on = selection.on % 4 === 0 ? null : this.#condition(selection.on, scope)
      const body = this.#set(selection.selections, on ?? scope, from)
      return `...${on ? ` on ${on.name}` : ''}${directives()} ${body}`
    }
    const index = from + (selection.pick % Math.max(1, this.#fragments.length - from))
    const fragment = this.#fragments[index]
    if (!fragment) return null
    const on = this.#condition(fragment.on, this.#interface)
    if (scope !== this.#interface && on !== this.#interface && on !== scope) return null
    const name = `F${index}`
    if (!this.written.has(name)) {
      this.written.set(name, '')
      const body = this.#set(fragment.selections, on, index + 1)
      this.written.set(name, `fragment ${name} on ${on.name} ${body}`)
    }
    return `...${name}${directives()}`
  }

  /** A type that can be where `scope` is. */
  #condition(pick: number, scope: GraphQLInterfaceType | GraphQLObjectType) {
    const types = scope === this.#interface ? this.#types : [scope]
    return [this.#interface, ...types][pick % (types.length + 1)] as GraphQLInterfaceType | GraphQLObjectType
  }

  #field(
    { pick, alias }: { readonly pick: number; readonly alias: number },
    scope: GraphQLInterfaceType | GraphQLObjectType,
  ): string {
    const leaves = Object.values(scope.getFields()).filter(({ type }) => isLeafType(getNullableType(type)))
    const field = leaves[pick % (leaves.length + 1)]
    if (!field) return alias === 0 ? '__typename' : `type${alias}: __typename`
    // In one response key all types have the same nullability, or validation refuses it.
    const everywhere = this.#types.map((type) => type.getFields()[field.name]?.type).filter(Boolean)
    if (alias === 0 && new Set(everywhere.map(String)).size === 1) return field.name
    return `${field.name}_${String(field.type).replace('!', '_')}${alias}: ${field.name}`
  }

  #directive({ include, if: value }: Condition): string {
    if (value in VARIABLES) this.variables.add(value as keyof typeof VARIABLES)
    return ` @${include ? 'include' : 'skip'}(if: ${value})`
  }
}
