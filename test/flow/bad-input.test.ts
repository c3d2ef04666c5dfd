import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { LIMITS } from '../../src/task/limits.ts'
import {
  collect,
  post,
  progressReports,
  REPORT,
  type Result,
  refusal,
  report,
  run,
  START,
  startExternal,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { until } from '../support/until.ts'

const start = (input: unknown) => ({ input })
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, i]))
const progress = (more: Record<string, unknown>) => ({ progress: { current: 1, ...more } })

describe('starting a training', () => {
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      epochs: { type: 'integer', minimum: 1, maximum: 100, default: 5 },
      machine_id: { type: 'string', default: 'motor_siemens_001' },
      rate: { type: 'number', exclusiveMinimum: 0 },
    },
  }
  const server = () =>
    testServer({
      EPOCHCAST_TRAINERS: trainersFile(
        { real: 'await report({ success: {} })' },
        { real: { params: schema } },
      ),
    })

  it.each([
    ['an unknown trainer', { trainer: 'gan' }, 'TRAINER_NOT_FOUND', /"gan".*"real"/],
    [
      'an unknown prefix',
      { channelPrefix: 'secret' },
      'CHANNEL_PREFIX_NOT_ALLOWED',
      /"secret".*"gan:training"/,
    ],
    // As UTF-8 they would all be one key, and the second start would get the first's task.
    ...['idempotencyKey', 'name', 'channelPrefix'].map(
      (field) =>
        [
          `half a character in ${field}`,
          { [field]: 'k\ud800' },
          'BAD_INPUT',
          new RegExp(`input\\.${field} is "k\\\\ud800"; expected .* half of one`),
        ] as [string, object, string, RegExp],
    ),
    [
      'a control character of eight bits',
      { name: 'a\u009b31m' },
      'BAD_INPUT',
      /none of them a control character/,
    ],
    ['no epochs', { epochs: 0 }, 'BAD_INPUT', /input\.epochs is 0; expected a whole number from 1/],
    ['negative epochs', { epochs: -3 }, 'BAD_INPUT', /input\.epochs is -3; expected/],
    ['a billion epochs', { epochs: 1e9 }, 'BAD_INPUT', /input\.epochs is 1000000000; expected/],
    [
      'one epoch over the bound',
      { epochs: LIMITS.epochs + 1 },
      'BAD_INPUT',
      /expected a whole number from 1 to 1000000/,
    ],
    [
      'epochs over the bound of the trainer',
      { trainer: 'real', epochs: 101 },
      'BAD_PARAMS',
      /params\.epochs is 101; expected.*100/,
    ],
    [
      'params of the wrong kind',
      { trainer: 'real', params: { rate: 'fast' } },
      'BAD_PARAMS',
      /params\.rate is "fast"; expected/,
    ],
    [
      'params that the trainer does not know',
      { trainer: 'real', params: { speed: 3 } },
      'BAD_PARAMS',
      /"speed"/,
    ],
    [
      'params that are no object',
      { params: [1] },
      'BAD_INPUT',
      /input\.params is \[1\]; expected a JSON object/,
    ],
    [
      'params that contradict the input',
      { trainer: 'real', epochs: 2, params: { epochs: 3 } },
      'BAD_INPUT',
      /epochs is 2 and params\.epochs is 3/,
    ],
    [
      'too many params',
      { params: { x: 'y'.repeat(LIMITS.paramsBytes) } },
      'BAD_INPUT',
      /bytes of JSON; expected at most 16384/,
    ],
    [
      'a machine id with a space',
      { machineId: 'motor 1' },
      'BAD_INPUT',
      /input\.machineId is "motor 1"; expected/,
    ],
    [
      'a machine id that climbs',
      { machineId: '../../etc/passwd' },
      'BAD_INPUT',
      /input\.machineId is "\.\.\/\.\.\/etc/,
    ],
    ['a machine id with two dots', { machineId: 'a..b' }, 'BAD_INPUT', /without "\.\."/],
    ['a field that does not exist', { command: 'rm' }, 'BAD_INPUT', /command/],
  ])('refuses %s', async (_, input, code, message) => {
    const { url } = await server()
    const error = await refusal(url, START, start({ trainer: 'external', ...input }))
    expect(error.extensions).toMatchObject({ code, retryable: false })
    expect(error.message).toMatch(message)
    expect(await run(url, '{ tasks { edges { node { id } } } }')).toEqual({ tasks: { edges: [] } })
  })

  it('accepts what stands at the edge, and fills in the defaults of the trainer', async () => {
    const { url } = await server()
    const { startTraining } = await run(url, START, start({ trainer: 'real', epochs: 100 }))
    expect(startTraining.task.params).toEqual({ epochs: 100, machine_id: 'motor_siemens_001' })
    await run(url, START, start({ trainer: 'external', epochs: LIMITS.epochs, machineId: 'x'.repeat(128) }))
  })

  it('gives the same task for the same idempotencyKey, and refuses it for another input', async () => {
    const { url } = await server()
    const input = { trainer: 'external', epochs: 3, labels: { a: 1, b: 2 }, idempotencyKey: 'run-1' }
    const answers = await Promise.all([1, 2, 3].map(() => run(url, START, start(input))))
    const ids = new Set(answers.map(({ startTraining }) => startTraining.task.id))
    expect(ids.size).toBe(1)
    const reordered = await run(url, START, start({ ...input, labels: { b: 2, a: 1 } }))
    expect(ids).toContain(reordered.startTraining.task.id)
    const error = await refusal(url, START, start({ ...input, epochs: 4 }))
    expect(error.extensions.code).toBe('IDEMPOTENCY_CONFLICT')
    const other = await run(url, START, start({ ...input, idempotencyKey: 'run-2' }))
    expect(ids).not.toContain(other.startTraining.task.id)
  })
})

describe('reporting', () => {
  it.each<[string, unknown[], string, RegExp]>([
    [
      '1001 reports',
      progressReports(1, 1001),
      'BAD_INPUT',
      /input\.reports has 1001 reports; expected 0 to 1000/,
    ],
    ['a report of no kind', [{}], 'BAD_INPUT', /ReportInput/],
    ['a report of two kinds', [{ success: {}, failure: { error: 'x' } }], 'BAD_INPUT', /ReportInput/],
    [
      'a name of 10 KB',
      [progress({ metrics: { ['x'.repeat(10_240)]: 1 } })],
      'BAD_METRICS',
      /name is "x{80}"… \(10240 characters\); expected 1 to 128/,
    ],
    [
      'a name of 129 characters',
      [progress({ metrics: { ['x'.repeat(129)]: 1 } })],
      'BAD_METRICS',
      /expected 1 to 128/,
    ],
    ['an empty name', [progress({ metrics: { '': 1 } })], 'BAD_METRICS', /name is ""/],
    [
      'a nested metric',
      [progress({ metrics: { a: { b: 1 } } })],
      'BAD_METRICS',
      /metric "a" is \{"b":1\}; expected a number/,
    ],
    [
      'a text that is no number',
      [progress({ metrics: { a: 'high' } })],
      'BAD_METRICS',
      /metric "a" is "high"; expected a number, "NaN"/,
    ],
    ['a loss that is no number', [progress({ loss: 'nan' })], 'BAD_METRICS', /"nan"; expected a number/],
    ['metrics that are a list', [progress({ metrics: [1] })], 'BAD_METRICS', /the metrics are \[1\]/],
    [
      'a negative current',
      [{ progress: { current: -1 } }],
      'BAD_INPUT',
      /reports\[0\]\.progress\.current: the count is -1; expected a whole number from 0 to 9007199254740991/,
    ],
    [
      'a fraction of a step',
      [{ progress: { current: 1.5 } }],
      'BAD_INPUT',
      /progress\.current: the count is 1\.5; expected a whole number/,
    ],
    [
      'an epoch before the first',
      [progress({ epoch: -0.5 })],
      'BAD_INPUT',
      /epoch is -0\.5; expected a number/,
    ],
    ['a total of none', [{ progress: { current: 1, total: 0 } }], 'BAD_INPUT', /progress\.total is 0/],
    [
      'a result that is too large',
      [{ success: { result: 'x'.repeat(65_536) } }],
      'RESULT_TOO_LARGE',
      /reports\[0\]\.success\.result is 65538 bytes of JSON; expected at most 65536.*report success without/,
    ],
    [
      'a time that is none',
      [progress({ timestamp: 'yesterday' })],
      'BAD_INPUT',
      /"yesterday"; expected an RFC 3339/,
    ],
    [
      'a time without a zone',
      [progress({ timestamp: '2026-11-21T10:30:15' })],
      'BAD_INPUT',
      /"2026-11-21T10:30:15"; expected a zone at its end: Z for UTC/,
    ],
    ...[
      ['2026-11-21T10:30:15+0200', 'an offset with hours, a colon and minutes, such as +02:00'],
      ['2026-11-21T10:30:15.5-02', 'an offset with hours, a colon and minutes'],
      ['2016-12-31T23:59:60Z', 'seconds up to 59: a leap second'],
    ].map(
      ([timestamp, expected]) =>
        [
          `the time ${timestamp}, and says what is wrong with it`,
          [progress({ timestamp })],
          'BAD_INPUT',
          new RegExp(`"; expected ${expected?.replace('+', '\\+')}`),
        ] as [string, unknown[], string, RegExp],
    ),
    ...['a\u009b31m', 'half \ud800', '\udc00 half'].map(
      (name) =>
        [
          `the name ${JSON.stringify(name)}`,
          [progress({ metrics: { [name]: 1 } })],
          'BAD_METRICS',
          /none of them a control character or half of one/,
        ] as [string, unknown[], string, RegExp],
    ),
    ...[
      '2026-02-30T00:00:00Z',
      '2027-02-29T12:00:00+01:00',
      '2026-13-01T00:00:00Z',
      '2026-11-21T24:30:00Z',
      // Another name of the next day, which RFC 3339 does not have.
      '2026-11-21T24:00:00Z',
    ].map(
      (timestamp) =>
        [
          `the time ${timestamp}, which there is not`,
          [progress({ timestamp })],
          'BAD_INPUT',
          /expected an RFC 3339 date-time/,
        ] as [string, unknown[], string, RegExp],
    ),
    ...['0000-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00'].map(
      (timestamp) =>
        [
          `the time ${timestamp}, which is of a year that cannot be written`,
          [progress({ timestamp })],
          'BAD_INPUT',
          /expected an RFC 3339 date-time/,
        ] as [string, unknown[], string, RegExp],
    ),
    [
      "Celery's STARTED",
      [{ status: { status: 'STARTED' } }],
      'BAD_INPUT',
      /^input\.reports\[0\]\.status\.status: Value "STARTED" does not exist in "TaskStatus" enum; expected one of RUNNING, SUCCESS, FAILURE, CANCELLED$/,
    ],
    ['a status that only the server can say', [{ status: { status: 'STALLED' } }], 'BAD_INPUT', /STALLED/],
    [
      'an invalid report behind valid ones',
      [...progressReports(1, 5), { progress: { current: -1 } }],
      'BAD_INPUT',
      /reports\[5\]\.progress\.current: the count is -1/,
    ],
    ['a report behind the final one', [{ success: {} }, progress({})], 'TASK_ENDED', /ended with SUCCESS/],
  ])('refuses %s and applies nothing', async (_, reports, code, message) => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const before = await run(url, TASK, { id: taskId })
    const error = await refusal(url, REPORT, { input: { taskId, reports } })
    expect(error.extensions).toMatchObject({ code, retryable: false })
    expect(error.message).toMatch(message)
    expect(error.message.length).toBeLessThan(1100)
    expect(await run(url, TASK, { id: taskId })).toEqual(before)
  })

  it('accepts what stands at the edges', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    expect(await report(url, taskId, ...progressReports(1, 1000))).toMatchObject({ accepted: 1000 })
    await report(
      url,
      taskId,
      progress({ metrics: many(256), message: 'x'.repeat(4096) }),
      progress({ metrics: { ['x'.repeat(128)]: 1 } }),
      { success: { result: 'x'.repeat(65_534) } },
    )
  })

  it('takes JSON of a bounded depth', async () => {
    const { url } = await testServer()
    const deep = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`
    const message = /the value has more than 64 lists and objects within one another/
    for (const field of ['labels', 'result'] as const) {
      const send = async (depth: number) => {
        const value = JSON.parse(deep(depth))
        if (field === 'labels') return post(url, START, { input: { trainer: 'external', labels: value } })
        const reports = [{ success: { result: value } }]
        return post(url, REPORT, { input: { taskId: await startExternal(url), reports } })
      }
      expect((await send(LIMITS.jsonDepth)).errors).toBeUndefined()
      // Much deeper than anything could go that calls itself.
      for (const depth of [LIMITS.jsonDepth + 1, 3000])
        expect((await send(depth)).errors).toMatchObject([
          { message: expect.stringMatching(message), extensions: { code: 'BAD_INPUT' } },
        ])
    }
  })

  it('takes names of 128 characters, of whatever length in UTF-16', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const name = '🔥'.repeat(LIMITS.metricNameLength)
    await report(url, taskId, progress({ metrics: { [name]: 1 } }))
    const { message } = await refusal(url, REPORT, {
      input: { taskId, reports: [progress({ metrics: { [`${name}x`]: 1 } })] },
    })
    expect(message).toContain('expected 1 to 128 characters')
    const query =
      'query ($id: ID!, $names: [String!]) { task(id: $id) { series(names: $names) { points { value } } } }'
    const { task } = await run(url, query, { id: taskId, names: [name] })
    expect(task.series).toEqual([{ points: [{ value: 1 }] }])
  })

  it('leaves out metrics beyond the 256 of a report by name, and takes the rest', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const mutation =
      'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted duplicates warnings } }'
    await report(url, taskId, progress({ metrics: { known: 1 } }))
    const input = {
      taskId,
      producer: 'trainer',
      firstSequence: 1,
      reports: [
        progress({ loss: 0.5, metrics: { ...many(10_000), known: 2 } }),
        { epochEnd: { epoch: 1, phase: 'VAL', metrics: many(257) } },
        { roundEnd: { round: 1, fitMetrics: many(256), evalMetrics: many(1) } },
      ],
    }
    const [told] = (await run(url, mutation, { input })).reportMetrics.warnings
    expect(told).toBe(
      'metrics "m255", "m256", "m257", "m258", "m259" and 9740 more left out: reports[0].progress.metrics has 10001 names (and 1 more have too many); expected at most 256',
    )
    // A repeat is recognised by what was sent.
    expect((await run(url, mutation, { input })).reportMetrics).toMatchObject({ accepted: 0, duplicates: 3 })
    const { task } = await run(url, TASK, { id: taskId })
    expect(task).toMatchObject({
      loss: 0.5,
      metrics: { known: 2, m254: 254, val_m255: 255, m255: 255, eval_m0: 0 },
    })
    expect(task.metrics).not.toHaveProperty('m256')
    expect(task.metrics).not.toHaveProperty('val_m256')
  })

  it('leaves out metrics beyond the 1024 of a task by name, and takes the rest', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const names = (from: number, to: number) =>
      Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`m${from + i}`, 1]))
    for (const from of [0, 256, 512, 768])
      await report(url, taskId, progress({ metrics: names(from, from + 256) }))
    const mutation =
      'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted duplicates warnings } }'
    const reports = [
      { progress: { current: 2, loss: 0.5, metrics: { m0: 7, extra: 1 } } },
      { epochEnd: { epoch: 1, phase: 'VAL', metrics: { m1: 8 } } },
      { roundEnd: { round: 1, fitMetrics: { m2: 9 }, evalMetrics: { recall: 1 } } },
    ]
    const input = { taskId, reports, producer: 'trainer', firstSequence: 1 }
    const warnings = [
      'metrics "extra", "val_m1", "eval_recall" left out: the task has 1024 different metrics, and no more are taken',
    ]
    expect((await run(url, mutation, { input })).reportMetrics).toEqual({
      accepted: 3,
      duplicates: 0,
      warnings,
    })
    // A repeat is recognised by what was sent.
    expect((await run(url, mutation, { input })).reportMetrics).toMatchObject({ accepted: 0, duplicates: 3 })
    const { task } = await run(url, TASK, { id: taskId })
    expect(Object.keys(task.metrics)).toHaveLength(1025)
    expect(task).toMatchObject({ current: 2, loss: 0.5, metrics: { loss: 0.5, m0: 7, m1: 1, m2: 9 } })
  })

  it('refuses a report of a task that is unknown, ended, or at a newer attempt', async () => {
    const { url } = await testServer()
    const code = async (input: unknown) => (await refusal(url, REPORT, { input })).extensions.code
    const reports = progressReports(1, 1)
    expect(await code({ taskId: 'nobody', reports })).toBe('TASK_NOT_FOUND')
    const taskId = await startExternal(url)
    expect(await code({ taskId, reports, channelPrefix: 'llm:training' })).toBe('TASK_NOT_FOUND')
    expect(await code({ taskId, reports, channelPrefix: 'secret' })).toBe('CHANNEL_PREFIX_NOT_ALLOWED')
    await run(url, REPORT, { input: { taskId, reports, attempt: 2 } })
    expect(await code({ taskId, reports, attempt: 1 })).toBe('STALE_ATTEMPT')
    await report(url, taskId, { success: {} })
    expect(await code({ taskId, reports })).toBe('TASK_ENDED')
  })

  it('takes a repeated call for what it is, also after the end, and refuses a gap', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const send = async (firstSequence: number, ...reports: unknown[]) =>
      (await run(url, REPORT, { input: { taskId, reports, producer: 'p', firstSequence } })).reportMetrics
    expect(await send(1, ...progressReports(1, 3))).toMatchObject({ accepted: 3, duplicates: 0 })
    const repeated = await send(1, ...progressReports(1, 3))
    expect(repeated).toMatchObject({ accepted: 0, duplicates: 3 })
    expect(await send(3, ...progressReports(3, 5))).toMatchObject({ accepted: 2, duplicates: 1 })
    const gap = await refusal(url, REPORT, {
      input: { taskId, reports: progressReports(9, 9), producer: 'p', firstSequence: 9 },
    })
    expect(gap.extensions).toMatchObject({ code: 'SEQUENCE_GAP', expected: 6 })
    await send(6, { success: {} })
    expect(await send(6, { success: {} })).toMatchObject({ accepted: 0, duplicates: 1 })
    const alone = await refusal(url, REPORT, {
      input: { taskId, reports: progressReports(1, 1), producer: 'p' },
    })
    expect(alone.extensions.code).toBe('BAD_INPUT')
  })

  it('takes every one of 200 calls at once', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => report(url, taskId, { progress: { current: i } })),
    )
    const { task } = await run(
      url,
      'query ($id: ID!) { task(id: $id) { events(first: 1000) { edges { node { __typename } } } } }',
      { id: taskId },
    )
    expect(task.events.edges).toHaveLength(202)
  })
})

describe('a cursor', () => {
  it('is refused when it is garbage, of another task, or in the future', async () => {
    const { url, webSocketUrl } = await testServer()
    const taskId = await startExternal(url)
    const other = await startExternal(url)
    const { cursor } = await report(url, other, ...progressReports(1, 2))
    const mine = (await report(url, taskId, ...progressReports(1, 2))).cursor as string
    const future = mine.replace(/[0-9a-z]+$/, 'zzz')
    const client = webSocketClient(webSocketUrl)
    const code = async (after: string) => {
      const [result] = await collect(client, WATCH, { taskId, after })
      expect(result?.data ?? null).toBeNull()
      // Yoga's hints for HTTP have no business here.
      expect(Object.keys(result?.errors?.[0]?.extensions ?? {}).sort()).toEqual(['code', 'retryable'])
      return result?.errors?.[0]?.extensions.code
    }
    expect(await code('what?')).toBe('BAD_CURSOR')
    expect(await code('x'.repeat(500))).toBe('BAD_CURSOR')
    expect(await code(cursor)).toBe('CURSOR_OF_ANOTHER_TASK')
    expect(await code(future)).toBe('CURSOR_AHEAD')
    const list = await refusal(url, '{ tasks(after: "what?") { edges { cursor } } }')
    expect(list.extensions.code).toBe('BAD_CURSOR')
  })
})

describe('a request', () => {
  it('of 10 MB is refused, with and without its length in front', async () => {
    const { url } = await testServer()
    const body = JSON.stringify({ query: '{ server { version } }', variables: { x: 'y'.repeat(10_000_000) } })
    const headers = { 'content-type': 'application/json' }
    const whole = await fetch(url, { method: 'POST', headers, body })
    expect(whole.status).toBe(413)
    expect(await whole.json()).toMatchObject({ errors: [{ extensions: { code: 'BODY_TOO_LARGE' } }] })
    const chunked = await fetch(url, {
      method: 'POST',
      headers,
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit).catch((error: unknown) => error)
    // The server may hang up before all of it was sent; what counts is that it took no more.
    if (chunked instanceof Response) expect(chunked.status).toBe(413)
    else expect(chunked).toBeInstanceOf(TypeError)
    expect(await run(url, '{ server { version } }')).toHaveProperty('server')
  })

  it.each([
    [
      '42 levels deep',
      // One event a page, so that nothing but its depth is too much.
      `{ task(id: "x") { ${'events(first: 1) { edges { node { ... on StreamOpened { task { '.repeat(10)} id ${'} } } } }'.repeat(10)} } }`,
      /the query's depth is \d+; expected at most 20/,
    ],
    [
      'as costly as it is short',
      '{ tasks(first: 200) { edges { node { events(first: 1000) { edges { node { taskId } } } } } } }',
      /the query's complexity is \d+; expected at most 20000/,
    ],
    [
      'with series of every task',
      '{ tasks(first: 200) { edges { node { series { name } } } } }',
      /the query's complexity is \d+; expected at most 20000/,
    ],
  ])('%s is refused', async (_, query, message) => {
    const { url } = await testServer()
    const { errors } = await post(url, query)
    expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false } }])
    expect(errors?.[0]?.message).toMatch(message)
  })

  it('a document that goes deeper than a parser can is too complex, at every door', async () => {
    const { url, webSocketUrl } = await testServer()
    // Of no more tokens than a document may have.
    const query = `{ a(b: ${'['.repeat(LIMITS.documentTokens - 10)}`
    const get = await fetch(`${url}?${new URLSearchParams({ query })}`, { headers: { accept: '*/*' } })
    const [overSocket] = await collect(webSocketClient(webSocketUrl), query).catch((errors) => [{ errors }])
    for (const { errors } of [await post(url, query), (await get.json()) as Result, overSocket as Result])
      expect(errors).toMatchObject([
        {
          message: 'the document has 4992 brackets within each other; expected at most 64',
          extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false },
        },
      ])
  })

  it('of introspection 100 levels deep is refused', async () => {
    const { url } = await testServer()
    const query = `{ __schema { types { ${'fields { type { '.repeat(50)} name ${'} }'.repeat(50)} } } }`
    const { errors } = await post(url, query)
    expect(errors?.[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX')
  })

  it('with too many tokens is refused', async () => {
    const { url } = await testServer()
    const { errors } = await post(url, `{ server { ${'version '.repeat(6000)} } }`)
    expect(errors?.[0]?.extensions.code).toBe('DOCUMENT_TOO_LARGE')
    expect(errors?.[0]?.message).toBe('the document has 6005 tokens; expected at most 5000')
  })

  it('that is no GraphQL, or does not fit the schema, says so with a code', async () => {
    const { url, webSocketUrl } = await testServer()
    expect((await refusal(url, '{ server {')).extensions.code).toBe('GRAPHQL_PARSE_FAILED')
    expect((await refusal(url, '{ server { nothing } }')).extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
    expect((await refusal(url, START, {})).extensions.code).toBe('BAD_INPUT')
    const client = webSocketClient(webSocketUrl)
    for (const [query, code] of [
      ['{ server {', 'GRAPHQL_PARSE_FAILED'],
      ['{ server { nothing } }', 'GRAPHQL_VALIDATION_FAILED'],
    ]) {
      await expect(collect(client, query as string)).rejects.toMatchObject([{ extensions: { code } }])
    }
    // The socket has survived all of it.
    const [answer] = await collect(client, '{ server { version } }')
    expect(answer?.data.server.version).toBeTypeOf('string')
  })

  it('of a page that is not allowed is refused over HTTP and at the upgrade', async () => {
    const { url, webSocketUrl } = await testServer({ EPOCHCAST_ALLOWED_ORIGINS: 'https://app.example' })
    const ask = (origin: string) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ query: '{ server { version } }' }),
      })
    const connect = (origin: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws', { origin })
        socket.on('open', () => {
          socket.close()
          resolve('open')
        })
        socket.on('error', (error) => resolve(error.message))
      })
    const refused = await ask('https://evil.example')
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'ORIGIN_NOT_ALLOWED' } }] })
    expect(await connect('https://evil.example')).toMatch(/403/)
    expect(await connect('http://localhost:3000')).toMatch(/403/)
    const allowed = await ask('https://app.example')
    expect(allowed.status).toBe(200)
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(await connect('https://app.example')).toBe('open')
  })
})

describe('a socket', () => {
  const open = async (url: string): Promise<{ socket: WebSocket; closed: Promise<[number, string]> }> => {
    const socket = new WebSocket(url, 'graphql-transport-ws')
    const closed = new Promise<[number, string]>((resolve) =>
      socket.on('close', (code, reason) => resolve([code, String(reason)])),
    )
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send('{"type":"connection_init"}')
    await new Promise((resolve) => socket.once('message', resolve))
    return { socket, closed }
  }

  it.each([
    ['that is no JSON', 'query { server }', 4400],
    ['of an unknown type', '{"type":"hello"}', 4400],
    ['without a document', '{"type":"subscribe","id":"1","payload":{}}', 4400],
    ['larger than the bound', `{"type":"ping","payload":{"x":"${'y'.repeat(1_048_576)}"}}`, 1009],
  ])('is closed after a message %s', async (_, message, code) => {
    const { url, webSocketUrl, gauges } = await testServer()
    const { socket, closed } = await open(webSocketUrl)
    socket.send(message)
    expect((await closed)[0]).toBe(code)
    await until('the socket to be gone', () => gauges().sockets === 0)
    expect(await run(url, '{ server { version } }')).toHaveProperty('server')
  })

  it('whose peer is dead is found and freed', async () => {
    const { webSocketUrl, gauges } = await testServer({ EPOCHCAST_KEEP_ALIVE_SECONDS: '1' })
    const dead = new WebSocket(webSocketUrl, 'graphql-transport-ws', { autoPong: false })
    const ended = new Promise<number>((resolve) => dead.on('close', (code) => resolve(code)))
    dead.on('open', () => dead.send('{"type":"connection_init"}'))
    dead.once('message', () => {
      const query = 'subscription { heartbeat { sequence } }'
      dead.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
    })
    const alive = await open(webSocketUrl)
    await until('its subscription', () => gauges().subscriptions === 1)
    expect(await ended).toBe(1006)
    await until('it to be freed', () => gauges().subscriptions === 0)
    // The one that answers pings stays.
    expect(alive.socket.readyState).toBe(WebSocket.OPEN)
    alive.socket.close()
  })

  it('carries only so many operations at a time, and the server only so many subscriptions', async () => {
    const { webSocketUrl, gauges } = await testServer({
      EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET: '2',
      EPOCHCAST_MAX_SUBSCRIPTIONS: '3',
      EPOCHCAST_ADDRESS_SHARE: '1',
    })
    const query = 'subscription { heartbeat { sequence } }'
    const client = webSocketClient(webSocketUrl)
    const watch = (which: typeof client) =>
      which.subscribe({ query }, { next() {}, error() {}, complete() {} })
    const leave = watch(client)
    watch(client)
    await until('two subscriptions', () => gauges().subscriptions === 2)
    await expect(collect(client, query)).rejects.toMatchObject([
      { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } },
    ])
    const second = webSocketClient(webSocketUrl)
    watch(second)
    await until('three subscriptions', () => gauges().subscriptions === 3)
    const [refused] = await collect(second, query)
    expect(refused?.errors?.[0]?.extensions).toMatchObject({
      code: 'TOO_MANY_SUBSCRIPTIONS',
      retryable: true,
    })
    leave()
    await until('a place', () => gauges().subscriptions === 2)
    for await (const result of second.iterate({ query })) {
      expect(result.errors).toBeUndefined()
      break
    }
  })
})
