import { expect, it } from 'vitest'
import { testClient } from '../clients/support/server.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { redisServer } from '../support/engines.ts'
import { report, startExternal } from '../support/graphql.ts'
import { print } from '../support/output.ts'
import { testRedis } from '../support/redis.ts'
import { serverProcess } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const QUIET = { EPOCHCAST_OUTPUT_QUIET_SECONDS: '0.3' }

/** What a viewer gets that comes back by itself. */
function watching(url: string, taskId: string) {
  const texts: string[] = []
  const watched = (async () => {
    const client = testClient(url, { retry: { attempts: 10_000 } })
    for await (const { text, skip } of client.followOutput({ taskId, last: 1000 }))
      texts.push(skip ? `skipped ${skip.lines}` : text)
  })()
  return { texts, watched }
}

it('a viewer has each line once over a server that is killed and started again with its directory', async () => {
  const server = await serverProcess({ EPOCHCAST_DATA: dataDirectory(), ...QUIET })
  const { url } = server
  const taskId = await startExternal(url)
  const send = (from: number, to: number) =>
    print(url, taskId, range(from, to).map(String), { producer: 'p-1', firstSequence: from })
  await send(1, 100)
  const { texts, watched } = watching(url, taskId)
  await until('the replay', () => texts.length === 100)
  await send(101, 200)
  await server.kill()
  await server.start()
  // Its reply was lost, for all that the sender knows.
  expect(await send(101, 200)).toMatchObject({ accepted: 0, duplicates: 100 })
  await send(201, 300)
  await report(url, taskId, { success: {} })
  await watched
  expect(texts).toEqual(range(1, 300).map(String))
})

it('a viewer has each line once on another server than the trainer, whatever becomes of announcements', async () => {
  const redis = await testRedis()
  const env = { EPOCHCAST_KEY_PREFIX: 'output:', ...QUIET }
  const [one, other] = [await redisServer(redis, env), await redisServer(redis, env)]
  const taskId = await startExternal(one.url)
  const { texts, watched } = watching(other.url, taskId)
  await until('the viewer to be there', () => other.gauges().feeds === 1)
  for (let i = 0; i < 3; i++) {
    await redis.run((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'))
    await print(
      one.url,
      taskId,
      range(1, 20).map((j) => `${20 * i + j}`),
    )
    await until('these lines', () => texts.length === 20 * (i + 1))
  }
  await print(other.url, taskId, ['from here, too'])
  await report(one.url, taskId, { success: {} })
  await watched
  expect(texts).toEqual([...range(1, 60).map(String), 'from here, too'])
  expect(other.gauges().feeds).toBe(0)
}, 60_000)
