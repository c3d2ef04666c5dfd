import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const start = 'mutation { startTraining(input: { trainer: "external" }) { task { id } } }'
const REPORT = 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }'
/** As many as may come at once, by the bound below. */
const reportsOf = (taskId: string) => ({
  input: { taskId, reports: Array.from({ length: 1000 }, () => ({ progress: { current: 1 } })) },
})

/** Over the fast path, and by way of Yoga. */
const WAYS = ['', '?']
const TYPES = ['application/json', 'application/graphql-response+json']

async function ask(url: string, body: object, accept: string) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
  })
  const { data, errors } = (await response.json()) as Record<string, never>
  return { status: response.status, retryAfter: response.headers.get('retry-after'), data, errors }
}

describe('a refusal while an operation runs', () => {
  it.each(WAYS.flatMap((way) => TYPES.map((type) => [way, type])))(
    'tells by its status when to try again, over %j and in %s',
    async (way, type) => {
      const { url } = await testServer({
        EPOCHCAST_MAX_TASKS_PER_ADDRESS: '1',
        EPOCHCAST_TASK_REPORTS_PER_SECOND: '10',
      })
      const taskId = await startExternal(url)
      const full = await ask(url + way, { query: start }, type)
      expect(full).toMatchObject({ status: 503, retryAfter: '10' })
      expect(full.errors).toMatchObject([
        { extensions: { code: 'TOO_MANY_TASKS', retryable: true, retryAfterMs: 10_000 } },
      ])
      expect(full.errors?.[0]).not.toHaveProperty('extensions.http')

      const call = { query: REPORT, variables: reportsOf(taskId) }
      expect((await ask(url + way, call, type)).status).toBe(200)
      const rate = await ask(url + way, call, type)
      expect(rate).toMatchObject({ status: 429, retryAfter: expect.stringMatching(/^\d+$/) })
      expect(rate.errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', retryable: true } }])
    },
  )

  it('is told at the doors without GraphQL, too', async () => {
    const { url, webSocketUrl } = await testServer({
      EPOCHCAST_TASK_REPORTS_PER_SECOND: '1',
      EPOCHCAST_MAX_TASKS_PER_ADDRESS: '1',
    })
    const taskId = await startExternal(url)
    await ask(url, { query: REPORT, variables: reportsOf(taskId) }, 'application/json')
    const status = await fetch(new URL(`/kubeflow/gan:training/${taskId}`, url), {
      method: 'POST',
      body: '{"trainerStatus":{"progressPercentage":1}}',
    })
    expect([status.status, status.headers.get('retry-after')]).toEqual([429, expect.any(String)])
    const { errors } = (await status.json()) as { errors: { extensions: object }[] }
    expect(errors[0]?.extensions).not.toHaveProperty('http')

    // Another task than there may be.
    const socket = new WebSocket(new URL('/ws/ingest?ack=true', webSocketUrl))
    const told: string[] = []
    socket.on('message', (data) => told.push(String(data)))
    socket.on('open', () => socket.send('{"type":"epoch_start","data":{"epoch":1}}'))
    await until('the refusal', () => told.length > 0)
    socket.terminate()
    const refusal = JSON.parse(told[0] as string)
    expect(refusal).toMatchObject({
      type: 'error',
      code: 'TOO_MANY_TASKS',
      retryable: true,
      retryAfterMs: 10_000,
    })
    expect(refusal).not.toHaveProperty('http')
  })
})
