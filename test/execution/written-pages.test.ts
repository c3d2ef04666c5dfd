import fc from 'fast-check'
import { execute, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { AnswerRoom } from '../../src/execution/answer-room.ts'
import { PreparedAnswer } from '../../src/execution/prepared-answer.ts'
import { stringify } from '../../src/execution/raw-json.ts'
import { ANYONE } from '../../src/repository/access.ts'
import type { Context } from '../../src/schema/context.ts'
import { schema } from '../../src/schema/index.ts'
import type { OutputLine } from '../../src/task/output.ts'
import type { DeliveredEvent } from '../../src/task/stream-event.ts'
import { newState, progress, range } from '../support/tasks.ts'
import { events, type Operation, oddEvent, operations } from './arbitraries.ts'

const top = { generation: 'g', offset: 1_000_000 }
const view = { state: newState({ id: '7f3c' }), top, serial: 1 }
const limits = { interruptAfterTimeLimit: 20_000 }

interface Stored {
  readonly events?: readonly object[]
  readonly lines?: readonly OutputLine[]
}

/** The text of an answer: of pages that are written, or of what graphql-js completes. */
async function answerTo({ document, variables }: Operation, stored: Stored, isWritten: boolean) {
  const answer = new PreparedAnswer(new AnswerRoom(1).begin('a'))
  const entries = (stored.events ?? []).map((event, i) => ({ offset: 7 + i, event: { ...event } }))
  const lines = (stored.lines ?? []).map((line, i) => ({ offset: 7 + i, line }))
  const after = (position: { offset: number } | null) => position?.offset ?? 0
  const services = {
    channelPrefixes: ['ml:training'],
    log: {
      snapshot: async () => view,
      read: async (_: unknown, from: { offset: number } | null, limit: number) => ({
        kind: 'entries',
        entries: entries.filter(({ offset }) => offset > after(from)).slice(0, limit),
        top: { ...top, offset: entries.at(-1)?.offset ?? 0 },
      }),
    },
    output: { log: { read: async () => ({ kind: 'lines', lines, top, oldest: 7 }) } },
  }
  const contextValue = { services, caller: ANYONE, ...(isWritten ? { answer } : {}) } as unknown as Context
  const result = await execute({ schema, document: parse(document), contextValue, variableValues: variables })
  return { text: stringify(answer.complete(result)), isWritten: 'stringify' in result }
}

/** A page of what the operation selects of an event. */
function pageOf({ document, variables }: Operation): Operation {
  const query = document
    .replace(/^subscription/, 'query')
    .replace(
      /(event: )?trainingProgress\(taskId: \$taskId\) (.*) }$/m,
      'task(id: $taskId) { events(first: 1000) { at: edges { cursor node $2 } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } id } }',
    )
  expect(validate(schema, parse(query))).toEqual([])
  return { document: query, variables }
}

const isAnswered = (text: string) => !text.includes('QUERY_TOO_COMPLEX') && !text.includes("the query's")

describe('a page of events that is written without graphql-js', () => {
  it('is what graphql-js and JSON.stringify make of it, for any selection and any events of the log', async () => {
    let count = 0
    const property = fc.asyncProperty(
      operations(schema),
      events(schema),
      events(schema),
      async (operation, first, second) => {
        const page = pageOf(operation)
        const stored = { events: [...first, ...second, ...first] }
        const completed = await answerTo(page, stored, false)
        fc.pre(isAnswered(completed.text))
        const written = await answerTo(page, stored, true)
        expect(written.text).toBe(completed.text)
        expect(written.isWritten).toBe(true)
        count++
      },
    )
    await fc.assert(property, { ...limits, numRuns: 150 })
    expect(count).toBeGreaterThan(20)
  })

  it('or it is left to graphql-js, where an event is not what its type promises', async () => {
    const property = fc.asyncProperty(
      operations(schema),
      fc.array(oddEvent(schema), { minLength: 1, maxLength: 3 }),
      async (operation, odd) => {
        const page = pageOf(operation)
        // Some of them no JSON can have.
        const outcome = (isWritten: boolean) =>
          answerTo(page, { events: odd }, isWritten).then(({ text }) => text, String)
        expect(await outcome(true)).toBe(await outcome(false))
      },
    )
    await fc.assert(property, { ...limits, numRuns: 500 })
  })

  it.each(['Task', 'toString', 'TrainingEvent', 7, null])('or its type is none: %s', async (type) => {
    const page = { document: '{ task(id: "7f3c") { events { edges { node { taskId } } } } }', variables: {} }
    const stored = { events: [{ ...progress(1), type }] }
    const completed = await answerTo(page, stored, false)
    expect(completed.text).toContain('"errors"')
    expect((await answerTo(page, stored, true)).text).toBe(completed.text)
  })

  it('in parts where it is long, with what is said of all of them under several names', async () => {
    const document = `{ task(id: "7f3c") {
      a: events(first: 1000) { edges { node { cursor ... on ProgressUpdate { current loss } } } edges { cursor } }
      b: events(first: 120) { pageInfo { hasNextPage } edges { node { ...E } } more: edges { node { timestamp } } }
    } } fragment E on TrainingEvent { __typename ... on ProgressUpdate { metrics message } }`
    const stored = { events: range(1, 1000).map((i) => progress(i)) }
    const written = await answerTo({ document, variables: {} }, stored, true)
    expect(written.text).toBe((await answerTo({ document, variables: {} }, stored, false)).text)
    expect(written.isWritten).toBe(true)
    const { a, b } = JSON.parse(written.text).data.task
    expect(a.edges.map(({ node }: { node: { current: number } }) => node.current)).toEqual(range(1, 1000))
    expect([b.edges.length, b.more.length, b.pageInfo.hasNextPage]).toEqual([120, 120, true])
  })
})

const line: fc.Arbitrary<OutputLine> = fc.record({
  timestamp: fc.constant('2026-11-21T10:30:15.123Z'),
  stream: fc.constantFrom('STDOUT' as const, 'STDERR' as const, null),
  text: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\u001b[31mred', '"', '\ud83d')),
  member: fc.option(fc.string()),
  isCut: fc.boolean(),
  skipped: fc.option(fc.nat()),
})

it('a page of output is what graphql-js makes of it, with notes in the place of lines that are missing', async () => {
  const document = `{ task(id: "7f3c") { output(first: 1000) {
    edges { cursor node { text stream member isCut timestamp skip { lines reason __typename } } } pageInfo { endCursor }
  } } }`
  const property = fc.asyncProperty(fc.array(line, { maxLength: 120, size: 'max' }), async (lines) => {
    const written = await answerTo({ document, variables: {} }, { lines }, true)
    expect(written.text).toBe((await answerTo({ document, variables: {} }, { lines }, false)).text)
    expect(written.isWritten).toBe(true)
  })
  await fc.assert(property, { ...limits, numRuns: 60 })
})

it('texts that are long are not kept for the next page', async () => {
  const document = '{ task(id: "7f3c") { events { edges { node { ... on ProgressUpdate { message } } } } } }'
  const stored = (message: string): Stored => ({ events: [{ ...progress(1), message }] as DeliveredEvent[] })
  for (const message of ['short', 'x'.repeat(4000), 'x'.repeat(4000), 'short', '"'.repeat(4000)]) {
    const { text } = await answerTo({ document, variables: {} }, stored(message), true)
    expect(JSON.parse(text).data.task.events.edges[0].node.message).toBe(message)
  }
})
