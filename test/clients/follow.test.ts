import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import {
  type ConnectionChange,
  EpochcastClientError,
  type TrainingProgressEvent,
} from '../../clients/typescript/index.ts'
import type { EpochcastServer } from '../../src/server.ts'
import { currentsIn } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { startProxy } from './support/proxy.ts'
import { progressReports, report, startExternal, testClient } from './support/server.ts'

async function setUp(env: Record<string, string> = {}) {
  const server = await testServer(env)
  const proxy = await startProxy(server.url)
  const direct = testClient(server.url)
  const taskId = await startExternal(direct)
  return { server, proxy, direct, taskId }
}

const hasNobody = ({ gauges }: EpochcastServer): boolean =>
  gauges().subscriptions + gauges().sockets + gauges().feeds === 0

describe('follow', () => {
  it('gives every event once and in order when the socket is cut in mid-burst, again and again', async () => {
    const { proxy, direct, taskId } = await setUp()
    const viewer = testClient(proxy.url)
    const total = 3000
    const reporting = (async () => {
      for (let from = 1; from <= total; from += 50) {
        await report(direct, taskId, ...progressReports(from, from + 49))
      }
      await report(direct, taskId, { success: {} })
    })()

    const events: TrainingProgressEvent[] = []
    const changes: ConnectionChange['kind'][] = []
    const onConnection = ({ kind }: ConnectionChange) => changes.push(kind)
    for await (const event of viewer.follow({ taskId, last: 100_000 }, { onConnection })) {
      events.push(event)
      if (events.length % 400 === 0) proxy.cut()
    }
    await reporting

    expect(currentsIn(events)).toEqual(range(1, total))
    const names = events.map(({ __typename }) => __typename)
    expect(names.filter((name) => name === 'StreamOpened')).toHaveLength(1)
    expect(names[0]).toBe('StreamOpened')
    expect(names.slice(-2)).toEqual(['TrainingSucceeded', 'StreamClosing'])
    expect(changes.filter((kind) => kind === 'lost').length).toBeGreaterThanOrEqual(5)
    expect(changes.at(-1)).toBe('resumed')
    expect(proxy.connections).toBeGreaterThan(5)
  })

  it('loses nothing when its reader is slower than its buffer is large', async () => {
    const { server, direct, taskId } = await setUp()
    const viewer = testClient(server.url, { maxBuffered: 10 })
    await report(direct, taskId, ...progressReports(1, 200), { success: {} })

    const events: TrainingProgressEvent[] = []
    for await (const event of viewer.follow({ taskId, last: 100_000 })) {
      events.push(event)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(currentsIn(events)).toEqual(range(1, 200))
  })

  it('goes on by itself when the server ends a stream at its maximum duration', async () => {
    const { proxy, direct, taskId } = await setUp({ EPOCHCAST_MAX_STREAM_SECONDS: '1' })
    const viewer = testClient(proxy.url)
    await report(direct, taskId, ...progressReports(1, 3))

    const changes: ConnectionChange[] = []
    const events: TrainingProgressEvent[] = []
    const following = (async () => {
      const onConnection = (change: ConnectionChange) => changes.push(change)
      for await (const event of viewer.follow({ taskId, last: 10 }, { onConnection })) events.push(event)
    })()
    await until('the second subscription', () => proxy.connections >= 2)
    await report(direct, taskId, ...progressReports(4, 5), { success: {} })
    await following

    expect(currentsIn(events)).toEqual([1, 2, 3, 4, 5])
    expect(events.some(({ __typename }) => __typename === 'StreamTimedOut')).toBe(false)
    expect(changes).toEqual([])
  })

  it('goes on after a given cursor', async () => {
    const { server, direct, taskId } = await setUp()
    const viewer = testClient(server.url)
    await report(direct, taskId, ...progressReports(1, 10), { success: {} })
    const all: TrainingProgressEvent[] = []
    for await (const event of viewer.follow({ taskId, last: 100 })) all.push(event)
    const seen = all.find((event) => event.__typename === 'ProgressUpdate' && event.current === 6)

    const rest: TrainingProgressEvent[] = []
    for await (const event of viewer.follow({ taskId, after: seen?.cursor, last: 100 })) rest.push(event)
    expect(currentsIn(rest)).toEqual([7, 8, 9, 10])
  })

  it('gives up once its attempts have run out, and says why', async () => {
    const { proxy, taskId } = await setUp()
    const viewer = testClient(proxy.url, { retry: { attempts: 3 } })
    const attempts: number[] = []
    const onConnection = (change: ConnectionChange) => change.kind === 'lost' && attempts.push(change.attempt)
    const events = viewer.follow({ taskId }, { onConnection })
    await events.next()
    await proxy.close()
    const failure = await events.next().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(EpochcastClientError)
    expect(failure).toMatchObject({ code: 'CONNECTION_FAILED', retryable: true })
    expect((failure as Error).message).toMatch(/^gave up after 3 tries: cannot reach ws:.*ECONNREFUSED/)
    expect(attempts).toEqual([1, 2, 3])
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it('fails at once where coming back is of no use', async () => {
    const { server } = await setUp()
    const viewer = testClient(server.url)
    const failure = await viewer
      .follow({ taskId: 'unknown' })
      .next()
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'TASK_NOT_FOUND', retryable: false })
    expect((failure as EpochcastClientError).errors).toHaveLength(1)
  })

  it('ends with the reason of its signal, while it waits, and leaves nothing on the server', async () => {
    const { server, taskId } = await setUp()
    const viewer = testClient(server.url)
    const controller = new AbortController()
    const events = viewer.follow({ taskId }, { signal: controller.signal })
    await events.next()
    const waiting = events.next().catch((error: unknown) => error)
    const reason = new Error('the page was left')
    controller.abort(reason)
    expect(await waiting).toBe(reason)
    await until('nobody at the server', () => hasNobody(server))
  })

  it('can be left while it waits', async () => {
    const { server, taskId } = await setUp()
    const viewer = testClient(server.url)
    const events = viewer.follow({ taskId })
    await events.next()
    const waiting = events.next()
    expect(await events.return?.()).toEqual({ done: true, value: undefined })
    expect(await waiting).toEqual({ done: true, value: undefined })
    await until('nobody at the server', () => hasNobody(server))
  })

  it('ends when the client is disposed', async () => {
    const { server, taskId } = await setUp()
    const viewer = testClient(server.url)
    const events = viewer.follow({ taskId })
    await events.next()
    const waiting = events.next().catch((error: unknown) => error)
    await viewer.dispose()
    expect(await waiting).toMatchObject({ code: 'CLIENT_DISPOSED' })
  })

  it('authenticates, and resumes with the cursor even where the socket closes normally', async () => {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => new Promise<void>((resolve) => sockets.close(() => resolve())))
    await once(sockets, 'listening')
    const received: { type: string; id?: string; payload?: Record<string, unknown> }[] = []
    const event = (name: string, cursor: string) => ({
      data: { trainingProgress: { __typename: name, taskId: 't', timestamp: '', cursor } },
    })
    sockets.on('connection', (socket) => {
      const send = (message: unknown) => socket.send(JSON.stringify(message))
      socket.on('message', (data) => {
        const message = JSON.parse(String(data))
        received.push(message)
        const { id, type } = message
        if (type === 'connection_init') send({ type: 'connection_ack' })
        if (type !== 'subscribe') return
        const isFirst = message.payload.variables.after === undefined
        send({ id, type: 'next', payload: event('StreamOpened', 'start') })
        send({
          id,
          type: 'next',
          payload: isFirst ? event('EpochStarted', 'one') : event('StreamClosing', 'one'),
        })
        if (isFirst) socket.close(1000)
      })
    })
    const { port } = sockets.address() as AddressInfo
    const viewer = testClient(`http://127.0.0.1:${port}/graphql`, { token: async () => 'secret' })
    const names: string[] = []
    for await (const { __typename } of viewer.follow({ taskId: 't', last: 5 })) names.push(__typename)

    expect(names).toEqual(['StreamOpened', 'EpochStarted', 'StreamClosing'])
    const subscriptions = received.filter(({ type }) => type === 'subscribe')
    expect(subscriptions.map(({ payload }) => payload?.variables)).toEqual([
      { taskId: 't', last: 5 },
      { taskId: 't', last: 5, after: 'one' },
    ])
    expect(received[0]).toEqual({ type: 'connection_init', payload: { authorization: 'Bearer secret' } })
  })
})
