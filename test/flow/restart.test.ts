import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testClient } from '../clients/support/server.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { currentsIn, type Data, REPORT, run, START, TASK } from '../support/graphql.ts'
import { serverProcess, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const SERIES = /* GraphQL */ `
  query ($id: ID!) {
    task(id: $id) { series(names: ["loss"], from: 0, to: 5000, maxPoints: 5000) { points { step value } } }
  }`
const END =
  'query ($id: ID!) { task(id: $id) { status events(first: 100) { edges { node { ... on TrainingFailed { errorType } } } } } }'

const trainers = () =>
  trainersFile({ lasts: 'await report({ progress: { current: 1 } })\nsetInterval(() => {}, 1000)' })

describe.each(['SIGTERM', 'SIGKILL'])(
  'a server that %s ends, started again with its data directory',
  (signal) => {
    it('has every task as it was, and its viewers and trainers go on where they were', async () => {
      const server = await serverProcess({
        EPOCHCAST_DATA: dataDirectory(),
        EPOCHCAST_TRAINERS: trainers(),
        EPOCHCAST_RETAIN_EVENTS: '2000',
      })
      const { url } = server
      const start = (input: Data) => run(url, START, { input }).then(({ startTraining }) => startTraining)
      const key = { trainer: 'external', idempotencyKey: 'once' }
      const { id } = (await start(key)).task
      const local = (await start({ trainer: 'lasts' })).task.id
      await until(
        'the local trainer to report',
        async () => (await run(url, TASK, { id: local })).task.current,
      )
      const batch = (from: number, to: number) => ({
        taskId: id,
        producer: 'trainer',
        firstSequence: from,
        reports: range(from, to).map((current) => ({
          progress: { current, metrics: { loss: 1 / current } },
        })),
      })
      const events: Data[] = []
      const watching = (async () => {
        for await (const event of testClient(url, { retry: { attempts: 10_000 } }).follow({
          taskId: id,
          last: 100_000,
        }))
          events.push(event)
      })()
      const half = 1500
      for (let from = 1; from < half; from += 100) await run(url, REPORT, { input: batch(from, from + 99) })
      await until('the viewer to see them', () => currentsIn(events).length === half)

      await (signal === 'SIGTERM' ? server.end() : server.kill())
      await server.start()

      // The answer to the last call was lost, for all the trainer knows.
      const repeated = await run(url, REPORT, { input: batch(half - 99, half) })
      expect(repeated.reportMetrics).toMatchObject({ accepted: 0 })
      expect(await start(key)).toMatchObject({ task: { id } })
      for (let from = half + 1; from < 2 * half; from += 100)
        await run(url, REPORT, { input: batch(from, from + 99) })
      await run(url, REPORT, { input: { taskId: id, reports: [{ success: {} }] } })
      await watching
      expect(currentsIn(events)).toEqual(range(1, 2 * half))
      expect(new Set(events.map(({ __typename }) => __typename))).not.toContain('EventsSkipped')
      const { task } = await run(url, SERIES, { id })
      expect(task.series[0].points.map(({ step }: Data) => step)).toEqual(range(1, 2 * half))

      const { task: ended } = await until('the local trainer to have ended', async () => {
        const found = await run(url, END, { id: local })
        return found.task.status === 'FAILURE' ? found : null
      })
      // Where it had the time, it was ended by the server, which told so.
      const { node } = ended.events.edges.at(-1)
      if (signal === 'SIGKILL') expect(node.errorType).toBe('ServerLost')
      else expect(node.errorType).not.toBe('ServerLost')
      await server.end()
    }, 120_000)
  },
)

it('a viewer is told what a power cut took of reports that were not flushed, and sees all that follows', async () => {
  const path = dataDirectory()
  const server = await serverProcess({ EPOCHCAST_DATA: path, EPOCHCAST_FSYNC: '0' })
  const { url } = server
  const { id } = (await run(url, START, { input: { trainer: 'external' } })).startTraining.task
  const report = (from: number, to: number) =>
    run(url, REPORT, {
      input: { taskId: id, reports: range(from, to).map((current) => ({ progress: { current } })) },
    })
  const events: Data[] = []
  const watching = (async () => {
    const viewer = testClient(url, { retry: { attempts: 10_000 } })
    for await (const event of viewer.follow({ taskId: id, last: 1000 })) events.push(event)
  })()
  await report(1, 100)
  const flushed = readFileSync(join(path, 'data.mdb'))
  await report(101, 150)
  await until('the viewer to see them', () => currentsIn(events).length === 150)
  await server.kill()
  // In its place, as the disk would have it; and the machine is not the one that wrote the rest.
  writeFileSync(join(path, 'data.mdb'), flushed)
  const [inode] = readFileSync(join(path, 'running'), 'utf8').split(' ')
  writeFileSync(join(path, 'running'), `${inode} no-fsync another-boot\n`)
  await server.start()
  await report(201, 300)
  await run(url, REPORT, { input: { taskId: id, reports: [{ success: {} }] } })
  await watching
  expect(currentsIn(events)).toEqual([...range(1, 150), ...range(201, 300)])
  const skipped = events.filter(({ __typename }) => __typename === 'EventsSkipped')
  expect(skipped).toMatchObject([{ count: 50, skipReason: 'LOG_RESET' }])
  await server.end()
}, 60_000)
