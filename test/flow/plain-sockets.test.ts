import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { openBrowser } from '../support/browser.ts'
import { describeEngines } from '../support/engines.ts'
import { CANCEL, type Data, progressReports, report, run, startExternal } from '../support/graphql.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { SECRET_ENV, tokenFor } from '../support/tokens.ts'
import { until } from '../support/until.ts'

/** A page's socket: what it is told, and how it ends. */
function pageSocket({ webSocketUrl }: TestServer, path: string) {
  const socket = new WebSocket(new URL(path, webSocketUrl))
  onTestFinished(() => socket.terminate())
  const messages: Data[] = []
  let closed: { code: number; reason: string } | undefined
  let status: number | undefined
  socket.on('message', (data) => messages.push(JSON.parse(String(data))))
  socket.on('close', (code, reason) => {
    closed = { code, reason: String(reason) }
  })
  socket.on('error', () => {})
  socket.on('unexpected-response', (_, response) => {
    status = response.statusCode
    socket.terminate()
  })
  return {
    socket,
    messages,
    has: (count: number) => until(`${count} messages`, () => messages.length >= count),
    closed: () => until('the close', () => closed),
    refused: () => until('the refusal', () => status),
  }
}

describeEngines((open) => {
  it('a page of a relay of progress sees a run as it knows it, to its end', async () => {
    const server = await open()
    const { url, gauges } = server
    const id = await startExternal(url, { machineId: 'motor_1' })
    const page = pageSocket(server, `/ws/gan/training/${id}`)
    await page.has(2)
    expect(page.messages[0]).toMatchObject({
      type: 'connected',
      channel: `gan:training:${id}`,
      message: `watching gan:training:${id}`,
      timestamp: expect.any(String),
    })
    await report(
      url,
      id,
      {
        progress: {
          current: 5,
          total: 10,
          stage: 'training',
          epoch: 1,
          loss: 0.5,
          message: 'half',
          metrics: { lr: 0.1 },
        },
      },
      { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 'NaN' } } },
      { success: { result: { rows: 3 } } },
    )
    expect(await page.closed()).toEqual({ code: 1000, reason: 'the stream is complete' })
    const [running, progress, epochEnd, success, closing] = page.messages.slice(-5)
    expect(running).toMatchObject({ task_id: id, status: 'RUNNING' })
    expect(progress).toMatchObject({
      ...{
        task_id: id,
        timestamp: expect.any(String),
        current: 5,
        total: 10,
        progress: 50,
        status: 'PROGRESS',
      },
      ...{ machine_id: 'motor_1', stage: 'training', epoch: 1, loss: 0.5, message: 'half' },
      metadata: { epoch: 1, loss: 0.5, lr: 0.1 },
    })
    expect(progress).not.toHaveProperty('type')
    expect(epochEnd).toMatchObject({
      status: 'PROGRESS',
      stage: 'epoch_end',
      epoch: 1,
      loss: 'NaN',
      phase: 'VAL',
    })
    expect(success).toMatchObject({ task_id: id, status: 'SUCCESS', progress: 100, result: { rows: 3 } })
    expect(closing).toMatchObject({
      type: 'closing',
      reason: expect.any(String),
      channel: `gan:training:${id}`,
    })
    await until('nothing to be open', () => gauges().subscriptions === 0 && gauges().feeds === 0)
  })

  it('a page that comes before its task waits for it', async () => {
    const server = await open()
    const key = `early-${Math.random()}`
    const id = await startExternal(server.url, { idempotencyKey: key })
    await run(server.url, CANCEL, { input: { taskId: id } })
    await run(server.url, 'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }', { id })
    const page = pageSocket(server, `/ws/tasks/${id}/progress?channel_prefix=gan:training`)
    await page.has(1)
    expect(page.messages[0]).toMatchObject({ type: 'connected', channel: `gan:training:${id}` })
    expect(await startExternal(server.url, { idempotencyKey: key })).toBe(id)
    await page.has(2)
    await report(server.url, id, ...progressReports(1, 3), {
      failure: { error: 'out of memory', errorType: 'OOM' },
    })
    await page.closed()
    expect(page.messages.filter(({ type }) => type === 'connected')).toHaveLength(1)
    expect(page.messages.flatMap(({ current }) => current ?? [])).toEqual([1, 2, 3])
    expect(page.messages.at(-2)).toMatchObject({ status: 'FAILURE', error: 'out of memory' })
  })

  it('pages that come before many trainings begin at once miss nothing of any', async () => {
    const server = await open({ EPOCHCAST_MUTATIONS_PER_SECOND: '10000' })
    const { url } = server
    const all = pageSocket(server, '/ws/metrics')
    const starts = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const idempotencyKey = `early-${Math.random()}`
        const id = await startExternal(url, { idempotencyKey })
        await run(url, CANCEL, { input: { taskId: id } })
        await run(url, 'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }', { id })
        const page = pageSocket(server, `/ws/gan/training/${id}`)
        await page.has(1)
        return { id, idempotencyKey, page }
      }),
    )
    await Promise.all(
      starts.map(async ({ id, idempotencyKey }) => {
        await startExternal(url, { idempotencyKey })
        for (const step of [1, 2, 3]) await report(url, id, ...progressReports(step, step))
        await report(url, id, { success: {} })
      }),
    )
    for (const { id, page } of starts) {
      await page.closed()
      expect(page.messages.flatMap(({ current }) => current ?? [])).toEqual([1, 2, 3])
      expect(page.messages.filter(({ status }) => status === 'SUCCESS')).toHaveLength(1)
      const ofTask = () =>
        all.messages.flatMap(({ data }) => (data?.task_id === id ? (data.current ?? []) : []))
      await until('the last step', () => ofTask().includes(3))
      expect(ofTask()).toEqual([1, 2, 3])
    }
  })

  it('a page of a relay of callbacks sees one training, or all of them', async () => {
    const server = await open()
    const { url } = server
    const first = await startExternal(url)
    const all = pageSocket(server, '/ws/metrics')
    await all.has(2)
    const second = await startExternal(url)
    const one = pageSocket(server, `/ws/metrics?task_id=${second}`)
    await one.has(2)
    const reports = [
      { epochStart: { epoch: 1, totalEpochs: 2 } },
      { epochEnd: { epoch: 1, phase: 'TRAIN', metrics: { loss: 0.5 } } },
      { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 0.6 } } },
      { roundEnd: { round: 1, totalRounds: 3, fitMetrics: { loss: 1 }, evalMetrics: { loss: 2 } } },
    ]
    await report(url, second, ...reports, { failure: { error: 'boom', errorType: 'E' } })
    await one.closed()
    const told = one.messages.filter(({ data }) => data !== undefined).slice(-5)
    expect(told.map(({ type }) => type)).toEqual([
      'epoch_start',
      'epoch_end',
      'epoch_end',
      'round_end',
      'error',
    ])
    expect(told[1]).toMatchObject({
      timestamp: expect.any(String),
      data: { task_id: second, epoch: 1, loss: 0.5 },
    })
    expect(told[2]?.data).toMatchObject({ val_loss: 0.6 })
    expect(told[3]?.data).toMatchObject({ round: 1, total_rounds: 3, loss: 1, eval_loss: 2 })
    expect(told[4]?.data).toMatchObject({ status: 'FAILURE', error: 'boom', message: 'boom' })
    await report(url, first, { progress: { current: 1, loss: 3 } })
    await until('both trainings', () => {
      const ids = new Set(all.messages.map(({ data }) => data?.task_id))
      return ids.has(first) && ids.has(second)
    })
    await until('the loss', () => all.messages.some(({ type, data }) => type === 'status' && data.loss === 3))
    expect(
      all.messages.filter(({ type, data }) => type === 'epoch_end' && data.task_id === second),
    ).toHaveLength(2)
  })
})

describe('a plain socket', () => {
  it('beats every second, and answers the pings of its page', async () => {
    const server = await testServer()
    const page = pageSocket(server, '/ws/heartbeat')
    await page.has(2)
    expect(page.messages[0]).toMatchObject({ type: 'connected', channel: 'heartbeat' })
    expect(page.messages[1]).toMatchObject({ type: 'heartbeat', sequence: 1, engine: { connected: true } })
    page.socket.send('ping')
    page.socket.send('{"type": "ping", "timestamp": 1}')
    page.socket.send('whatever')
    await until('both pongs', () => page.messages.filter(({ type }) => type === 'pong').length === 2)
    page.socket.close()
    await until('it to be gone', () => server.gauges().subscriptions === 0 && server.gauges().sockets === 0)
  })

  it('is told of the maximum duration, also while it waits', async () => {
    const server = await testServer({ EPOCHCAST_MAX_STREAM_SECONDS: '1' })
    const id = await startExternal(server.url)
    for (const path of [`/ws/gan/training/${id}`, '/ws/gan/training/nowhere']) {
      const page = pageSocket(server, path)
      await page.closed()
      expect(page.messages.at(-1)).toMatchObject({ type: 'timeout', message: expect.any(String) })
    }
  })

  it.each([
    ['/ws/', 'NOT_FOUND'],
    ['/ws/x', 'NOT_FOUND'],
    ['/ws/other/prefix/id', 'CHANNEL_PREFIX_NOT_ALLOWED'],
    ['/ws/gan/training/%ff', 'BAD_INPUT'],
    ['/ws/gan/training/id?last=x', 'BAD_INPUT'],
    ['/ws/tasks/id/progress?channel_prefix=x', 'CHANNEL_PREFIX_NOT_ALLOWED'],
  ])('at %s is told %s, and closed for good', async (path, code) => {
    const page = pageSocket(await testServer(), path)
    expect(await page.closed()).toEqual({ code: 1008, reason: code })
    expect(page.messages).toEqual([
      expect.objectContaining({
        type: 'error',
        code,
        message: expect.any(String),
        timestamp: expect.any(String),
      }),
    ])
  })

  it('is for pages of allowed origins, and bearers of tokens, only', async () => {
    const server = await testServer(SECRET_ENV)
    const bearer = await tokenFor(60)
    const { startTraining } = await run(
      server.url,
      'mutation { startTraining(input: { trainer: "external" }) { task { id } } }',
      {},
      bearer,
    )
    const path = `/ws/gan/training/${startTraining.task.id}`
    expect(await pageSocket(server, path).refused()).toBe(401)
    const ticketFor = async (claims: Data) => {
      const headers = { authorization: `Bearer ${await tokenFor(60, claims)}` }
      const response = await fetch(new URL('/ticket', server.url), { method: 'POST', headers })
      return ((await response.json()) as Data).ticket
    }
    const page = pageSocket(server, `${path}?ticket=${await ticketFor({ scope: 'viewer' })}`)
    await page.has(2)
    const blind = pageSocket(server, `${path}?ticket=${await ticketFor({ scope: 'tasks:report' })}`)
    expect(await blind.closed()).toEqual({ code: 1008, reason: 'FORBIDDEN' })
    // Of others there is nothing to be seen, and so it waits.
    const other = pageSocket(
      server,
      `${path}?ticket=${await ticketFor({ scope: 'viewer', task_ids: ['x'] })}`,
    )
    await other.has(1)
    expect(other.messages).toEqual([
      expect.objectContaining({ message: 'waiting for the task to be started' }),
    ])
    const origin = new WebSocket(new URL(path, server.webSocketUrl), { origin: 'https://elsewhere.example' })
    const [, response] = await once(origin, 'unexpected-response')
    expect(response.statusCode).toBe(403)
    origin.on('error', () => {}).terminate()
  })

  it('shares texts with the others of its kind', async () => {
    const server = await testServer()
    const id = await startExternal(server.url)
    const pages = Array.from({ length: 20 }, () => pageSocket(server, `/ws/gan/training/${id}`))
    for (const page of pages) await page.has(2)
    await report(server.url, id, ...progressReports(1, 50))
    for (const page of pages) await until('all of it', () => page.messages.at(-1)?.current === 50)
    expect(server.gauges().groups).toBe(1)
    for (const page of pages) expect(page.messages.flatMap(({ current }) => current ?? [])).toHaveLength(50)
  })
})

it('a page of the old kind works as it is', async () => {
  const server = await testServer({ EPOCHCAST_ALLOWED_ORIGINS: 'loopback' })
  const id = await startExternal(server.url)
  // As such pages are written: one socket, and a switch over what comes.
  const html = `<progress max="100"></progress><p></p><script>
    const socket = new WebSocket('${server.webSocketUrl.replace('/graphql', '')}/ws/gan/training/${id}')
    const [bar, text] = [document.querySelector('progress'), document.querySelector('p')]
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data)
      if (message.type === 'connected') text.textContent = 'connected'
      else if (message.type === 'closing') socket.close()
      else if (message.status === 'SUCCESS') text.textContent = 'done: ' + JSON.stringify(message.result)
      else if (message.status === 'FAILURE') text.textContent = 'failed: ' + message.error
      else if (message.progress != null) { bar.value = message.progress; text.textContent = 'epoch ' + message.metadata.epoch }
    }
  </script>`
  const site = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(html),
  )
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  onTestFinished(() => {
    site.closeAllConnections()
    site.close()
  })
  const page = await (await openBrowser()).newPage()
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`)
  const text = () => page.locator('p').textContent()
  await expect.poll(text).toBe('connected')
  await report(server.url, id, { progress: { current: 1, total: 4, epoch: 3 } })
  await expect.poll(text).toBe('epoch 3')
  expect(await page.locator('progress').getAttribute('value')).toBe('25')
  await report(server.url, id, { success: { result: { f1: 0.9 } } })
  await expect.poll(text).toBe('done: {"f1":0.9}')
})
