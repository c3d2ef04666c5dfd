import { describe, expect, it } from 'vitest'
import { DOORS } from '../support/doors.ts'
import { describeEngines, redisServer } from '../support/engines.ts'
import { progressReports, report, run, START, startExternal, TASK, WATCH } from '../support/graphql.ts'
import { metricsAt } from '../support/metrics.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { testRedis } from '../support/redis.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const metricsOf = (server: { url: string }) => metricsAt(server.url.replace('/graphql', '/metrics'))

describeEngines((open, engine) => {
  it('tell what is open, appended and delivered', async () => {
    const server = await open()
    const { url, webSocketUrl, gauges } = server
    const taskId = await startExternal(url)
    const viewers = [await ProtocolClient.open(webSocketUrl), await ProtocolClient.open(webSocketUrl)]
    for (const viewer of viewers) {
      viewer.subscribe('1', WATCH, { taskId })
      viewer.subscribe('2', 'subscription { heartbeat(intervalMs: 60000) { sequence } }')
    }
    const stream = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: WATCH, variables: { taskId } }),
    })
    await until('the viewers to be live', () => gauges().groups === 1 && gauges().subscriptions === 5)
    const before = await metricsOf(server)
    expect(Object.fromEntries(before)).toMatchObject({
      'epochcast_connections{door="websocket"}': 2,
      'epochcast_connections{door="event_stream"}': 1,
      'epochcast_open_subscriptions{field="trainingProgress"}': 3,
      'epochcast_open_subscriptions{field="heartbeat"}': 2,
      epochcast_feeds: 1,
      epochcast_groups: 1,
      'epochcast_tasks_created_total{launcher="external"}': 1,
      [`epochcast_engine_up{engine="${engine}"}`]: 1,
      epochcast_stopping: 0,
    })
    await report(url, taskId, ...progressReports(1, 10))
    await report(url, taskId, ...progressReports(11, 12))
    await report(url, taskId, { success: {} })
    await until('the ends', () => viewers.every((viewer) => viewer.isComplete('1')))
    await stream.text()
    const after = await metricsOf(server)
    const more = (name: string) => (after.get(name) ?? Number.NaN) - (before.get(name) ?? 0)
    // The first report also says that the task is RUNNING now.
    expect(more('epochcast_events_appended_total')).toBe(14)
    expect(more('epochcast_appends_total')).toBe(3)
    expect(more('epochcast_events_delivered_total')).toBe(3 * 14)
    // One group, and three calls.
    expect(more('epochcast_delivery_lag_seconds_count{since="report"}')).toBe(3)
    expect(more('epochcast_delivery_lag_seconds_bucket{le="+Inf",since="report"}')).toBe(3)
    expect(more('epochcast_delivery_lag_seconds_count{since="announcement"}')).toBe(0)
    expect(more('epochcast_delivery_lag_seconds_sum{since="report"}')).toBeGreaterThan(0)
    expect(more('epochcast_tasks_ended_total{status="SUCCESS"}')).toBe(1)
    expect(after.get('epochcast_open_subscriptions{field="trainingProgress"}')).toBe(0)
    expect(after.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
    expect(after.has('nodejs_eventloop_lag_p99_seconds')).toBe(true)
  })
})

it('tell what was reported to another server as late as it was heard of', async () => {
  const redis = await testRedis()
  const env = { EPOCHCAST_KEY_PREFIX: 'lag:' }
  const [one, other] = [await redisServer(redis, env), await redisServer(redis, env)]
  const taskId = await startExternal(one.url)
  const viewer = await ProtocolClient.open(other.webSocketUrl)
  viewer.subscribe('1', WATCH, { taskId })
  await until('the viewer to be live', () => other.gauges().groups === 1)
  await report(one.url, taskId, ...progressReports(1, 10))
  await until('the events', () => viewer.results('1').length >= 12)
  const count = 'epochcast_delivery_lag_seconds_count'
  const [here, there] = [await metricsOf(one), await metricsOf(other)]
  expect([here.get(`${count}{since="report"}`), here.get(`${count}{since="announcement"}`)]).toEqual([0, 0])
  expect([there.get(`${count}{since="report"}`), there.get(`${count}{since="announcement"}`)]).toEqual([0, 1])
  expect(there.get('epochcast_events_appended_total')).toBe(0)
  expect(there.get('epochcast_events_delivered_total')).toBe(11)
})

describe('refusals are counted by their code, each once,', () => {
  it.each(Object.entries(DOORS))('over %s', async (_, door) => {
    const server = await testServer()
    const refused = await door({ url: server.url }, { query: '{ task(id: "\\u0000") { id } }' })
    expect(refused.errors).toHaveLength(1)
    const again = await door({ url: server.url }, { query: '{ nothing }' })
    expect(again.errors).toHaveLength(1)
    // Also where the refusal was remembered.
    await door({ url: server.url }, { query: '{ nothing }' })
    const metrics = await metricsOf(server)
    const count = (code: unknown) => metrics.get(`epochcast_refusals_total{code="${code}"}`)
    expect(count(refused.errors?.[0]?.extensions.code)).toBe(1)
    expect(count(again.errors?.[0]?.extensions.code)).toBe(2)
  })

  it('before there is an operation', async () => {
    const server = await testServer({ EPOCHCAST_MAX_CONNECTIONS: '10', EPOCHCAST_ADDRESS_SHARE: '0.4' })
    const codes = async () =>
      Object.fromEntries(
        [...(await metricsOf(server))].flatMap(([name, value]) => {
          const [, code] = /^epochcast_refusals_total\{code="(.*)"\}$/.exec(name) ?? []
          return code === undefined ? [] : [[code, value]]
        }),
      )
    await fetch(server.url.replace('/graphql', '/nowhere'))
    await fetch(server.url, { headers: { origin: 'https://evil.example' } })
    await fetch(server.url, { method: 'DELETE' })
    expect(await codes()).toEqual({ NOT_FOUND: 1, ORIGIN_NOT_ALLOWED: 1, BAD_REQUEST: 1 })
    const held = range(1, 5).map(() => new RawConnection(server.url))
    await until('one to be refused', () => held.some(({ text }) => text.includes('TOO_MANY_CONNECTIONS')))
    for (const { socket } of held) socket.destroy()
    // For a moment it may still count those that are gone, and refuse this connection as well.
    const unlessRefused = (error: Error): Record<string, number> => {
      expect(error.message).toMatch(/^503: .*TOO_MANY_CONNECTIONS/)
      return {}
    }
    await until('it to be counted', async () => (await codes().catch(unlessRefused)).TOO_MANY_CONNECTIONS)
  })

  it('on a socket that is closed for them', async () => {
    const server = await testServer({ EPOCHCAST_OPERATIONS_PER_SECOND: '1' })
    const client = await ProtocolClient.open(server.webSocketUrl)
    for (let i = 0; i < 20; i++) client.send({ type: 'ping' })
    await until('it to be closed', () => client.closed === 1013)
    const metrics = await metricsOf(server)
    expect(metrics.get('epochcast_refusals_total{code="RATE_LIMITED"}')).toBe(1)
    expect(metrics.get('epochcast_websockets_closed_total{code="1013"}')).toBe(1)
  })
})

it('launches are counted, and those that could not be', async () => {
  const file = trainersFile(
    { fine: `await report({ success: {} })` },
    { broken: { command: ['/no/such/program'] } },
  )
  const server = await testServer({ EPOCHCAST_TRAINERS: file })
  for (const trainer of ['fine', 'broken']) {
    const { startTraining } = await run(server.url, START, { input: { trainer } })
    await until(
      'its end',
      async () => (await run(server.url, TASK, { id: startTraining.task.id })).task.finishedAt,
    )
  }
  const metrics = await metricsOf(server)
  expect(metrics.get('epochcast_tasks_created_total{launcher="local"}')).toBe(2)
  expect(metrics.get('epochcast_launches_total{launcher="local"}')).toBe(1)
  expect(metrics.get('epochcast_launch_failures_total{launcher="local"}')).toBe(1)
  expect(metrics.get('epochcast_tasks_ended_total{status="SUCCESS"}')).toBe(1)
  expect(metrics.get('epochcast_tasks_ended_total{status="FAILURE"}')).toBe(1)
})

describe('who may read them', () => {
  it('not everybody who reaches a port that others can reach', async () => {
    const { url } = await testServer({ HOST: '0.0.0.0', EPOCHCAST_ALLOW_ANONYMOUS: '1' })
    const refused = await fetch(url.replace('/graphql', '/metrics'))
    expect(refused.status).toBe(403)
    expect(await refused.text()).toMatch(/EPOCHCAST_METRICS_PORT.*FORBIDDEN/)
    const page = await fetch(url.replace('/graphql', '/metrics'), {
      headers: { origin: 'https://evil.example' },
    })
    expect(page.status).toBe(403)
  })

  it('whoever reaches a port of their own, which has nothing else but probes', async () => {
    const { url, metricsUrl, close } = await testServer({
      HOST: '0.0.0.0',
      EPOCHCAST_ALLOW_ANONYMOUS: '1',
      EPOCHCAST_METRICS_PORT: '0',
      EPOCHCAST_STOP_DELAY_SECONDS: '0.5',
    })
    if (!metricsUrl) throw new Error('there is no port')
    expect((await metricsAt(metricsUrl)).get('epochcast_connections{door="websocket"}')).toBe(0)
    expect((await fetch(url.replace('/graphql', '/metrics'))).status).toBe(404)
    const statusOf = async (path: string, init?: RequestInit) =>
      (await fetch(new URL(path, metricsUrl), init)).status
    expect(await Promise.all(['/health', '/ready', '/graphql', '/'].map((path) => statusOf(path)))).toEqual([
      200, 200, 404, 404,
    ])
    expect(await statusOf('/metrics', { method: 'POST' })).toBe(405)
    const closing = close()
    await until('it not to be ready', async () => (await statusOf('/ready')) === 503)
    expect((await metricsAt(metricsUrl)).get('epochcast_stopping')).toBe(1)
    await closing
    await expect(fetch(metricsUrl)).rejects.toThrow()
  })

  it('is told of a port that is in use', async () => {
    const { metricsUrl } = await testServer({ EPOCHCAST_METRICS_PORT: '0' })
    const port = new URL(metricsUrl ?? '').port
    await expect(testServer({ EPOCHCAST_METRICS_PORT: port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
