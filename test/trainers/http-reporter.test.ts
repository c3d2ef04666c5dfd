import { afterEach, describe, expect, it } from 'vitest'
import { HttpReporter, type HttpReporterOptions } from '../../trainers/http-reporter.ts'
import {
  acceptAndAskToStop,
  type FakeServer,
  fail,
  loseAnswer,
  type Respond,
  startFakeServer,
} from './support/fake-server.ts'

let server: FakeServer | undefined
let reporter: HttpReporter | undefined
let lines: string[] = []

afterEach(async () => {
  await reporter?.close(0)
  await server?.close()
  server = undefined
  lines = []
})

async function setUp(answers: Respond[] = [], options: Partial<HttpReporterOptions> = {}) {
  server = await startFakeServer(...answers)
  reporter = newReporter(server.url, options)
  return { server, reporter }
}

function newReporter(url: string, options: Partial<HttpReporterOptions> = {}): HttpReporter {
  return new HttpReporter({
    url,
    taskId: 'task-1',
    batchIntervalMs: 1,
    minBackoffMs: 1,
    maxBackoffMs: 2,
    log: (line) => lines.push(line),
    ...options,
  })
}

const progress = (current: number) => ({ progress: { current } })

describe('delivery', () => {
  it('sends reports in order, numbered, under the name of one producer', async () => {
    const { server, reporter } = await setUp([], {
      channelPrefix: 'gan:training',
      attempt: 2,
      token: 'secret',
    })
    for (let current = 1; current <= 3; current++) reporter.report(progress(current))
    expect(await reporter.flush(5000)).toBe(true)
    for (let current = 4; current <= 5; current++) reporter.report(progress(current))
    expect(await reporter.close(5000)).toBe(true)

    expect(server.reports().map(({ progress }) => progress?.current)).toEqual([1, 2, 3, 4, 5])
    const inputs = server.requests.map(({ input }) => input)
    expect(new Set(inputs.map(({ producer }) => producer))).toEqual(new Set([reporter.producer]))
    let next = 1
    for (const { firstSequence, reports } of inputs) {
      expect(firstSequence).toBe(next)
      next += reports.length
    }
    expect(inputs[0]).toMatchObject({ taskId: 'task-1', channelPrefix: 'gan:training', attempt: 2 })
    expect(server.requests[0]?.headers.authorization).toBe('Bearer secret')
  })

  it('sends no authorization where it has no token', async () => {
    const { server, reporter } = await setUp()
    reporter.report(progress(1))
    await reporter.close(5000)
    expect(server.requests[0]?.headers.authorization).toBeUndefined()
  })

  it('dates a report when it is made, not when it is sent', async () => {
    const { server, reporter } = await setUp([fail({ code: 'ENGINE_UNAVAILABLE' })])
    reporter.report(progress(1))
    const madeBefore = new Date().toISOString()
    await reporter.close(5000)
    expect(String(server.reports()[0]?.progress?.timestamp) <= madeBefore).toBe(true)
  })

  it('writes values that are not finite as strings', async () => {
    const { server, reporter } = await setUp()
    const metrics = {
      nan: Number.NaN,
      up: Number.POSITIVE_INFINITY,
      down: Number.NEGATIVE_INFINITY,
      loss: 0.5,
    }
    reporter.report({ progress: { current: 1, loss: Number.NaN } })
    reporter.report({ epochEnd: { epoch: 1, phase: 'VAL', metrics } })
    await reporter.close(5000)
    expect(server.reports()[0]?.progress?.loss).toBe('NaN')
    expect(server.reports()[1]?.epochEnd?.metrics).toEqual({
      nan: 'NaN',
      up: 'Infinity',
      down: '-Infinity',
      loss: 0.5,
    })
  })

  it('reports a success without its result where that is too large', async () => {
    const { server, reporter } = await setUp([fail({ code: 'RESULT_TOO_LARGE', retryable: false })])
    reporter.report(progress(1))
    reporter.report({ success: { result: 'x'.repeat(100_000) } })
    expect(await reporter.close(5000)).toBe(true)
    const [refused, accepted] = server.requests.map(({ input }) => input)
    expect(accepted?.firstSequence).toBe(refused?.firstSequence)
    expect(accepted?.reports[0]).toEqual(refused?.reports[0])
    expect(accepted?.reports[1]?.success).toMatchObject({ result: null })
    expect(lines).toEqual(['epochcast: RESULT_TOO_LARGE!; the success is reported without it'])
  })

  it('gives up where even a success without a result is refused so', async () => {
    const tooLarge = fail({ code: 'RESULT_TOO_LARGE', retryable: false })
    const { server, reporter } = await setUp([tooLarge, tooLarge])
    reporter.report({ success: { result: 1 } })
    expect(await reporter.close(5000)).toBe(false)
    expect(server.requests).toHaveLength(2)
  })

  it('keeps each request within 1000 reports and 256 KiB', async () => {
    const { server, reporter } = await setUp()
    for (let current = 1; current <= 2500; current++) reporter.report(progress(current))
    const message = 'ü'.repeat(10_000)
    for (let current = 2501; current <= 2550; current++) reporter.report({ progress: { current, message } })
    expect(await reporter.close(5000)).toBe(true)
    expect(server.requests.map(({ input }) => input.reports.length).slice(0, 2)).toEqual([1000, 1000])
    for (const { body } of server.requests) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(256 * 1024)
    expect(server.reports()).toHaveLength(2550)
  })
})

describe('a server in trouble', () => {
  it.each<[string, Respond]>([
    ['whose answer was lost', loseAnswer],
    ['answered with HTTP 503', (_request, response) => void response.writeHead(503).end('try later')],
    ['answered with a retryable error', fail({ code: 'SOMETHING_NEW', retryable: true })],
    ['answered with ENGINE_UNAVAILABLE', fail({ code: 'ENGINE_UNAVAILABLE' }, 503)],
  ])('gets a request %s again, unchanged', async (_title, trouble) => {
    const { server, reporter } = await setUp([trouble, trouble])
    reporter.report(progress(1))
    await server.received(1)
    // Made while the first request is still unanswered: it must wait for a request of its own.
    reporter.report(progress(2))
    expect(await reporter.close(5000)).toBe(true)

    const bodies = server.requests.map(({ body }) => body)
    expect(bodies).toHaveLength(4)
    expect(new Set(bodies.slice(0, 3)).size).toBe(1)
    expect(server.requests[3]?.input).toMatchObject({
      firstSequence: 2,
      reports: [{ progress: { current: 2 } }],
    })
    expect(lines).toHaveLength(2)
  })

  it('that is down costs the oldest progress and nothing else', async () => {
    const down = await startFakeServer()
    await down.close()
    reporter = newReporter(down.url, { maxBufferedReports: 100 })
    for (let current = 1; current <= 1000; current++) reporter.report(progress(current))
    reporter.report({ success: { result: { final_loss: 1 } } })
    expect(reporter.droppedReports).toBe(901)
    expect(await reporter.close(20)).toBe(false)
    expect(reporter.stopRequested).toBe(false)
    expect(() => reporter?.report(progress(1001))).not.toThrow()
  })

  it('that never answers holds a closing trainer no longer than its deadline', async () => {
    const { server, reporter } = await setUp([() => {}])
    reporter.report(progress(1))
    await server.received(1)
    expect(await reporter.close(10)).toBe(false)
    expect(lines.at(-1)).toContain('1 reports could not be delivered')
  })

  it('that comes back gets what was buffered meanwhile', async () => {
    const { server, reporter } = await setUp(Array.from({ length: 5 }, () => loseAnswer))
    for (let current = 1; current <= 50; current++) reporter.report(progress(current))
    expect(await reporter.flush(5000)).toBe(true)
    const stored = new Map(server.requests.map(({ input }) => [input.firstSequence, input.reports]))
    expect([...stored.values()].flat().map(({ progress }) => progress?.current)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
  })
})

describe('stopping', () => {
  it('is asked for by an answer', async () => {
    const { reporter } = await setUp([acceptAndAskToStop])
    expect(reporter.stopRequested).toBe(false)
    reporter.report(progress(1))
    await reporter.flush(5000)
    expect(reporter.stopRequested).toBe(true)
    reporter.report({ status: { status: 'CANCELLED', message: 'stopped after epoch 1' } })
    expect(await reporter.close(5000)).toBe(true)
  })

  it.each([
    ['TASK_ENDED', true],
    ['STALE_ATTEMPT', true],
    ['BAD_INPUT', false],
    ['TASK_NOT_FOUND', false],
  ])('%s ends the reporting, says so once, and asks the trainer to stop: %s', async (code, stops) => {
    const { server, reporter } = await setUp([fail({ code, retryable: false })])
    reporter.report(progress(1))
    expect(await reporter.flush(5000)).toBe(false)
    for (let current = 2; current <= 10; current++) reporter.report(progress(current))
    expect(await reporter.close(5000)).toBe(false)
    expect(server.requests).toHaveLength(1)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(code)
    expect(reporter.stopRequested).toBe(stops)
    expect(reporter.pendingReports).toBe(0)
  })
})

it('a report that is not JSON is dropped, and training goes on', async () => {
  const { server, reporter } = await setUp()
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  reporter.report({ success: { result: cycle } })
  reporter.report({ success: { result: 1n } })
  reporter.report({ success: {} })
  expect(await reporter.close(5000)).toBe(true)
  expect(server.reports()).toHaveLength(1)
  expect(reporter.droppedReports).toBe(2)
  expect(lines).toHaveLength(1)
})
