import { expect, it } from 'vitest'
import { schema } from '../../src/schema/index.ts'
import { describeEngines, redisServer } from '../support/engines.ts'
import { eventTypes, everyFieldOfEveryEvent } from '../support/every-field.ts'
import {
  CANCEL,
  collect,
  type Data,
  eventsOf,
  kindsOf,
  progressReports,
  REPORT,
  type Result,
  report,
  run,
  startExternal,
  webSocketClient,
} from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** What a person writes first; each of these once needed an alias. */
const PLAIN = /* GraphQL */ `
  subscription ($taskId: ID!, $last: Int) {
    trainingProgress(taskId: $taskId, last: $last) {
      ... on ProgressUpdate { epoch message }
      ... on EpochStarted { epoch }
      ... on StreamOpened { message }
      ... on StreamClosing { reason }
      ... on EventsSkipped { skipReason }
    }
  }`

const REPORTS = [
  { epochStart: { epoch: 1, totalEpochs: 2 } },
  {
    progress: {
      current: 1,
      total: 2,
      epoch: 0.5,
      step: 2 ** 40,
      loss: 0.25,
      metrics: { loss: 0.25 },
      message: 'half',
    },
  },
  { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 0.5 } } },
  { roundEnd: { round: 1, totalRounds: 2, fitMetrics: { loss: 0.5 }, evalMetrics: { f1: 0.75 } } },
  { error: { error: 'a batch was skipped', errorType: 'BadBatch' } },
]

describeEngines((open) => {
  it('one document without an alias has every field of every event, as each event comes', async () => {
    const { url, webSocketUrl } = await open({
      EPOCHCAST_RETAIN_EVENTS: '20',
      EPOCHCAST_MAX_STREAM_SECONDS: '2',
    })
    const client = webSocketClient(webSocketUrl)
    const everything = everyFieldOfEveryEvent(schema)
    const seen = new Map<string, Data>()
    const members = new Set<string | null>()
    const watch = async (taskId: string, replay: { last?: number; after?: string }) => {
      for (const event of eventsOf(await collect(client, everything, { taskId, ...replay }))) {
        seen.set(event.__typename, event)
        if (event.__typename === 'RoundEnded') members.add(event.member)
      }
    }

    const succeeded = await startExternal(url)
    await run(url, REPORT, { input: { taskId: succeeded, reports: REPORTS.slice(1), member: 'rank-1' } })
    await report(url, succeeded, ...REPORTS, { success: { result: { f1: 0.75 } } })
    await watch(succeeded, { last: 20 })

    const sampled = await startExternal(url)
    const system = { metrics: { 'system/cpu_percent': 12.5 } }
    await run(url, REPORT, { input: { taskId: sampled, reports: [{ system }], member: 'node-1' } })
    await run(url, CANCEL, { input: { taskId: sampled } })
    await watch(sampled, { last: 20 })

    const failed = await startExternal(url)
    const { cursor } = (await run(url, REPORT, { input: { taskId: failed, reports: progressReports(1, 1) } }))
      .reportMetrics
    await report(url, failed, ...progressReports(2, 40), { failure: { error: 'it diverged' } })
    await watch(failed, { after: cursor })

    const cancelled = await startExternal(url)
    await run(url, CANCEL, { input: { taskId: cancelled, reason: 'wrong data' } })
    await watch(cancelled, { last: 20 })

    const running = await startExternal(url)
    await report(url, running, ...REPORTS)
    await watch(running, {})

    // StreamInterrupted needs an engine that fails.
    const kinds = eventTypes(schema).filter(({ name }) => name !== 'StreamInterrupted')
    expect([...seen.keys()].sort()).toEqual(kinds.map(({ name }) => name).sort())
    for (const type of kinds) {
      const fields = Object.keys(type.getFields())
      expect(Object.keys(seen.get(type.name)).sort(), type.name).toEqual(['__typename', ...fields].sort())
    }
    expect(members).toEqual(new Set([null, 'rank-1']))
    expect(seen.get('ProgressUpdate')).toMatchObject({ epoch: null, step: null, current: 40 })
    expect(seen.get('EpochStarted')).toMatchObject({ epoch: 1, totalEpochs: 2 })
    expect(seen.get('EventsSkipped')).toMatchObject({ skipReason: 'TRIMMED' })
    expect(seen.get('StreamClosing').reason).toMatch(/ended/)
    expect(seen.get('StreamTimedOut').message).toMatch(/maximum duration/)
  })

  it('the first document that a person writes works', async () => {
    const { url, webSocketUrl } = await open()
    const taskId = await startExternal(url)
    await report(url, taskId, ...REPORTS, { success: {} })
    const results = await collect(webSocketClient(webSocketUrl), PLAIN, { taskId, last: 20 })
    expect(eventsOf(results)).toContainEqual({ epoch: 0.5, message: 'half' })
    expect(eventsOf(results)).toContainEqual({ epoch: 1 })
    expect(eventsOf(results).at(-1)).toEqual({ reason: 'the task ended with SUCCESS' })
  })
})

it('the document has every field of the event that tells of an engine out of reach, too', async () => {
  const redis = await testRedis()
  const { url, webSocketUrl } = await redisServer(redis)
  const taskId = await startExternal(url)
  const results: Result[] = []
  const everything = everyFieldOfEveryEvent(schema)
  const watching = collect(webSocketClient(webSocketUrl), everything, { taskId }, (result) =>
    results.push(result),
  )
  await until('the stream to open', () => results.length > 0)
  await redis.kill()
  await until('the viewer to be told', () => kindsOf(results).includes('StreamInterrupted'))
  expect(eventsOf(results).at(-1)).toMatchObject({
    taskId,
    error: expect.any(String),
    cursor: expect.any(String),
  })
  watching.catch(() => undefined)
})
