import { expect, it } from 'vitest'
import { teamPython } from '../support/celery.ts'
import { collect, currentsOf, eventsOf, run, TASK, WATCH, webSocketClient } from '../support/graphql.ts'
import { metricsAt } from '../support/metrics.ts'
import { testRedis } from '../support/redis.ts'
import { serverProcess } from '../support/server.ts'
import { until } from '../support/until.ts'

const PUBLISHERS = 10
const MESSAGES = 1000

const metricsOf = (url: string) => metricsAt(url.replace('/graphql', '/metrics'))

it('10,000 messages of ten publishers are an event each, in order, though the server that reports them is killed', {
  timeout: 180_000,
}, async () => {
  const redis = await testRedis()
  const env = { REDIS_URL: redis.url, EPOCHCAST_BRIDGE: 'gan:training', EPOCHCAST_RETAIN_EVENTS: '20000' }
  const first = await serverProcess(env)
  const isActive = async (url: string) => (await metricsOf(url)).get('epochcast_bridge_active') === 1
  await until('the first to be active', () => isActive(first.url))
  const second = await serverProcess(env)

  const ids = Array.from({ length: PUBLISHERS }, (_, i) => `publisher-${i}`)
  const publishers = ids.map((id) => teamPython(['publisher.py', id, `${MESSAGES}`, '0.01'], redis.url))
  const currentOf = async (id: string) => (await run(second.url, TASK, { id })).task?.current ?? 0
  await until('a fifth of it', async () => (await currentOf(ids[0] as string)) > MESSAGES / 5, 60_000)
  await first.kill()
  for (const { ended, printed } of publishers) expect(await ended, printed.err).toBe(0)

  const client = webSocketClient(second.url.replace('http', 'ws'))
  const wanted = Array.from({ length: MESSAGES }, (_, i) => i + 1)
  for (const taskId of ids) {
    await until(
      'its end',
      async () => (await run(second.url, TASK, { id: taskId })).task?.status === 'SUCCESS',
      60_000,
    )
    const events = await collect(client, WATCH, { taskId, last: 10_000 })
    expect(currentsOf(events)).toEqual(wanted)
    expect(eventsOf(events).at(-2)).toMatchObject({ result: { published: MESSAGES } })
  }
  const reported = (await metricsOf(second.url)).get('epochcast_bridge_messages_total{outcome="reported"}')
  expect(reported, 'reported by the second').toBeGreaterThan(PUBLISHERS)
  expect(reported, 'reported by the second').toBeLessThan(PUBLISHERS * MESSAGES)
})
