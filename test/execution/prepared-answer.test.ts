import fc from 'fast-check'
import { execute, parse } from 'graphql'
import { describe, expect, it } from 'vitest'
import { AnswerRoom } from '../../src/execution/answer-room.ts'
import { PreparedAnswer } from '../../src/execution/prepared-answer.ts'
import { stringify } from '../../src/execution/raw-json.ts'
import { ANYONE } from '../../src/repository/access.ts'
import type { Context } from '../../src/schema/context.ts'
import { schema } from '../../src/schema/index.ts'
import type { MetricPoint, MetricSeries } from '../../src/task/curves/point.ts'
import { newState } from '../support/tasks.ts'

const point: fc.Arbitrary<MetricPoint> = fc.record({
  step: fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true })),
  epoch: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
  value: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom('NaN' as const, 'Infinity' as const, '-Infinity' as const),
  ),
  timestamp: fc.integer({ min: 0, max: 4e12 }),
  attempt: fc.integer({ min: 1, max: 9 }),
})
const someSeries: fc.Arbitrary<readonly MetricSeries[]> = fc.array(
  fc.record({
    name: fc.string({ minLength: 1 }),
    phase: fc.constantFrom(null, 'TRAIN', 'VAL'),
    member: fc.option(fc.string()),
    axis: fc.constantFrom('STEP', 'EPOCH'),
    points: fc.array(point, { maxLength: 20 }),
  }),
  { maxLength: 4 },
)

const FIELD = fc.constantFrom('step', 'epoch', 'value', 'timestamp', 'attempt', '__typename')
const selected = fc.oneof(
  { weight: 6, arbitrary: FIELD },
  { weight: 2, arbitrary: FIELD.map((name) => `other: ${name}`) },
  { weight: 1, arbitrary: FIELD.map((name) => `${name} @include(if: $yes)`) },
  { weight: 1, arbitrary: FIELD.map((name) => `${name} @skip(if: $yes)`) },
  { weight: 1, arbitrary: fc.constantFrom('...Both', '... on MetricPoint { value }', '... { step }') },
)
// An alias stands for one field, or the document is not valid.
const isValid = (fields: readonly string[]) =>
  new Set(fields.filter((field) => field.startsWith('other:'))).size < 2
const selections = fc.array(selected, { minLength: 1, maxLength: 6 }).filter(isValid)

const view = { state: newState({ id: 't' }), top: { generation: 'g', offset: 1 }, serial: 1 }

/** The text of an answer: what resolvers write by themselves, or what graphql-js completes without. */
async function answerTo(document: string, series: readonly MetricSeries[], yes: boolean, isWritten: boolean) {
  const answer = new PreparedAnswer(new AnswerRoom(1).begin('a'))
  const services = {
    channelPrefixes: ['ml:training'],
    log: { snapshot: async () => view },
    series: { read: async () => series },
  }
  const contextValue = { services, caller: ANYONE, ...(isWritten ? { answer } : {}) } as unknown as Context
  const variableValues = { yes }
  const result = await execute({ schema, document: parse(document), contextValue, variableValues })
  return { text: stringify(answer.complete(result)), isWritten: 'stringify' in result }
}

const documentOf = (fields: readonly string[], more = '') => `
  query ($yes: Boolean!) {
    task(id: "t") { series { name points { ${fields.join(' ')} } ${more} } id }
    again: task(id: "t") { series { axis member points { step } } }
  }
  fragment Both on MetricPoint { attempt epoch }
`

describe('the points of a chart that are written without graphql-js', () => {
  it('are what graphql-js and JSON.stringify make of them, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(selections, someSeries, fc.boolean(), async (fields, series, yes) => {
        const written = await answerTo(documentOf(fields), series, yes, true)
        const completed = await answerTo(documentOf(fields), series, yes, false)
        expect(written.text).toBe(completed.text)
        expect(JSON.parse(written.text).errors).toBeUndefined()
        expect(written.isWritten).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('are those of all selections of one field, wherever those are merged', async () => {
    const points = [{ step: 1, epoch: null, value: 2, timestamp: 0, attempt: 1 }]
    const series = [{ name: 'loss', phase: null, member: null, axis: 'STEP', points }] as const
    const document = documentOf(
      ['step'],
      'points { value } } ...More series { points { __typename } axis',
    ).replace(
      'fragment Both',
      'fragment More on Task { series { name member points { attempt } } } fragment Both',
    )
    const written = await answerTo(document, series, true, true)
    expect(written.text).toBe((await answerTo(document, series, true, false)).text)
    expect(written.isWritten).toBe(true)
    expect(written.text).toContain('"points":[{"step":1,"value":2,"attempt":1,"__typename":"MetricPoint"}]')
  })

  it('are left to graphql-js where one is not what its type promises, which says so', async () => {
    const points = [{ step: 1, epoch: null, value: 2, timestamp: 0, attempt: null as never }]
    const series = [{ name: 'loss', phase: null, member: null, axis: 'STEP', points }] as const
    const document = documentOf(['attempt'])
    const written = await answerTo(document, series, true, true)
    expect(written.text).toBe((await answerTo(document, series, true, false)).text)
    expect(written.text).toContain('Cannot return null for non-nullable field MetricPoint.attempt.')
  })

  it('and a text of a client that looks like a mark stays what it is', async () => {
    const points = [{ step: 1, epoch: null, value: 2, timestamp: 0, attempt: 1 }]
    const series = [{ name: 'raw-1', phase: null, member: '"raw-0"', axis: 'STEP', points }] as const
    const { text } = await answerTo(documentOf(['step']), series, true, true)
    expect(JSON.parse(text).data.task.series).toEqual([{ name: 'raw-1', points: [{ step: 1 }] }])
  })
})
