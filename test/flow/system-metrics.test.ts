import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import { CANCEL, type Data, post, REPORT, run, START, startExternal, TASK } from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { until } from '../support/until.ts'

const SERIES = /* GraphQL */ `
  query ($id: ID!) { task(id: $id) { status current step progress metrics updatedAt
    series(maxPoints: 5000) { name member axis points { step value timestamp attempt } } } }`

const seriesOf = async (url: string, id: string): Promise<Data[]> =>
  (await run(url, SERIES, { id })).task.series

it('the machine of a local trainer is charted by time, under its name, unless that is off', async () => {
  const trainers = trainersFile(
    {
      busy: 'for (;;) await new Promise((resolve) => setTimeout(resolve, 5))',
      quiet: 'setInterval(() => {}, 9)',
    },
    { quiet: { systemMetrics: false } },
  )
  const { url } = await testServer({
    ...{
      EPOCHCAST_TRAINERS: trainers,
      EPOCHCAST_SYSTEM_METRICS_SECONDS: '0.2',
      EPOCHCAST_KILL_GRACE_SECONDS: '0',
    },
  })
  const start = async (trainer: string): Promise<string> =>
    (await run(url, START, { input: { trainer } })).startTraining.task.id
  const [busy, quiet] = [await start('busy'), await start('quiet')]
  const series = await until('two samples', async () => {
    const found = await seriesOf(url, busy)
    return (found[0]?.points.length ?? 0) >= 2 ? found : null
  })
  expect(series.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['system/cpu_percent', 'system/memory_bytes', 'system/processes']),
  )
  for (const { member, axis, points } of series) {
    expect([member, axis]).toEqual([hostname(), 'TIME'])
    for (const { step, timestamp } of points) expect(step).toBe(Date.parse(timestamp) / 1000)
  }
  expect(await seriesOf(url, quiet)).toEqual([])
  for (const taskId of [busy, quiet]) await run(url, CANCEL, { input: { taskId } })
}, 60_000)

describeEngines((open) => {
  const sample = (url: string, taskId: string, metrics: object, more: object = {}) =>
    post(url, REPORT, {
      input: { taskId, reports: [{ system: { metrics } }], member: 'node-1', ...more },
    })
  const codeOf = async (sent: ReturnType<typeof sample>) => (await sent).errors?.[0]?.extensions.code

  it('a sample is no sign of life, and nothing of how far the task is', async () => {
    const { url } = await open({ EPOCHCAST_STALL_SECONDS: '1' })
    const id = await startExternal(url)
    const input = { taskId: id, reports: [{ progress: { current: 3, total: 10 } }] }
    await run(url, REPORT, { input })
    let sequence = 0
    const stalled = await until('it to be STALLED beside its samples', async () => {
      const more = { producer: 'sampler-1', firstSequence: ++sequence }
      const { errors } = await sample(url, id, { 'system/cpu_percent': sequence }, more)
      expect(errors).toBeUndefined()
      const { task } = await run(url, TASK, { id })
      return task.status === 'STALLED' ? task : null
    })
    expect(stalled).toMatchObject({ current: 3, progress: 30, metrics: {} })
    await sample(url, id, { 'system/cpu_percent': 1 })
    const { task } = await run(url, TASK, { id })
    expect({ ...task, cursor: stalled.cursor }).toEqual(stalled)
    const [series] = (await seriesOf(url, id)).filter(({ axis }) => axis === 'TIME')
    expect(series).toMatchObject({ name: 'system/cpu_percent', member: 'node-1' })
    expect(series.points.length).toBe(sequence + 1)
  })

  it('says what is no sample, and takes none of a task that has ended', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    expect(await codeOf(sample(url, id, { loss: 1 }))).toBe('BAD_METRICS')
    expect(await codeOf(sample(url, id, { 'system/x': 1 }, { member: null }))).toBe('BAD_INPUT')
    await run(url, CANCEL, { input: { taskId: id } })
    expect(await codeOf(sample(url, id, { 'system/x': 1 }))).toBe('TASK_ENDED')
  })

  it('machines and what is sampled of them are bounded, apart from members', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    for (let i = 0; i < 64; i++)
      expect((await sample(url, id, { 'system/x': i }, { member: `node-${i}` })).errors).toBeUndefined()
    expect(await codeOf(sample(url, id, { 'system/x': 1 }, { member: 'one-too-many' }))).toBe(
      'TOO_MANY_MEMBERS',
    )
    const many = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`system/${from + i}`, 1]))
    expect((await sample(url, id, many(0, 255))).errors).toBeUndefined()
    expect(await codeOf(sample(url, id, many(255, 1)))).toBe('TOO_MANY_SERIES')
    const report = { taskId: id, member: 'rank-0', reports: [{ progress: { current: 1, loss: 1 } }] }
    expect((await post(url, REPORT, { input: report })).errors).toBeUndefined()
  })
})
