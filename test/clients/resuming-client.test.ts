import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import {
  createResumingClient,
  type ResumingClientOptions,
  type StreamState,
} from '../../clients/typescript/index.ts'
import { freePort } from '../processes/free-port.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { progressReports, report, startExternal, WATCH } from '../support/graphql.ts'
import { serverProcess, testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { FRONT_ENDS, kindsOf, stepsOf, type Watch } from './support/front-ends.ts'
import { startProxy } from './support/proxy.ts'
import { scripted, send } from './support/scripted-server.ts'

const RETRY = { minDelayMs: 2, maxDelayMs: 50 }

function resuming(url: string, options: Partial<ResumingClientOptions> = {}) {
  const states: StreamState[] = []
  const client = createResumingClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retry: RETRY,
    onState: (state) => states.push(state),
    ...options,
  })
  onTestFinished(() => void client.dispose())
  return { client, states, kinds: () => states.map(({ kind }) => kind) }
}

const watchWithGraphqlWs = FRONT_ENDS['graphql-ws']
const NO_AFTER =
  'subscription ($taskId: ID!) { training: trainingProgress(taskId: $taskId, last: 1000) { __typename ... on ProgressUpdate { current } } }'

describe.each(Object.entries(FRONT_ENDS))('%s on a resuming client', (_, watch: Watch) => {
  it('sees every event once and in order, however often its socket is cut', async () => {
    const { url } = await testServer()
    const proxy = await startProxy(url)
    const taskId = await startExternal(url)
    const { client, states, kinds } = resuming(proxy.url)
    const viewing = watch(client, WATCH, { taskId, last: 1000 })
    for (let from = 1; from <= 500; from += 50) {
      await report(url, taskId, ...progressReports(from, from + 49))
      await until('half of it', () => viewing.values.length > from)
      proxy.cut()
    }
    await report(url, taskId, { success: {} })
    expect(await viewing.ended).toBeUndefined()
    expect(stepsOf(viewing)).toEqual(range(1, 500))
    expect(kindsOf(viewing).filter((kind) => kind === 'StreamOpened')).toHaveLength(1)
    expect(kindsOf(viewing).slice(-2)).toEqual(['TrainingSucceeded', 'StreamClosing'])
    expect(kinds()[0]).toBe('connecting')
    expect(kinds()).toContain('reconnecting')
    expect(states.at(-1)).toEqual({ kind: 'ended', cause: undefined })
    expect(kinds().at(-2)).toBe('live')
  })

  it('waits for a server that is not up yet', async () => {
    const port = await freePort()
    const { client, states } = resuming(`http://127.0.0.1:${port}/graphql`)
    const viewing = watch(client, WATCH, { taskId: 'unknown' })
    await until('another try', () => states.length > 3)
    expect(states[2]).toMatchObject({ kind: 'reconnecting', attempt: 2, nextTryAt: expect.any(Number) })
    await testServer({ PORT: `${port}` })
    // What is refused for good ends it.
    const problem = await viewing.ended
    expect(JSON.stringify(problem)).toContain('TASK_NOT_FOUND')
    expect(states.at(-1)).toMatchObject({
      kind: 'ended',
      cause: [{ extensions: { code: 'TASK_NOT_FOUND' } }],
    })
  })

  it('leaves nothing behind where it is left in mid-connect', async () => {
    const server = await testServer()
    const taskId = await startExternal(server.url)
    const { client, states } = resuming(server.url)
    watch(client, WATCH, { taskId }).stop()
    const second = watch(client, WATCH, { taskId })
    await until('the second one', () => second.values.length === 1)
    expect(server.gauges().subscriptions).toBe(1)
    second.stop()
    await until('nobody at the server', () => server.gauges().subscriptions + server.gauges().sockets === 0)
    expect(states.at(-1)).toEqual({ kind: 'ended', cause: undefined })
  })
})

describe('a resuming client', () => {
  it('goes on over a server that is killed, with a document that has no variable for it', async () => {
    const server = await serverProcess({ EPOCHCAST_DATA: dataDirectory() })
    const taskId = await startExternal(server.url)
    await report(server.url, taskId, ...progressReports(1, 30))
    const { client, kinds } = resuming(server.url)
    const viewing = FRONT_ENDS['Apollo Client'](client, NO_AFTER, { taskId })
    await until('the first part', () => stepsOf(viewing).length === 30)
    await server.kill()
    await until('another try', () => kinds().filter((kind) => kind === 'reconnecting').length > 2)
    await server.start()
    await report(server.url, taskId, ...progressReports(31, 60), { success: {} })
    expect(await viewing.ended).toBeUndefined()
    expect(stepsOf(viewing)).toEqual(range(1, 60))
    expect(Object.keys(viewing.values.at(-3)).sort()).toEqual(['__typename', 'current'])
  })

  it('says what it could not have any more, with the task as it is', async () => {
    const { url } = await testServer({ EPOCHCAST_RETAIN_EVENTS: '20' })
    const proxy = await startProxy(url)
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 5))
    const { client } = resuming(proxy.url)
    const viewing = watchWithGraphqlWs(client, WATCH, { taskId, last: 100 })
    await until('the first part', () => stepsOf(viewing).length === 5)
    proxy.hold()
    proxy.cut()
    for (let from = 6; from <= 5000; from += 500)
      await report(url, taskId, ...progressReports(from, from + 499))
    await report(url, taskId, { success: {} })
    proxy.letGo()
    expect(await viewing.ended).toBeUndefined()
    const kinds = kindsOf(viewing)
    const skippedAt = kinds.indexOf('EventsSkipped')
    expect(kinds[skippedAt - 1]).toBe('StreamOpened')
    expect(viewing.values[skippedAt - 1].task.status).toBe('SUCCESS')
    const steps = stepsOf(viewing)
    const { count } = viewing.values[skippedAt]
    expect(steps.slice(0, 5)).toEqual(range(1, 5))
    expect(steps.slice(5)).toEqual(range(5006 - (steps.length - 5), 5005))
    expect(count).toBe(5005 - steps.length)
  })

  it('goes on over the maximum duration without a word', async () => {
    const { url } = await testServer({ EPOCHCAST_MAX_STREAM_SECONDS: '1' })
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 3))
    const { client } = resuming(url)
    const fields = '{ __typename cursor ... on ProgressUpdate { current } }'
    const query = `subscription S { trainingProgress(taskId: "${taskId}", last: 100) ${fields} }`
    const viewing = watchWithGraphqlWs(client, query)
    const socket = await new Promise<WebSocket>((resolve) =>
      client.on('opened', (s) => resolve(s as WebSocket)),
    )
    await new Promise<void>((resolve) =>
      client.on('message', (message) => message.type === 'complete' && resolve()),
    )
    await report(url, taskId, ...progressReports(4, 6), { success: {} })
    expect(await viewing.ended).toBeUndefined()
    expect(stepsOf(viewing)).toEqual(range(1, 6))
    expect(kindsOf(viewing)).not.toContain('StreamTimedOut')
    expect(socket.url).toBe(url.replace('http', 'ws'))
  })

  it('iterates within a bound, without loss', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 300), { success: {} })
    const { client } = resuming(url, { maxBuffered: 10 })
    const steps: number[] = []
    for await (const { data } of client.iterate({ query: WATCH, variables: { taskId, last: 1000 } })) {
      const { __typename, current } = (data as Record<string, Record<string, unknown>>).trainingProgress ?? {}
      if (__typename === 'ProgressUpdate') steps.push(current as number)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(steps).toEqual(range(1, 300))
  })

  it('asks again for states, and for the ends that it missed', async () => {
    const { url } = await testServer()
    const proxy = await startProxy(url)
    const { client, states } = resuming(proxy.url)
    const query = 'subscription ($w: Int) { taskUpdates(finishedWithinSeconds: $w) { id status } }'
    const viewing = watchWithGraphqlWs(client, query, { w: 0 })
    await until('live', () => states.at(-1)?.kind === 'live')
    const taskId = await startExternal(url)
    await until('the task', () => viewing.values.length > 0)
    proxy.hold()
    proxy.cut()
    await report(url, taskId, { success: {} })
    proxy.letGo()
    await until('the end', () => viewing.values.at(-1)?.status === 'SUCCESS')
  })
})

const refusal = (code: string, more = {}) => ({
  message: code,
  extensions: { code, retryable: true, ...more },
})
const event = (id: string, __typename: string, cursor: string) => ({
  id,
  type: 'next',
  payload: { data: { trainingProgress: { __typename, cursor } } },
})

describe('what a server says', () => {
  const QUERY = 'subscription { trainingProgress(taskId: "t") { __typename cursor } }'

  it('is waited out where it may pass, told as an error or in a result, and for as long as it asks', async () => {
    const { url, received } = await scripted([
      (socket, id) => send(socket, { id, type: 'error', payload: [refusal('ENGINE_UNAVAILABLE')] }),
      (socket, id) =>
        send(socket, { id, type: 'error', payload: [refusal('RATE_LIMITED', { retryAfterMs: 300 })] }),
      (socket, id) => {
        send(socket, event(id, 'StreamOpened', 'one'))
        send(socket, event(id, 'EpochStarted', 'two'))
        send(socket, { id, type: 'next', payload: { data: null, errors: [refusal('SHUTTING_DOWN')] } })
        send(socket, { id, type: 'complete' })
      },
      // As a proxy does, and graphql-ws comes back from it at once.
      (socket) => socket.close(1000),
      (socket) => socket.close(4500),
      (socket, id) => {
        send(socket, event(id, 'StreamOpened', 'two'))
        send(socket, event(id, 'StreamInterrupted', 'two'))
        send(socket, event(id, 'TrainingSucceeded', 'three'))
        send(socket, event(id, 'StreamClosing', 'three'))
        send(socket, { id, type: 'complete' })
      },
    ])
    const { client, states } = resuming(url)
    const begun = Date.now()
    const viewing = watchWithGraphqlWs(client, QUERY)
    expect(await viewing.ended).toBeUndefined()
    expect(Date.now() - begun).toBeGreaterThanOrEqual(300)
    expect(kindsOf(viewing)).toEqual([
      'StreamOpened',
      'EpochStarted',
      'StreamInterrupted',
      'TrainingSucceeded',
      'StreamClosing',
    ])
    expect(
      states.map((state) => [state.kind, ...('attempt' in state ? [state.attempt] : [])].join(' ')),
    ).toEqual([
      'connecting',
      'reconnecting 1',
      'reconnecting 2',
      'live',
      'reconnecting 1',
      'reconnecting 1',
      'reconnecting 2',
      'live',
      'interrupted',
      'live',
      'ended',
    ])
    expect(received.map(({ variables }) => variables)).toEqual([
      undefined,
      undefined,
      undefined,
      { epochcastAfter: 'two' },
      { epochcastAfter: 'two' },
      { epochcastAfter: 'two' },
    ])
    expect(received.at(-1)?.query).toBe(
      'subscription($epochcastAfter: Cursor) { trainingProgress(after: $epochcastAfter, taskId: "t") { __typename cursor } }',
    )
  })

  it('ends what is refused for good', async () => {
    const { url } = await scripted([
      (socket, id) =>
        send(socket, { id, type: 'error', payload: [{ message: 'no', extensions: { code: 'BAD_CURSOR' } }] }),
      (socket) => socket.close(4400, 'bad'),
    ])
    const { client } = resuming(url)
    expect(await watchWithGraphqlWs(client, QUERY).ended).toMatchObject([{ message: 'no' }])
    expect(await watchWithGraphqlWs(client, QUERY).ended).toMatchObject({ code: 4400, reason: 'bad' })
  })

  it('about a token is believed at once where there is no other, and after some tries where there are', async () => {
    const refuse = (socket: WebSocket) => socket.close(4403, 'expired')
    const fixed = await scripted([refuse])
    const first = resuming(fixed.url, { connectionParams: { authorization: 'Bearer x' } })
    expect(await watchWithGraphqlWs(first.client, QUERY).ended).toMatchObject({ code: 4403 })
    expect(fixed.received).toHaveLength(1)

    const asked = await scripted(Array.from({ length: 20 }, () => refuse))
    const second = resuming(asked.url, { connectionParams: () => ({ authorization: 'Bearer x' }) })
    expect(await watchWithGraphqlWs(second.client, QUERY).ended).toMatchObject({ code: 4403 })
    expect(asked.received).toHaveLength(6)
  })

  it('to an operation whose token has expired makes it fetch another', async () => {
    const expired = { message: 'expired', extensions: { code: 'UNAUTHENTICATED', retryable: false } }
    const { url, received } = await scripted([
      (socket, id) => send(socket, { id, type: 'error', payload: [expired] }),
      (socket, id) => send(socket, event(id, 'StreamOpened', 'one')),
    ])
    let tokens = 0
    const { client } = resuming(url, { connectionParams: () => ({ authorization: `Bearer ${++tokens}` }) })
    const viewing = watchWithGraphqlWs(client, QUERY)
    await until('the stream', () => viewing.values.length === 1)
    expect(received).toHaveLength(2)
    expect(tokens).toBe(2)
  })

  it('never comes to a mutation twice', async () => {
    const { url, received } = await scripted([(socket) => socket.terminate()])
    const { client } = resuming(url)
    const problem = await watchWithGraphqlWs(client, 'mutation { startTraining(input: {}) { task { id } } }')
      .ended
    expect(problem).toMatchObject({ code: 1006 })
    expect(received).toHaveLength(1)
  })

  it('is left as it is where a document is known by its hash, which then needs to have a cursor', async () => {
    const { url, received } = await scripted([
      (socket, id) =>
        send(socket, {
          id,
          type: 'next',
          payload: { data: { trainingProgress: { __typename: 'StreamOpened' } } },
        }),
    ])
    const { client } = resuming(url)
    const query = 'subscription { trainingProgress(taskId: "t") { __typename } }'
    const ended = new Promise((resolve) =>
      client.subscribe(
        { query, extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } },
        { next: () => {}, error: resolve, complete: () => {} },
      ),
    )
    expect(await ended).toMatchObject({ code: 'CANNOT_RESUME' })
    expect(received[0]?.query).toBe(query)
  })
})
