import { expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import { type Data, report, run, startExternal } from '../support/graphql.ts'
import { until } from '../support/until.ts'

const TASK = /* GraphQL */ `
  query ($id: ID!) {
    task(id: $id) {
      current total progress epoch firstEpoch totalEpochs round totalRounds etaSeconds
      events(first: 100) {
        edges { node {
          ... on ProgressUpdate { total progress }
          ... on EpochStarted { totalEpochs progress }
          ... on EpochEnded { progress }
          ... on RoundEnded { totalRounds progress }
        } }
      }
    }
  }`

describeEngines((open) => {
  const setUp = async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const task = async (): Promise<Data> => (await run(url, TASK, { id })).task
    return { report: (...reports: object[]) => report(url, id, ...reports), task }
  }

  it('steps, epochs and rounds stand beside one another, and events tell the progress after them', async () => {
    const { report, task } = await setUp()
    await report(
      { epochStart: { epoch: 0, totalEpochs: 4 } },
      { epochEnd: { epoch: 0, phase: 'TRAIN', metrics: {} } },
    )
    expect(await task()).toMatchObject({ current: null, progress: 25, epoch: 0, firstEpoch: 0 })
    await report({ progress: { current: 50, total: 100, epoch: 1.25 } }, { roundEnd: { round: 1 } })
    expect(await task()).toMatchObject({ current: 50, total: 100, progress: 50, epoch: 1.25, round: 1 })
    await report({ progress: { current: 60 } }, { progress: { current: 70, total: null } })
    const { events, ...known } = await task()
    expect(known).toMatchObject({
      current: 70,
      total: null,
      progress: 31.25,
      totalEpochs: 4,
      totalRounds: null,
    })
    const nodes = events.edges.map(({ node }: Data) => node)
    expect(nodes.filter((node: object) => 'progress' in node)).toEqual([
      { totalEpochs: 4, progress: 0 },
      { progress: 25 },
      { total: 100, progress: 50 },
      { totalRounds: null, progress: 50 },
      { total: 100, progress: 60 },
      { total: null, progress: 31.25 },
    ])
  })

  it('the time left is told from the second report on, and kept from call to call', async () => {
    const { report, task } = await setUp()
    // Before the first report, from which on the server counts.
    const startedAt = performance.now()
    await report({ progress: { current: 900, total: 1000 } })
    expect(await task()).toMatchObject({ progress: 90, etaSeconds: null })
    for (const current of [910, 920, 930]) {
      const before = performance.now()
      await until('time to pass', () => performance.now() > before + 50)
      await report({ progress: { current } })
    }
    const seconds = (performance.now() - startedAt) / 1000
    const { etaSeconds } = await task()
    expect(etaSeconds).toBeGreaterThan(0.3)
    expect(etaSeconds).toBeLessThan((seconds * 70) / 30 + 0.1)
  })
})
