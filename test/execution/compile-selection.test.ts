import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import {
  buildSchema,
  type DocumentNode,
  execute,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  parse,
  validate,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { compileEventPlan, type EventPlan } from '../../src/execution/compile-selection.ts'
import { schema } from '../../src/schema/index.ts'
import type { ProgressUpdate } from '../../src/task/event.ts'
import type { DeliveredEvent } from '../../src/task/stream-event.ts'
import { events, ODD_VALUES, oddEvent, operations } from './arbitraries.ts'

type Variables = Readonly<Record<string, unknown>>

const progress: DeliveredEvent & ProgressUpdate = {
  type: 'ProgressUpdate',
  taskId: '7f3c',
  timestamp: '2026-11-21T10:30:15.123Z',
  recordedAt: 1_795_257_015_123,
  offset: 12,
  cursor: 'g1-12',
  producer: 'trainer-1',
  sequence: 4,
  current: 3,
  total: 10,
  progress: 30.5,
  status: 'RUNNING',
  machineId: 'gpu-04',
  stage: 'training',
  epoch: 2,
  step: 96,
  member: null,
  loss: 0.15,
  metrics: { loss: 0.15, accuracy: 0.92, lr: 1e-7, grad_norm: 'NaN' },
  message: null,
}
const cancelled: DeliveredEvent = {
  type: 'TrainingCancelled',
  taskId: '7f3c',
  timestamp: '2026-11-21T10:30:16.000Z',
  recordedAt: 1_795_257_016_000,
  offset: 13,
  cursor: 'g1-13',
  reason: 'enough seen',
}

const withValues = (values: object) => ({ ...progress, ...values }) as DeliveredEvent

const planOf = (source: string, operationName?: string, from: GraphQLSchema = schema): EventPlan => {
  const plan = compileEventPlan(from, parse(source), operationName)
  if (plan === null) throw new Error(`no plan for ${source}`)
  return plan
}

const coerced = (source: string, variables: Variables): Variables => {
  const definitions = getOperationAST(parse(source))?.variableDefinitions ?? []
  const values = getVariableValues(schema, definitions, variables).coerced
  if (values === undefined) throw new Error('the variables are not those of the operation')
  return values
}

/** The reference: what graphql-js answers. */
const executed = async (
  source: string | DocumentNode,
  rootValue: unknown,
  variableValues: Variables = {},
) => {
  const document = typeof source === 'string' ? parse(source) : source
  return JSON.stringify(await execute({ schema, document, rootValue, variableValues, contextValue: {} }))
}

/** What both answer, as the text behind the root field. */
async function answer(source: string, event: DeliveredEvent = progress, variables: Variables = {}) {
  expect(validate(schema, parse(source))).toEqual([])
  const text = planOf(source).encoder(coerced(source, variables))(event)
  expect(text).toBe(await executed(source, event, variables))
  return text?.replace(/^\{"data":\{"trainingProgress":(.*)\}\}$/su, '$1')
}

const on = (selection: string, variables = '') =>
  `subscription ${variables} { trainingProgress(taskId: "7f3c") { ${selection} } }`

const compiled = (source: string, event: DeliveredEvent = progress, variables: Variables = {}) =>
  planOf(source).encoder(variables)(event)

describe('the text of an event is the one that execution gives', () => {
  // Shrinking a large document and its events may take for ever.
  const limits = { interruptAfterTimeLimit: 20_000 }

  it('for any valid selection and any event of the log', async () => {
    const property = fc.asyncProperty(
      operations(schema),
      events(schema),
      events(schema),
      async ({ document: source, variables }, first, second) => {
        const document = parse(source)
        expect(validate(schema, document)).toEqual([])
        fc.pre(!(await executed(document, progress, variables)).includes('QUERY_TOO_COMPLEX'))
        const encode = planOf(source).encoder(coerced(source, variables))
        for (const event of [...first, ...second, ...first]) {
          expect(encode(event)).toBe(await executed(document, event, variables))
        }
      },
    )
    await fc.assert(property, { ...limits, numRuns: 200 })
  })

  it('or it is left to execution, for any value that no log holds', async () => {
    const property = fc.asyncProperty(
      operations(schema),
      oddEvent(schema),
      async ({ document, variables }, event) => {
        const text = planOf(document).encoder(coerced(document, variables))(event)
        if (text !== null) expect(text).toBe(await executed(document, event, variables))
      },
    )
    await fc.assert(property, { ...limits, numRuns: 1000 })
  })

  it('for the operation of the clients', async () => {
    const operation = (name: string) =>
      readFileSync(new URL(`../../clients/operations/${name}.graphql`, import.meta.url), 'utf8')
    const source = operation('training-progress') + operation('task-summary')
    expect(await answer(source, progress, { taskId: '7f3c' })).toBe(
      '{"__typename":"ProgressUpdate","taskId":"7f3c","timestamp":"2026-11-21T10:30:15.123Z","cursor":"g1-12",' +
        '"current":3,"total":10,"progress":30.5,"status":"RUNNING","machineId":"gpu-04","stage":"training",' +
        '"epoch":2,"step":96,"member":null,"loss":0.15,"metrics":{"loss":0.15,"accuracy":0.92,"lr":1e-7,"grad_norm":"NaN"},"message":null}',
    )
    expect(await answer(source, cancelled, { taskId: '7f3c' })).toContain('"reason":"enough seen"')
  })

  it('fields come in the order of their first appearance, those of fragments included', async () => {
    const source = `${on('cursor ...F ... on ProgressUpdate { total cursor current } taskId')}
      fragment F on ProgressUpdate { current timestamp }`
    expect(await answer(source)).toBe(
      '{"cursor":"g1-12","current":3,"timestamp":"2026-11-21T10:30:15.123Z","total":10,"taskId":"7f3c"}',
    )
  })

  it('a field that is selected again is there once', async () => {
    expect(await answer(on('taskId cursor taskId ... { cursor } ... on ProgressUpdate { taskId }'))).toBe(
      '{"taskId":"7f3c","cursor":"g1-12"}',
    )
  })

  it('an alias may be the name of another field', async () => {
    expect(await answer(on('... on ProgressUpdate { message: stage stage: message }'))).toBe(
      '{"message":"training","stage":null}',
    )
  })

  it('the root field has its alias', async () => {
    const source = 'subscription { seen: trainingProgress(taskId: "7f3c") { taskId } }'
    expect(planOf(source).responseKey).toBe('seen')
    expect(planOf(on('taskId')).responseKey).toBe('trainingProgress')
    expect(await answer(source)).toBe('{"data":{"seen":{"taskId":"7f3c"}}}')
  })

  it('__typename has any alias, and is the type of the event', async () => {
    expect(await answer(on('__typename kind: __typename'), cancelled)).toBe(
      '{"__typename":"TrainingCancelled","kind":"TrainingCancelled"}',
    )
  })

  it('a fragment applies on the type of the event, on its interface and without a type', async () => {
    const source =
      on(`... on TrainingEvent { a: taskId } ... { b: taskId } ... on ProgressUpdate { c: taskId }
      ... on TrainingCancelled { d: taskId } ... on StreamOpened { task { id } }`)
    expect(await answer(source)).toBe('{"a":"7f3c","b":"7f3c","c":"7f3c"}')
  })

  it('a named fragment counts where it is spread first, unless it is skipped there', async () => {
    const fragment = 'fragment F on TrainingEvent { a: taskId }'
    expect(await answer(on('...F b: taskId ...F') + fragment)).toBe('{"a":"7f3c","b":"7f3c"}')
    expect(await answer(on('...F @skip(if: true) b: taskId ...F') + fragment)).toBe('{"b":"7f3c","a":"7f3c"}')
  })

  it('an event of which nothing is selected is an empty object', async () => {
    expect(await answer(on('... on ProgressUpdate { current }'), cancelled)).toBe('{}')
    expect(await answer(on('taskId @skip(if: true)'))).toBe('{}')
  })

  it('@skip and @include each leave out, on fields and on fragments', async () => {
    const source = `${on(
      `a: taskId @include(if: $no) b: taskId @skip(if: $no) c: taskId @include(if: $yes) @skip(if: $yes)
      ... @include(if: $no) { d: taskId } ... on ProgressUpdate @include(if: $yes) { e: taskId } ...F @skip(if: $yes)`,
      '($yes: Boolean!, $no: Boolean = false)',
    )} fragment F on TrainingEvent { f: taskId }`
    expect(await answer(source, progress, { yes: true })).toBe('{"b":"7f3c","e":"7f3c"}')
    expect(await answer(source, progress, { yes: false, no: true })).toBe(
      '{"a":"7f3c","d":"7f3c","f":"7f3c"}',
    )
  })

  it('what is null or missing is null', async () => {
    const selection = on('... on ProgressUpdate { total progress machineId loss epoch message }')
    const { total: _, ...withoutTotal } = progress
    const values = { ...withoutTotal, progress: undefined, machineId: null, loss: null, epoch: null }
    expect(await answer(selection, values as unknown as DeliveredEvent)).toBe(
      '{"total":null,"progress":null,"machineId":null,"loss":null,"epoch":null,"message":null}',
    )
  })

  it('numbers and strings are written as JSON writes them', async () => {
    const selection = on('... on ProgressUpdate { current progress loss message timestamp }')
    const message = '"\\\u0000\u2028\ud83d \udc4d 👍'
    const values = { current: -0, progress: 1e21, loss: '-Infinity', message, timestamp: 0 }
    expect(await answer(selection, withValues(values))).toBe(
      '{"current":0,"progress":1e+21,"loss":"-Infinity","message":"\\"\\\\\\u0000\u2028\\ud83d \\udc4d 👍",' +
        '"timestamp":"1970-01-01T00:00:00.000Z"}',
    )
  })

  it('nothing of an event before it is left, not even in the same object', async () => {
    const source = on('... on ProgressUpdate { stage metrics }')
    const encode = planOf(source).encoder({})
    const metrics: Record<string, number> = { loss: 1 }
    for (const stage of ['a', 'a', 'b', null, undefined, null, 'a', '']) {
      metrics.loss = (metrics.loss ?? 0) + 1
      const event = withValues({ stage, metrics })
      expect(encode(event)).toBe(await executed(source, event))
    }
  })
})

describe('left to execution is', () => {
  it.each([
    ['a Count out of its range', { current: 2 ** 53 }],
    ['a Count with a fraction', { current: 0.5 }],
    ['a Float that is not finite', { progress: Number.POSITIVE_INFINITY }],
    ['a metric that is not finite', { loss: Number.NaN }],
    ['an unknown value of an enum', { status: 'BORED' }],
    ['null for what is never null', { metrics: null }],
    ['a BigInt', { metrics: { count: 12n } }],
    ['an object that words its own JSON', { metrics: { toJSON: () => '{}' } }],
    ['an instance of a class', { metrics: new Map() }],
    ['a promise', { stage: Promise.resolve('later') }],
    ['a function', { stage: () => 'called' }],
    ['an error', { metrics: new Error('failed') }],
    [
      'a value that cannot be read',
      Object.defineProperty({}, 'stage', { enumerable: true, get: unreadable }),
    ],
  ])('%s', (_, values) => {
    const event = Object.create(progress, Object.getOwnPropertyDescriptors(values))
    const source = on('... on ProgressUpdate { current progress loss status stage metrics }')
    expect(compiled(source, event)).toBe(null)
    expect(compiled(source)).not.toBe(null)
  })

  it('a cycle in the result of a training', () => {
    const result: unknown[] = []
    result.push(result)
    const event = { ...cancelled, type: 'TrainingSucceeded', result } as unknown as DeliveredEvent
    expect(compiled(on('... on TrainingSucceeded { result }'), event)).toBe(null)
  })

  it.each([
    ['a field', on('... on ProgressUpdate { taskId @later }')],
    ['a fragment', on('... on ProgressUpdate { ... @later { taskId } }')],
    ['a spread', `${on('... on ProgressUpdate { ...F @later }')} fragment F on TrainingEvent { taskId }`],
    ['a definition', `${on('... on ProgressUpdate { ...F }')} fragment F on TrainingEvent @later { taskId }`],
  ])('a type with a directive that is not known, on %s', (_, source) => {
    expect(compiled(source)).toBe(null)
    expect(compiled(source, cancelled)).toBe('{"data":{"trainingProgress":{}}}')
  })

  it('a condition without a value, which is an error of execution', async () => {
    const source = on('taskId @include(if: $flag)', '($flag: Boolean = true)')
    expect(compiled(source, progress, { flag: null })).toBe(null)
    expect(compiled(source, progress, {})).toBe(null)
    expect(await executed(source, progress, { flag: null })).toContain('errors')
  })

  it('every event of an operation that is refused; wrong arguments of one say nothing of others', async () => {
    const many = on('taskId '.repeat(600))
    expect(compiled(many)).toBe(null)
    expect(await executed(many, progress)).toContain('QUERY_TOO_COMPLEX')

    const plan = planOf('subscription ($id: ID!) { trainingProgress(taskId: $id) { taskId } }')
    expect(plan.encoder({ id: '' })(progress)).toBe(null)
    expect(plan.encoder({ id: '7f3c' })(progress)).toBe('{"data":{"trainingProgress":{"taskId":"7f3c"}}}')
  })

  it('an event of the stream whose task is selected, but not the others', () => {
    const source = on('__typename ... on StreamOpened { task { id } }')
    const opened = { ...progress, type: 'StreamOpened', channel: 'training:7f3c', task: {} } as unknown
    const closing = { ...progress, type: 'StreamClosing' } as unknown
    expect(compiled(source, opened as DeliveredEvent)).toBe(null)
    expect(compiled(source, closing as DeliveredEvent)).toContain('StreamClosing')
  })

  it('an event of no known type', () => {
    expect(compiled(on('taskId'), withValues({ type: 'Task' }))).toBe(null)
    expect(compiled(on('taskId'), withValues({ type: 'toString' }))).toBe(null)
  })

  it.each(['resolved', 'list', 'node { id }', 'objects { resolved }', 'argued(n: 1)', 'unknown'])(
    'the field %s',
    (field) => {
      const other = buildSchema(`
      type Query { id: ID }
      type Subscription { trainingProgress: TrainingEvent! }
      interface TrainingEvent { taskId: ID! }
      type ProgressUpdate implements TrainingEvent {
        taskId: ID!, resolved: Int, list: [Int!], object: Query, argued(n: Int): Int
      }`)
      const { trainingProgress } = other.getSubscriptionType()?.getFields() ?? {}
      const { resolved } = (other.getType('ProgressUpdate') as GraphQLObjectType).getFields()
      if (!trainingProgress || !resolved) throw new Error('the schema is as above')
      trainingProgress.resolve = (event) => event
      resolved.resolve = () => 7
      ;(other.getType('TrainingEvent') as GraphQLInterfaceType).resolveType = ({ type }) => type
      const of = (selection: string) =>
        planOf(
          `subscription { trainingProgress { ... on ProgressUpdate { ${selection} } } }`,
          undefined,
          other,
        ).encoder({})(progress)
      expect(of(`taskId ${field}`)).toBe(null)
      expect(of('taskId')).toBe('{"data":{"trainingProgress":{"taskId":"7f3c"}}}')
    },
  )

  it('most of the odd values of the property above', () => {
    const source = on('... on ProgressUpdate { current }')
    const left = ODD_VALUES.filter((current) => compiled(source, withValues({ current })) === null)
    expect(left.length).toBeGreaterThan(10)
  })
})

function unreadable(): never {
  throw new Error('unreadable')
}

describe('there is no plan for', () => {
  it.each([
    ['a query', '{ __typename }'],
    ['another subscription', 'subscription { heartbeat { sequence } }'],
    ['two root fields', `subscription { trainingProgress(taskId: "a") { taskId } heartbeat { sequence } }`],
    ['a fragment at the root', 'subscription { ... { trainingProgress(taskId: "a") { taskId } } }'],
    ['a condition at the root', 'subscription { trainingProgress(taskId: "a") @skip(if: false) { taskId } }'],
    ['a directive on the operation', 'subscription @later { trainingProgress(taskId: "a") { taskId } }'],
    ['__typename at the root', 'subscription { __typename }'],
    ['a document without operations', 'fragment F on TrainingEvent { taskId }'],
    ['several operations without a name', `${named('A', 'a')} ${named('B', 'b')}`],
  ])('%s', (_, source) => {
    expect(compileEventPlan(schema, parse(source), undefined)).toBe(null)
  })

  it('an operation that is not there; the others are found by their names', () => {
    const source = `${named('A', 'a')} ${named('B', 'b')} query C { __typename }`
    expect(planOf(source, 'A').responseKey).toBe('a')
    expect(planOf(source, 'B').responseKey).toBe('b')
    expect(compileEventPlan(schema, parse(source), 'C')).toBe(null)
    expect(compileEventPlan(schema, parse(source), 'D')).toBe(null)
    expect(planOf(named('A', 'a')).responseKey).toBe('a')
  })
})

function named(name: string, alias: string) {
  return `subscription ${name} { ${alias}: trainingProgress(taskId: "7f3c") { taskId } }`
}

describe('the shape of a result', () => {
  it('depends on the variables below the root field, in fragments too, and on no others', () => {
    const source = `
      subscription ($id: ID!, $after: Cursor, $z: Boolean!, $y: Boolean!, $x: Boolean!, $n: Int) {
        trainingProgress(taskId: $id, after: $after) { taskId @skip(if: $z) ... @include(if: $x) { ...F } }
      }
      fragment F on StreamOpened { ...G }
      fragment G on StreamOpened { ...F task { id @skip(if: $y) events(first: $n) { __typename } } }
      fragment Unused on StreamOpened { taskId @skip(if: $unused) }`
    expect(planOf(source).shapeVariables).toEqual(['n', 'x', 'y', 'z'])
    expect(planOf(on('taskId')).shapeVariables).toEqual([])
  })

  const flags = ['a', 'b', 'c', 'd', 'e']
  const source = on(
    flags.map((flag) => `${flag}: taskId @include(if: $${flag})`).join(' '),
    `($other: Int, ${flags.map((flag) => `$${flag}: Boolean!`).join(', ')})`,
  )
  const combination = (bits: number) =>
    Object.fromEntries(flags.map((flag, index) => [flag, (bits & (1 << index)) !== 0]))

  it('has one encoder for the same values, whatever the other variables are', () => {
    const plan = planOf(source)
    expect(plan.encoder({ ...combination(5), other: 1 })).toBe(plan.encoder({ other: 2, ...combination(5) }))
    expect(plan.encoder(combination(5))).not.toBe(plan.encoder(combination(6)))
    expect(plan.encoder(combination(5))(progress)).toBe(
      '{"data":{"trainingProgress":{"a":"7f3c","c":"7f3c"}}}',
    )
    expect(plan.encoder(combination(6))(progress)).toBe(
      '{"data":{"trainingProgress":{"b":"7f3c","c":"7f3c"}}}',
    )
  })

  it('keeps the encoders of the sixteen newest combinations', () => {
    const plan = planOf(source)
    const [oldest, second] = [plan.encoder(combination(0)), plan.encoder(combination(1))]
    for (let bits = 2; bits < 16; bits++) plan.encoder(combination(bits))
    expect(plan.encoder(combination(0))).toBe(oldest)
    plan.encoder(combination(16))
    expect(plan.encoder(combination(0))).toBe(oldest)
    expect(plan.encoder(combination(1))).not.toBe(second)
    expect(plan.encoder(combination(1))(progress)).toBe(second(progress))
  })
})
