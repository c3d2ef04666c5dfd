import fc from 'fast-check'
import { execute, parse } from 'graphql'
import { describe, expect, it } from 'vitest'
import { compileReportCall } from '../../src/execution/report-call.ts'
import type { IngestResult } from '../../src/ingest/ingest.ts'
import type { Context } from '../../src/schema/context.ts'
import { schema } from '../../src/schema/index.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import { LIMITS } from '../../src/task/limits.ts'
import type { Report } from '../../src/task/report.ts'
import { anyJson } from '../support/any-json.ts'

const REPORT = /* GraphQL */ `
  mutation Report($input: ReportMetricsInput!) {
    reportMetrics(input: $input) { __typename accepted twice: duplicates cursor stopRequested warnings }
  }`

const RESULT: IngestResult = {
  key: { channelPrefix: 'gan:training', id: 'task' },
  accepted: 2,
  duplicates: 1,
  top: { generation: 'abc', offset: 42 },
  stopRequested: true,
  warnings: ['metric "x" was left out'],
}

/** A context that keeps what is ingested, and answers as it is told. */
function recording(answer: () => Promise<IngestResult> = async () => RESULT) {
  const calls: unknown[][] = []
  const report = (...call: unknown[]) => {
    calls.push(call)
    return answer()
  }
  return { calls, context: { services: { ingest: { report } } } as unknown as Context }
}

async function reference(query: string, variables: Record<string, unknown>, answer?: () => Promise<never>) {
  const { calls, context } = recording(answer)
  const document = parse(query)
  const result = await execute({ schema, document, variableValues: variables, contextValue: context })
  return { calls, result }
}

/** Null where the call is left to graphql-js. */
async function called(query: string, variables: Record<string, unknown>, answer?: () => Promise<never>) {
  const { calls, context } = recording(answer)
  const result = compileReportCall(parse(query))?.(variables)?.(context)
  return result ? { calls, result: await result } : null
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
const copy = <T>(value: T): T => structuredClone(value)

const count = fc.nat({ max: 1000 })
const large = fc.oneof(count, fc.maxSafeNat())
const epoch = fc.oneof(count, fc.double({ min: 0, max: 1000, noNaN: true }))
const metricName = fc.constantFrom('loss', 'accuracy', 'a b', 'constructor')
const metric = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom('NaN', '-Infinity'),
)
const metrics = fc.dictionary(metricName, metric)
const text = fc.string({ maxLength: 20, unit: 'binary' })
const word = fc.stringMatching(/^[a-z ]{1,20}$/)
const time = fc.constantFrom(null, '2026-11-21T10:30:15.123Z', '2026-11-21t10:30:15+02:00')
const optional = <T extends object>(required: fc.Arbitrary<T>, more: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .tuple(required, fc.record({ ...more, timestamp: time }, { requiredKeys: [] }))
    .map(([must, may]) => ({ ...must, ...may }) as object)
const or = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

const report = fc.oneof(
  optional(fc.record({ current: large }), {
    total: or(large.map((of) => Math.max(1, of))),
    stage: or(word),
    epoch: or(epoch),
    step: or(large),
    loss: or(metric),
    metrics: or(metrics),
    message: or(text),
  }).map((progress) => ({ progress })),
  optional(fc.record({ epoch: count }), { totalEpochs: or(count) }).map((epochStart) => ({ epochStart })),
  optional(fc.record({ epoch, phase: fc.constantFrom('TRAIN', 'VAL', 'TEST'), metrics }), {
    step: or(large),
  }).map((epochEnd) => ({ epochEnd })),
  optional(fc.record({ round: count }), {
    step: or(large),
    fitMetrics: or(metrics),
    evalMetrics: or(metrics),
  }).map((roundEnd) => ({ roundEnd })),
  optional(fc.record({ status: fc.constantFrom('RUNNING', 'STALLED', 'SUCCESS') }), {
    message: or(text),
  }).map((status) => ({ status })),
  optional(fc.record({ error: text }), { errorType: or(word) }).map((error) => ({ error })),
  optional(fc.record({}), { result: anyJson() }).map((success) => ({ success })),
)
const input = fc
  .tuple(
    fc.record({ taskId: word, reports: fc.array(report, { maxLength: 3 }) }),
    fc.record(
      {
        channelPrefix: or(word),
        member: or(word),
        producer: or(word),
        firstSequence: or(count.map((of) => of + 1)),
        attempt: or(fc.constant(2)),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([must, may]) => ({ ...must, ...may }) as Record<string, unknown>)

/** Replaces, adds or takes away something anywhere in a value. */
const spoilt = fc
  .tuple(
    input,
    fc.array(fc.nat()),
    fc.constantFrom('current', 'progress', 'extra', '__proto__', 'message', 'metrics', 'timestamp'),
    fc.oneof(
      fc.constantFrom<unknown[]>(
        undefined as never,
        null,
        '',
        0,
        1.5,
        -1,
        2 ** 31,
        2 ** 53,
        true,
        [],
        {},
        [{}],
        'x',
        7,
      ),
      anyJson(),
    ),
  )
  .map(([of, path, key, value]) => {
    const whole = copy(of)
    let at: Record<string, unknown> = whole
    for (const step of path) {
      const inner = Object.values(at).filter((found) => typeof found === 'object' && found !== null)
      if (inner.length === 0) break
      at = inner[step % inner.length] as Record<string, unknown>
    }
    const names = Object.keys(at)
    const name = names.length > 0 && value !== 7 ? (names[(path[0] ?? 0) % names.length] as string) : key
    Object.defineProperty(at, name, { value, enumerable: true, configurable: true, writable: true })
    return plain(whole) as Record<string, unknown>
  })

/** Its numbers must be exact, which only the text of the body can tell. */
const hasResult = ({ reports }: { reports: Report[] }): boolean =>
  reports.some(({ success }) => success?.result != null)

describe('a compiled call of reportMetrics', () => {
  it('is for whatever is valid, and does what graphql-js would', async () => {
    await fc.assert(
      fc.asyncProperty(input, async (valid) => {
        const given = plain(valid)
        const expected = await reference(REPORT, { input: copy(given) })
        const actual = await called(REPORT, { input: given })
        expect(expected.result.errors).toBeUndefined()
        if (hasResult(given)) expect(actual).toBeNull()
        else expect(plain(actual)).toEqual(plain(expected))
      }),
    )
  })

  it('never takes what graphql-js would refuse, nor takes it otherwise', async () => {
    await fc.assert(
      fc.asyncProperty(spoilt, async (given) => {
        const expected = await reference(REPORT, { input: copy(given) })
        const actual = await called(REPORT, { input: copy(given) })
        if (actual !== null) expect(plain(actual)).toEqual(plain(expected))
      }),
      { numRuns: 1000 },
    )
  })

  it.each<[string, unknown]>([
    ['a number for an id', { taskId: 7, reports: [{ success: {} }] }],
    ['one report that is no list', { taskId: 'a', reports: { success: {} } }],
    ['no variable', undefined],
    ['null', null],
    ['a list', [{ taskId: 'a', reports: [{ success: {} }] }]],
    ['a text', 'task'],
    ['one report too many', { taskId: 'a', reports: Array(LIMITS.reportsPerCall + 1).fill({ success: {} }) }],
    ['two kinds in one', { taskId: 'a', reports: [{ success: {}, failure: { error: 'x' } }] }],
    ['one kind and null for another', { taskId: 'a', reports: [{ success: {}, progress: null }] }],
    ['null for a kind', { taskId: 'a', reports: [{ success: null }] }],
    ['null for a report', { taskId: 'a', reports: [null] }],
    ['a fraction', { taskId: 'a', reports: [{ progress: { current: 1.5 } }] }],
    ['a count over 53 bits', { taskId: 'a', reports: [{ progress: { current: 2 ** 53 } }] }],
    ['a count as text', { taskId: 'a', reports: [{ progress: { current: '7' } }] }],
    ['an epoch before the first', { taskId: 'a', reports: [{ progress: { current: 1, epoch: -0.5 } }] }],
    ['an epoch as text', { taskId: 'a', reports: [{ progress: { current: 1, epoch: '1' } }] }],
    ['a member without a name', { taskId: 'a', reports: [{ success: {} }], member: '' }],
    ['a fraction of a started epoch', { taskId: 'a', reports: [{ epochStart: { epoch: 1.5 } }] }],
    ['a negative count', { taskId: 'a', reports: [{ progress: { current: -1 } }] }],
    ['a list for an enum', { taskId: 'a', reports: [{ status: { status: ['RUNNING'] } }] }],
    ['a time that is none', { taskId: 'a', reports: [{ success: { timestamp: 'now' } }] }],
    ['a result', { taskId: 'a', reports: [{ success: { result: 0 } }] }],
    ['an unknown field', { taskId: 'a', reports: [{ success: {} }], more: 1 }],
  ])('leaves %s to graphql-js', async (_, given) => {
    expect(await called(REPORT, { input: given })).toBeNull()
  })

  it('takes what stands at the edges', async () => {
    const reports = [
      {
        progress: {
          current: 2 ** 53 - 1,
          total: 2 ** 53 - 1,
          epoch: 2.5,
          message: 'x'.repeat(LIMITS.messageLength),
        },
      },
      { success: { result: null } },
      ...Array(LIMITS.reportsPerCall - 2).fill({ progress: { current: 0 } }),
    ]
    const actual = await called(REPORT, { input: { taskId: 'x'.repeat(LIMITS.taskIdLength), reports } })
    expect(actual?.result.data).toBeDefined()
  })

  it('is refused as graphql-js tells it', async () => {
    const refuse = async (): Promise<never> => {
      throw new EpochcastError('TASK_ENDED', 'it is over', { details: { status: 'SUCCESS' } })
    }
    const variables = { input: { taskId: 'a', reports: [{ success: {} }] } }
    const query = 'mutation ($input: ReportMetricsInput!) { mine: reportMetrics(input: $input) { accepted } }'
    const expected = await reference(query, copy(variables), refuse)
    const actual = await called(query, copy(variables), refuse)
    expect(plain(actual)).toEqual(plain(expected))
    expect(actual?.result.errors?.[0]).toMatchObject({ path: ['mine'], message: 'it is over' })
    expect(actual?.result.errors?.[0]?.originalError).toBeInstanceOf(EpochcastError)
  })

  it.each([
    ['a query', '{ server { version } }'],
    [
      'another mutation',
      'mutation ($input: CancelTrainingInput!) { cancelTraining(input: $input) { task { id } } }',
    ],
    [
      'two fields',
      'mutation ($input: ReportMetricsInput!) { a: reportMetrics(input: $input) { accepted } b: reportMetrics(input: $input) { accepted } }',
    ],
    [
      'a literal',
      'mutation { reportMetrics(input: { taskId: "a", reports: [{ success: {} }] }) { accepted } }',
    ],
    [
      'a literal with variables',
      'mutation ($reports: [ReportInput!]!) { reportMetrics(input: { taskId: "a", reports: $reports }) { accepted } }',
    ],
    [
      'a default',
      'mutation ($input: ReportMetricsInput! = { taskId: "a", reports: [{ success: {} }] }) { reportMetrics(input: $input) { accepted } }',
    ],
    [
      'another variable',
      'mutation ($input: ReportMetricsInput!, $skip: Boolean!) { reportMetrics(input: $input) { accepted @skip(if: $skip) } }',
    ],
    [
      'a directive',
      'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted @include(if: true) } }',
    ],
    [
      'a fragment',
      'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { ...on ReportMetricsPayload { accepted } } }',
    ],
    [
      'very many fields',
      `mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { ${Array.from({ length: 600 }, (_, i) => `a${i}: accepted`).join(' ')} } }`,
    ],
  ])('is not made of %s', (_, query) => {
    expect(compileReportCall(parse(query))).toBeNull()
  })

  it('is of the operation that is named', () => {
    const document = parse(`${REPORT} query Other { server { version } }`)
    expect(compileReportCall(document)).toBeNull()
    expect(compileReportCall(document, 'Other')).toBeNull()
    expect(compileReportCall(document, 'Nobody')).toBeNull()
    expect(compileReportCall(document, 'Report')).not.toBeNull()
  })
})
