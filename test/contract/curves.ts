import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Snapshot } from '../../src/event-log/event-log.ts'
import type { Store } from '../../src/event-log/store.ts'
import { SeriesReader } from '../../src/feed/series-reader.ts'
import { decodeIndex, overviewOf } from '../../src/task/curves/curve-index.ts'
import type { MetricSeries } from '../../src/task/curves/point.ts'
import type { SeriesQuery } from '../../src/task/curves/series.ts'
import { LIMITS } from '../../src/task/limits.ts'
import { planReports } from '../../src/task/plan-reports.ts'
import type { Report } from '../../src/task/report.ts'
import type { MetricValue, TaskKey } from '../../src/task/task.ts'
import { Random } from '../soak/random.ts'
import { byIdentity, CurveModel } from '../support/curve-model.ts'
import { testSeed, withSeed } from '../support/seed.ts'
import { append, createTask, NOW, progress, range, specOf, succeeded } from '../support/tasks.ts'
import { taskWriter } from '../support/writer.ts'
import type { StoreFactoryOptions } from './store.ts'

const ALL: SeriesQuery = {
  names: null,
  phase: null,
  member: null,
  from: null,
  to: null,
  maxPoints: Number.POSITIVE_INFINITY,
}

const BATCH = { member: null, producer: null, firstSequence: null, attempt: null }

/** Reports as trainers make them, and as they hardly ever do. */
function randomReports(random: Random, count: number): Report[] {
  const value = (): MetricValue => {
    if (random.chance(0.02)) return random.pick(['NaN', 'Infinity', '-Infinity'] as const)
    return random.chance(0.02) ? 1e6 * random.fraction() : random.fraction()
  }
  const metrics = () =>
    Object.fromEntries(
      ['accuracy', 'grad_norm', 'lr'].filter(() => random.chance(0.7)).map((name) => [name, value()]),
    )
  return range(1, count).map((): Report => {
    const step = random.chance(0.3) ? random.whole(0, 3000) : undefined
    const kind = random.whole(1, 20)
    if (kind === 1) return { epochStart: { epoch: random.whole(0, 9) } }
    if (kind === 2) {
      return {
        epochEnd: {
          epoch: random.whole(0, 9),
          phase: random.pick(['TRAIN', 'VAL', 'TEST']),
          metrics: metrics(),
        },
      }
    }
    if (kind === 3)
      return { roundEnd: { round: random.whole(1, 50), fitMetrics: metrics(), evalMetrics: metrics() } }
    if (kind === 4) return { error: { error: 'lost a worker' } }
    const loss = random.chance(0.5) ? value() : null
    return { progress: { current: step ?? random.whole(0, 3000), loss, metrics: metrics() } }
  })
}

/** What an engine promises of curves; passing it is proof that `series` are whole on it. */
export function curvesContract(open: (options: StoreFactoryOptions) => Promise<Store>): void {
  let store: Store
  /** One that has read before, as a server's has. */
  let reader: SeriesReader
  beforeEach(async () => {
    store = await open({ retainEvents: 20 })
    reader = new SeriesReader(store)
  })
  afterEach(() => store.close())

  /** Bytes of a task's curves as the engine has them. */
  const storedCurves = async (key: TaskKey) => {
    const text = (await store.readCurves(key))?.index ?? ''
    const { through, segments } = decodeIndex(text)
    const names = segments.flatMap(({ name, hasOverview }) => (hasOverview ? [name, overviewOf(name)] : name))
    const stored = await store.readSegments(key, names)
    const bytes = stored.reduce((sum, segment) => sum + (segment?.byteLength ?? 0), 0)
    return { through, index: Buffer.byteLength(text), segments: bytes }
  }

  const readAll = async (key: TaskKey, query: Partial<SeriesQuery> = {}, at?: Snapshot) => {
    const view = at ?? (await store.snapshot(key))
    if (!view) return []
    const found = byIdentity(await new SeriesReader(store).read(view, { ...ALL, ...query }))
    expect(byIdentity(await reader.read(view, { ...ALL, ...query }))).toEqual(found)
    return found
  }

  it('are every point that was ever reported, whoever wrote it, as of any moment', () =>
    withSeed(testSeed, async (seed) => {
      const random = new Random(seed, 'curves')
      const key = await createTask(store)
      const writers = range(1, 3).map(() => taskWriter(store))
      const model = new CurveModel()
      let attempt = 1
      let earlier: { at: Snapshot; series: MetricSeries[] } | undefined
      for (let call = 1; call <= 60; call++) {
        if (random.chance(0.05)) attempt++
        const reports = randomReports(random, random.pick([1, 3, 100, 400]))
        const batch = { ...BATCH, reports, attempt }
        // One writer for a while, so that it folds what it remembers; then another, that must read it first.
        const writer = writers[Math.floor(call / 7) % 3] as (typeof writers)[number]
        const now = NOW + call
        const { decision } = await writer.update(key, (state) => planReports(state, batch, now))
        for (const event of decision.events) model.add(event)
        if (earlier) expect(await readAll(key, {}, earlier.at)).toEqual(byIdentity(earlier.series))
        earlier = undefined
        if (!random.chance(0.2)) continue
        const at = (await store.snapshot(key)) as Snapshot
        earlier = { at, series: model.series }
        expect(await readAll(key)).toEqual(byIdentity(model.series))
      }
      expect(await readAll(key)).toEqual(byIdentity(model.series))
    }))

  describe('changed by an append', () => {
    const change = (through: number, index: string) => ({
      through,
      index,
      put: [
        { name: 'a', bytes: Uint8Array.of(0, 10, 13, 255) },
        { name: 'b', bytes: new Uint8Array(0) },
      ],
      drop: [],
    })

    it('are stored with its events, byte for byte', async () => {
      const key = await createTask(store)
      const { top, state } = (await store.snapshot(key)) as Snapshot
      const request = { expected: top, state, isFinal: false }
      await store.append(key, {
        ...request,
        events: [progress(1), progress(2)],
        curves: change(2, 'index ä'),
      })
      expect(await store.readCurves(key)).toEqual({
        top: { ...top, offset: 3 },
        index: 'index ä',
        entries: [{ offset: 3, event: progress(2) }],
      })
      expect((await store.snapshot(key))?.folded).toBe(2)
      const [a, b, c] = await store.readSegments(key, ['a', 'b', 'c'])
      expect([[...(a ?? [])], b?.length, c]).toEqual([[0, 10, 13, 255], 0, null])
      const dropping = { through: 4, index: 'next', put: [], drop: ['a'] }
      await store.append(key, {
        ...request,
        expected: { ...top, offset: 3 },
        events: [progress(3)],
        curves: dropping,
      })
      expect(await store.readCurves(key)).toMatchObject({ index: 'next', entries: [] })
      expect((await store.readSegments(key, ['a', 'b'])).map((bytes) => bytes?.length ?? null)).toEqual([
        null,
        0,
      ])
    })

    it('stay as they are where the append is refused', async () => {
      const key = await createTask(store)
      const { top, state } = (await store.snapshot(key)) as Snapshot
      await append(store, key, progress(1))
      const request = { expected: top, events: [progress(2)], state, isFinal: false }
      expect(await store.append(key, { ...request, curves: change(2, 'never') })).toEqual({
        kind: 'conflict',
      })
      expect((await store.readCurves(key))?.index).not.toBe('never')
      expect(await store.readSegments(key, ['a'])).toEqual([null])
    })
  })

  it('never lack an event because the log was trimmed: it waits until they have it', async () => {
    const key = await createTask(store)
    const { top, state } = (await store.snapshot(key)) as Snapshot
    const events = range(1, 100).map((i) => progress(i))
    await store.append(key, { expected: top, events, state, isFinal: false })
    expect((await store.readCurves(key))?.entries).toHaveLength(101)
    const expected = { ...top, offset: 101 }
    const curves = { through: 50, index: '', put: [], drop: [] }
    await store.append(key, { expected, events: [progress(101)], state, isFinal: false, curves })
    expect((await store.readCurves(key))?.entries.map(({ offset }) => offset)).toEqual(range(51, 102))
    await append(store, key, progress(102))
    const page = await store.read(key, null, 1000)
    expect(page.kind === 'entries' && page.entries.length).toBe(20)
  })

  it('go with their task, and another of its name begins without them', async () => {
    await store.close()
    store = await open({ retainEvents: 20, retainSeconds: 1 })
    const key = await createTask(store)
    const writer = taskWriter(store)
    const reports = range(1, 1000).map((i) => ({ progress: { current: i, metrics: { loss: i } } }))
    const batch = { ...BATCH, reports }
    await writer.update(key, (state) => planReports(state, batch, NOW))
    await writer.update(key, (state) => planReports(state, { ...batch, reports: reports.slice(0, 100) }, NOW))
    expect((await store.readCurves(key))?.index).toBeTruthy()
    await append(store, key, succeeded())
    await expect
      .poll(
        async () => {
          await store.dropExpired()
          return store.readCurves(key)
        },
        { timeout: 10_000 },
      )
      .toBeNull()
    await createTask(store, { id: key.id })
    expect(await store.readCurves(key)).toMatchObject({ index: null, entries: [{ offset: 1 }] })
  })

  it('of no task are none', async () => {
    const key = specOf()
    expect(await store.readCurves(key)).toBeNull()
    expect(await store.readSegments(key, ['a'])).toEqual([null])
    expect(await store.readSegments(key, [])).toEqual([])
  })

  it('stay within their bytes, however much of these the names of metrics take', async () => {
    const key = await createTask(store)
    const curveBytes = 262_144
    const writer = taskWriter(store, { curveBytes })
    const nameOf = (i: number) => `metric_${i}_`.padEnd(LIMITS.metricNameLength, 'x')
    for (const step of range(1, 200)) {
      const from = 250 * (step % 3)
      const metrics = Object.fromEntries(range(from, from + 249).map((i) => [nameOf(i), Math.sin(step + i)]))
      const batch = { ...BATCH, reports: [{ progress: { current: step, metrics } }] }
      await writer.update(key, (state) => planReports(state, batch, NOW + step))
    }
    const { index, segments, through } = await storedCurves(key)
    expect(through).toBeGreaterThan(150)
    expect(index).toBeGreaterThan(curveBytes / 3)
    expect(index + segments).toBeLessThanOrEqual(curveBytes)
  })

  it('keep spikes, and the first of what is not finite, within their bytes', async () => {
    const key = await createTask(store)
    const curveBytes = 262_144
    const writer = taskWriter(store, { curveBytes })
    const names = range(1, 10).map((i) => `metric_${i}`)
    for (let from = 1; from <= 20_000; from += 1000) {
      const reports = range(from, from + 999).map((step): Report => {
        const odd = ({ 3: 1e6, 4: 'NaN', 5: 'Infinity', 6: '-Infinity' } as const)[step]
        const metrics = Object.fromEntries(names.map((name, i) => [name, odd ?? Math.sin(step / 50 + i)]))
        return { progress: { current: step, metrics } }
      })
      const batch = { ...BATCH, reports }
      await writer.update(key, (state) => planReports(state, batch, NOW + from))
    }
    const { index, segments } = await storedCurves(key)
    expect(index + segments).toBeLessThanOrEqual(curveBytes)
    expect(segments).toBeGreaterThan(curveBytes / 3)
    for (const maxPoints of [50, 500, 5000]) {
      const series = await readAll(key, { maxPoints })
      expect(series.map(({ name }) => name)).toEqual([...names].sort())
      for (const { points } of series) {
        const steps = points.map(({ step }) => step)
        expect(steps.length).toBeLessThanOrEqual(maxPoints)
        expect(steps.length).toBeGreaterThan(0.6 * Math.min(maxPoints, 1000))
        expect(steps).toEqual([...steps].sort((a, b) => a - b))
        expect([steps[0], steps.at(-1)]).toEqual([1, 20_000])
        for (const step of [3, 4, 5, 6]) expect(steps).toContain(step)
      }
    }
    const newest = await readAll(key, { names: new Set(['metric_1']), from: 19_900, to: 20_000 })
    expect(newest[0]?.points.map(({ step }) => step)).toEqual(range(19_900, 20_000))
  })

  it('keep every point while there is room for it, in however small segments the points came', async () => {
    const key = await createTask(store)
    const writer = taskWriter(store, { retainEvents: 2 })
    for (const from of range(0, 599).map((call) => 4 * call + 1)) {
      const reports = range(from, from + 3).map(
        (step): Report => ({ progress: { current: step, loss: step } }),
      )
      await writer.update(key, (state) => planReports(state, { ...BATCH, reports }, NOW + from))
    }
    const [loss] = await readAll(key, { from: 1, to: 2400 })
    expect(loss?.points.map(({ step }) => step)).toEqual(range(1, 2400))
  })
}
