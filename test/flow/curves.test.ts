import { describe, expect, it } from 'vitest'
import { Random } from '../soak/random.ts'
import { describeEngines } from '../support/engines.ts'
import {
  collect,
  collectSse,
  type Data,
  type Result,
  refusal,
  report,
  run,
  startExternal,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { testSeed, withSeed } from '../support/seed.ts'
import { serverProcess } from '../support/server.ts'
import { range } from '../support/tasks.ts'

const CURVES = /* GraphQL */ `
  query ($id: ID!, $names: [String!], $phase: Phase, $member: String, $from: Float, $to: Float, $maxPoints: Int) {
    task(id: $id) {
      cursor
      series(names: $names, phase: $phase, member: $member, from: $from, to: $to, maxPoints: $maxPoints) {
        name phase member axis points { step epoch value timestamp attempt }
      }
    }
  }`

const curves = async (url: string, id: string, args: Record<string, unknown> = {}): Promise<Data> =>
  (await run(url, CURVES, { id, maxPoints: 5000, ...args })).task

const stepsOf = ({ points }: Data): number[] => points.map(({ step }: Data) => step)

const lossOf = (step: number) => ({ progress: { current: step, total: 1_000_000, loss: 1 / step } })

describeEngines((open) => {
  it('a chart is the same through every door', async () => {
    const { url, webSocketUrl } = await open()
    const id = await startExternal(url)
    await report(url, id, ...range(1, 20).map(lossOf))
    const expected = await curves(url, id)
    expect(stepsOf(expected.series[0])).toEqual(range(1, 20))

    const query = CURVES.replace('query (', 'query Chart(')
    const variables = { id, maxPoints: 5000 }
    const byGet = new URLSearchParams({ query, variables: JSON.stringify(variables) })
    const get = await fetch(`${url}?${byGet}`, { headers: { accept: 'application/json' } })
    // Not as nearly everybody sends it, so that Yoga responds.
    const byYoga = await fetch(`${url}?chart`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    const overSocket = await collect(webSocketClient(webSocketUrl), query, variables)
    const overSse = await collectSse(url, query, variables)
    const results = [await get.json(), await byYoga.json(), ...overSocket, ...overSse] as Result[]
    expect(results.map(({ data }) => data.task)).toEqual([expected, expected, expected, expected])

    const selection =
      'task { cursor series(maxPoints: 5000) { name phase member axis points { step epoch value timestamp attempt } } }'
    const openings = [
      `subscription ($id: ID!) { trainingProgress(taskId: $id) { ... on StreamOpened { ${selection} } } }`,
      `subscription ($id: ID!) { taskUpdates(filter: { ids: [$id] }) { ${selection.slice(7, -2)} } }`,
    ]
    for (const opening of openings) {
      const results = webSocketClient(webSocketUrl).iterate<Data>({ query: opening, variables: { id } })
      const { value: first } = await results.next()
      const { trainingProgress, taskUpdates } = first?.data ?? {}
      expect(trainingProgress?.task ?? taskUpdates).toEqual(expected)
    }
  })

  it('a page that draws and then follows sees no gap and no point twice, while steps come fast', async () => {
    // Trimmed all the time, so that most of it is in the curves alone.
    const { url, webSocketUrl } = await open({ EPOCHCAST_RETAIN_EVENTS: '3000' })
    const id = await startExternal(url)
    let isOver = false
    let reported = 0
    const training = (async () => {
      while (!isOver) {
        const reports = range(reported + 1, reported + 200).map(lossOf)
        await report(url, id, ...reports)
        reported += 200
      }
    })()
    for (let page = 1; page <= 25 || reported <= 10_000; page++) {
      const { cursor, series } = await curves(url, id, { names: ['loss'] })
      if (series.length === 0) continue
      const steps = stepsOf(series[0])
      const last = steps.at(-1) ?? 0
      expect(steps[0]).toBe(1)
      if (last <= 5000) expect(steps).toEqual(range(1, last))
      else expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b))
      const client = webSocketClient(webSocketUrl)
      const live: number[] = []
      const kinds = new Set<string>()
      await collect(client, WATCH, { taskId: id, after: cursor }, ({ data }) => {
        const event = data.trainingProgress
        kinds.add(event.__typename)
        if (event.__typename === 'ProgressUpdate' && live.push(event.current) === 300) client.terminate()
      }).catch(() => {})
      expect(kinds).not.toContain('EventsSkipped')
      expect(live.slice(0, 300)).toEqual(range(last + 1, last + 300))
    }
    isOver = true
    await training
  })

  it('a later attempt replaces what it reports again, and epochs give all series one x', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const of = async (attempt: number, ...reports: unknown[]) => {
      const mutation = 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }'
      await run(url, mutation, { input: { taskId: id, attempt, reports } })
    }
    await of(1, { epochStart: { epoch: 1 } }, ...range(1, 10).map(lossOf))
    await of(
      1,
      { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 0.5 } } },
      { epochStart: { epoch: 2 } },
    )
    await of(1, ...range(11, 20).map(lossOf), {
      epochEnd: { epoch: 2, phase: 'VAL', metrics: { loss: 0.4 } },
    })
    await of(2, { epochStart: { epoch: 2 } }, ...range(11, 14).map(lossOf))
    const { series } = await curves(url, id)
    const points = series[0].points.map(({ step, epoch, attempt }: Data) => [step, epoch, attempt])
    expect(points).toEqual([
      ...range(1, 10).map((step) => [step, 1, 1]),
      ...range(11, 14).map((step) => [step, 2, 2]),
    ])
    expect(series[1]).toMatchObject({ name: 'loss', phase: 'VAL', member: null, axis: 'EPOCH' })
    expect(series[1].points.map(({ step, epoch, attempt }: Data) => [step, epoch, attempt])).toEqual([
      [1, 1, 1],
      [2, 2, 1],
    ])
    // Of an epoch that has a step of its own, that is what counts, so it is another series.
    await of(2, { epochEnd: { epoch: 2, step: 14, phase: 'VAL', metrics: { loss: 0.3 } } })
    const { series: after } = await curves(url, id, { names: ['val_loss'] })
    expect(after.map(({ axis, points }: Data) => [axis, points.at(-1).step])).toEqual([
      ['EPOCH', 2],
      ['STEP', 14],
    ])
  })

  it('steps that go back, stay and jump within an attempt are in the order of the steps, and none is lost', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const steps = [1, 2, 3, 3, 2, 100, 9_007_199_254_740_991, 50]
    for (const [i, step] of steps.entries()) {
      await report(url, id, { progress: { current: 1, step, metrics: { loss: i } } })
    }
    const { series } = await curves(url, id)
    expect(stepsOf(series[0])).toEqual([1, 2, 2, 3, 3, 50, 100, 9_007_199_254_740_991])
    expect(series[0].points.map(({ value }: Data) => value)).toEqual([0, 1, 4, 2, 3, 7, 5, 6])
    const { series: zoomed } = await curves(url, id, { from: 2, to: 50 })
    expect(stepsOf(zoomed[0])).toEqual([2, 2, 3, 3, 50])
    const { series: nothing } = await curves(url, id, { from: 4, to: 49.5 })
    expect(nothing).toEqual([])
  })

  it('an answer has a bound: by default it has fewer points of many series, and more are refused', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const metrics = Object.fromEntries(range(1, 200).map((i) => [`metric_${i}`, i]))
    const reports = range(1, 600).map((current) => ({ progress: { current, metrics } }))
    for (let from = 0; from < 600; from += 50) await report(url, id, ...reports.slice(from, from + 50))
    const { series } = await curves(url, id, { maxPoints: null })
    expect(series).toHaveLength(200)
    expect(Math.max(...series.map(({ points }: Data) => points.length))).toBeLessThanOrEqual(250)
    const { message, extensions } = await refusal(url, CURVES, { id, maxPoints: 500 })
    expect(extensions).toMatchObject({ code: 'ANSWER_TOO_LARGE', retryable: false, max: 50_000 })
    expect(message).toMatch(/ask for a lower maxPoints, or for fewer names/)
  })

  it('the bound holds for series of which thinned parts were read and those that were read whole together', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const metrics = (prefix: string, count: number) =>
      Object.fromEntries(range(1, count).map((i) => [`${prefix}_${i}`, i]))
    const send = async (from: number, to: number, some: object) => {
      const reports = range(from, to).map((current) => ({ progress: { current, metrics: some } }))
      for (let at = 0; at < reports.length; at += 100) await report(url, id, ...reports.slice(at, at + 100))
    }
    await send(1, 600, metrics('early', 80))
    await send(601, 1140, metrics('late', 30))
    const most = await curves(url, id, { maxPoints: 450 })
    const points = (series: Data[]) => series.reduce((sum, { points }) => sum + points.length, 0)
    expect(most.series).toHaveLength(110)
    expect(points(most.series)).toBeLessThanOrEqual(50_000)
    const { extensions } = await refusal(url, CURVES, { id, maxPoints: 600 })
    expect(extensions).toMatchObject({ code: 'ANSWER_TOO_LARGE', max: 50_000 })
  })

  it('every name of the latest metrics can be asked for', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const ends = ['TRAIN', 'VAL', 'TEST'].map((phase) => ({
      epochEnd: { epoch: 1, phase, metrics: { f1: 0.5 } },
    }))
    await report(url, id, ...ends, { roundEnd: { round: 1, evalMetrics: { recall: 0.5 } } })
    const { task } = await run(url, 'query ($id: ID!) { task(id: $id) { metrics } }', { id })
    expect(Object.keys(task.metrics).sort()).toEqual(['eval_recall', 'f1', 'test_f1', 'val_f1'])
    for (const [name, value] of Object.entries(task.metrics)) {
      const { series } = await curves(url, id, { names: [name] })
      expect([name, series.some(({ points }: Data) => points.at(-1).value === value)]).toEqual([name, true])
    }
    for (const names of [['nothing'], ['eval_f1', 'val_recall', 'val_val_f1']]) {
      const { series } = await curves(url, id, { names })
      expect(series).toEqual([])
    }
    // Of a metric whose name has the prefix already there is no other.
    await report(url, id, { epochEnd: { epoch: 2, phase: 'VAL', metrics: { val_f1: 0.6 } } })
    const named = async (name: string) => (await curves(url, id, { names: [name] })).series
    expect((await named('val_f1')).map(({ name }: Data) => name)).toEqual(['f1', 'val_f1'])
    expect(await named('val_val_f1')).toEqual([])
  })

  it('members have series of their own', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const mutation = 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }'
    await report(url, id, lossOf(1))
    for (const member of ['rank0', 'rank1']) {
      await run(url, mutation, { input: { taskId: id, member, reports: [lossOf(2)] } })
    }
    const { series } = await curves(url, id)
    expect(series.map(({ member, points }: Data) => [member, points.length])).toEqual([
      [null, 1],
      ['rank0', 1],
      ['rank1', 1],
    ])
    expect((await curves(url, id, { member: 'rank1' })).series).toHaveLength(1)
  })

  it('1,024 metrics have their curves, and one that appears late begins where it appears', async () => {
    const { url } = await open({ EPOCHCAST_RETAIN_EVENTS: '10' })
    const id = await startExternal(url)
    const names = range(1, 1023).map((i) => `metric_${i}`)
    for (const step of range(1, 30)) {
      // A report has at most 256 names.
      const parts = range(0, 3).map((part) => names.slice(part * 256, (part + 1) * 256))
      const reports = parts.map((part) => ({
        progress: { current: step, metrics: Object.fromEntries(part.map((name) => [name, step])) },
      }))
      if (step === 25) reports.push({ progress: { current: step, metrics: { late: 1 } } })
      await report(url, id, ...reports)
    }
    const { series: all } = await curves(url, id, { maxPoints: null })
    expect(all).toHaveLength(1024)
    const { series } = await curves(url, id, { names: ['metric_1', 'metric_1023', 'late'] })
    expect(series.map(({ name, points }: Data) => [name, points.length])).toEqual([
      ['metric_1', 30],
      ['metric_1023', 30],
      ['late', 1],
    ])
  })
})

describe('a server that is killed', () => {
  it('at any moment leaves no step out of the curves, and none in them twice', () =>
    withSeed(testSeed, async (seed) => {
      const random = new Random(seed, 'kills')
      const redis = await testRedis()
      const env = { REDIS_URL: redis.url, EPOCHCAST_RETAIN_EVENTS: '500' }
      let server = await serverProcess(env)
      const id = await startExternal(server.url)
      const total = 8_000
      let next = 1
      let kills = 0
      const reporting = async () => {
        const mutation =
          'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted duplicates } }'
        while (next <= total) {
          const reports = range(next, Math.min(total, next + 149)).map(lossOf)
          const input = { taskId: id, producer: 'trainer', firstSequence: next, reports }
          try {
            await run(server.url, mutation, { input })
            next += reports.length
          } catch {
            // Killed meanwhile; whether it was taken only the repeat tells.
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
        }
      }
      const reported = reporting()
      while (next <= total && kills < 4) {
        const at = next + random.whole(300, 1800)
        await expect.poll(() => next >= Math.min(at, total), { timeout: 30_000, interval: 1 }).toBe(true)
        await server.kill()
        kills++
        server = await serverProcess(env)
      }
      await reported
      expect(kills).toBeGreaterThan(1)
      for (let from = 1; from <= total; from += 4000) {
        const { series } = await curves(server.url, id, { from, to: from + 3999 })
        expect(stepsOf(series[0])).toEqual(range(from, from + 3999))
      }
    }))
})
