import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CurveSet,
  type Curves,
  curves,
  type EpochcastClient,
  type ReportInput,
  ReportMetricsDocument,
  TaskSeriesDocument,
  type TrainingProgressEvent,
} from '../../clients/typescript/index.ts'
import { type Point, thinPoints } from '../../clients/typescript/thin-points.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { startProxy } from './support/proxy.ts'
import { progressReports, report, startExternal, testClient } from './support/server.ts'

const anyValue = fc.oneof(
  { weight: 20, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  fc.constantFrom('NaN' as const, 'Infinity' as const, '-Infinity' as const),
)
const anyPoints = fc
  .array(fc.record({ step: fc.integer({ min: 0, max: 5000 }), value: anyValue }), { maxLength: 400 })
  .map((points): Point[] => points.sort((a, b) => a.step - b.step))
const extremes = (points: readonly Point[]) => {
  const finite = points.map(({ value }) => value).filter((value) => typeof value === 'number')
  const first = (kind: string) => points.find(({ value }) => value === kind)
  return [Math.min(...finite), Math.max(...finite), first('NaN'), first('Infinity'), first('-Infinity')]
}

describe('thinning', () => {
  it('keeps a bound, the order, both ends, the extremes and the first of each that is not finite', () => {
    fc.assert(
      fc.property(anyPoints, fc.integer({ min: 7, max: 100 }), (points, max) => {
        const thinned = thinPoints(points, max)
        expect(thinned.length).toBeLessThanOrEqual(max)
        expect(thinned).toEqual(points.filter((point) => thinned.includes(point)))
        expect([thinned[0], thinned.at(-1)]).toEqual([points[0], points.at(-1)])
        expect(extremes(thinned)).toEqual(extremes(points))
        // And once more.
        expect(extremes(thinPoints(thinned, 7))).toEqual(extremes(points))
      }),
    )
  })

  it('uses what room it has, also where steps lie unevenly', () => {
    const even = range(1, 10_000).map((step) => ({ step, value: Math.sin(step) }))
    expect(thinPoints(even, 1000).length).toBeGreaterThan(700)
    const uneven = [...range(1, 5000), 1_000_000].map((step) => ({ step, value: Math.sin(step) }))
    expect(thinPoints(uneven, 1000).length).toBeGreaterThan(500)
  })
})

const progress = (current: number, loss: Point['value'] = 1 / current) =>
  ({
    __typename: 'ProgressUpdate',
    taskId: 't',
    timestamp: '',
    cursor: '',
    current,
    loss,
    metrics: {},
    status: 'RUNNING',
  }) as TrainingProgressEvent
const launched = (attempt: number) =>
  ({
    __typename: 'StatusChanged',
    taskId: 't',
    timestamp: '',
    cursor: '',
    attempt,
    status: 'RUNNING',
    stopRequested: false,
  }) as TrainingProgressEvent

describe('a curve set', () => {
  it('stays within its bound however long a training is, with the spike that there was', () => {
    const set = new CurveSet({}, 100)
    for (const current of range(1, 20_000))
      set.add(progress(current, current === 7000 ? 1e9 : current === 9 ? 'NaN' : 1))
    const [curve] = set.snapshot()
    expect(curve?.points.length).toBeLessThanOrEqual(100)
    expect(
      curve?.points.filter(({ value }) => value === 1e9 || value === 'NaN').map(({ step }) => step),
    ).toEqual([9, 7000])
    expect([curve?.points[0]?.step, curve?.points.at(-1)?.step]).toEqual([1, 20_000])
  })

  it('gives the same curve for as long as nothing is added to it', () => {
    const set = new CurveSet({ names: ['loss'] })
    set.add(progress(1))
    const before = set.snapshot()
    expect(set.add(launched(1))).toBe(false)
    expect(set.snapshot()).toBe(before)
    set.add(progress(2))
    expect(before[0]?.points).toHaveLength(1)
    expect(set.snapshot()[0]?.points).toHaveLength(2)
  })

  it('has the bounds of the API', () => {
    expect(() => new CurveSet({}, 9)).toThrow('maxPoints is 9; expected from 10 to 5000')
    expect(() => new CurveSet({}, 5001)).toThrow('maxPoints is 5001')
    expect(() => [new CurveSet({}, 10), new CurveSet({}, 5000)]).not.toThrow()
  })
})

async function last(
  stream: AsyncIterable<Curves>,
  onEach: (curves: Curves) => void = () => {},
): Promise<Curves> {
  let newest: Curves | undefined
  for await (newest of stream) onEach(newest)
  return newest ?? expect.unreachable('no curves came')
}

/** Beside what a live viewer has, what the server tells afterwards. */
async function stored(client: EpochcastClient, id: string) {
  const { task } = await client.execute(TaskSeriesDocument, { id, maxPoints: 1000 })
  return task?.series.map((series) => ({ phase: null, member: null, ...series })) ?? []
}

const ordered = <T extends { name: string; phase?: unknown; member?: unknown }>(series: readonly T[]): T[] =>
  [...series].sort((a, b) =>
    JSON.stringify([a.name, a.phase, a.member]).localeCompare(JSON.stringify([b.name, b.phase, b.member])),
  )

describe('curves', () => {
  const LIFE: ReportInput[] = [
    { epochStart: { epoch: 1, totalEpochs: 3 } },
    { progress: { current: 1, loss: 0.5, metrics: { accuracy: 0.1 } } },
    { progress: { current: 2, loss: 'NaN' } },
    { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 0.7 }, step: 2 } },
    { epochStart: { epoch: 2 } },
    { progress: { current: 3, loss: 0.3, step: 30 } },
    { progress: { current: 2, loss: 0.4 } },
    { roundEnd: { round: 1, fitMetrics: { loss: 1 }, evalMetrics: { loss: 2 } } },
    { epochEnd: { epoch: 2, phase: 'TEST', metrics: { f1: 'Infinity' } } },
  ]
  const SECOND: ReportInput[] = [
    { progress: { current: 2, loss: 9 } },
    { progress: { current: 4, loss: 8, epoch: 2.5 } },
    { epochStart: { epoch: 3 } },
    { progress: { current: 1, loss: 7 } },
  ]

  it.each([0, 4, 9])(
    'are what the server has, joined live after %d reports, over an attempt that is tried again',
    async (before) => {
      const { url } = await testServer()
      const proxy = await startProxy(url)
      const direct = testClient(url)
      const taskId = await startExternal(direct)
      await report(direct, taskId, ...LIFE.slice(0, before))
      const isLive = { yet: false }
      const watching = last(curves(testClient(proxy.url), { taskId }), () => {
        isLive.yet = true
      })
      await until('the viewer', () => isLive.yet)
      await report(direct, taskId, ...LIFE.slice(before))
      await report(direct, taskId, { progress: { current: 7, loss: 0.1 } })
      proxy.cut()
      const { execute } = direct
      await execute(ReportMetricsDocument, { input: { taskId, attempt: 2, reports: SECOND } })
      await execute(ReportMetricsDocument, {
        input: { taskId, attempt: 2, member: 'rank-1', reports: [{ progress: { current: 1, loss: 5 } }] },
      })
      await execute(ReportMetricsDocument, { input: { taskId, attempt: 2, reports: [{ success: {} }] } })
      const seen = await watching
      expect(ordered(seen.curves)).toEqual(ordered(await stored(direct, taskId)))
      expect(seen.task).toMatchObject({ status: 'SUCCESS', attempt: 2, loss: 7 })
      expect(seen.curves.length).toBeGreaterThan(5)
    },
  )

  it('are read again where events were skipped, and have no gap', async () => {
    const { url } = await testServer({ EPOCHCAST_RETAIN_EVENTS: '20' })
    const proxy = await startProxy(url)
    const direct = testClient(url)
    const taskId = await startExternal(direct)
    await report(
      direct,
      taskId,
      ...progressReports(1, 5).map(({ progress }) => ({ progress: { ...progress, loss: 1 } }) as ReportInput),
    )
    let points = 0
    const watching = last(
      curves(testClient(proxy.url), { taskId, maxPoints: 5000, names: ['loss'] }),
      ({ curves: [curve] }) => {
        points = curve?.points.length ?? 0
      },
    )
    await until('the first points', () => points === 5)
    proxy.hold()
    proxy.cut()
    for (let from = 6; from <= 3005; from += 1000) {
      await report(
        direct,
        taskId,
        ...range(from, from + 999).map(
          (current) => ({ progress: { current, loss: current } }) as ReportInput,
        ),
      )
    }
    await report(direct, taskId, { success: {} })
    proxy.letGo()
    const { curves: all } = await watching
    expect(all[0]?.points.map(({ step }) => step)).toEqual(range(1, 3005))
  })

  it('can be left while they wait, and leave nothing at the server', async () => {
    const server = await testServer()
    const client = testClient(server.url)
    const taskId = await startExternal(client)
    const stream = curves(client, { taskId })
    await stream.next()
    const waiting = stream.next()
    await stream.return?.()
    expect((await waiting).done).toBe(true)
    await until('nobody at the server', () => server.gauges().subscriptions === 0)
    const controller = new AbortController()
    const aborted = last(curves(client, { taskId }, { signal: controller.signal }), () =>
      controller.abort('left'),
    )
    await expect(aborted).rejects.toBe('left')
  })

  it('of a task that there is not are refused', async () => {
    const client = testClient((await testServer()).url)
    await expect(last(curves(client, { taskId: 'unknown' }))).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
    })
  })
})
