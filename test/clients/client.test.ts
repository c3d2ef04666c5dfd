import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient as createStockClient } from 'graphql-ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import {
  createClient,
  EpochcastClientError,
  ServerDocument,
  StartTrainingDocument,
  TaskDocument,
  TaskUpdatesDocument,
} from '../../clients/typescript/index.ts'
import { testServer } from '../support/server.ts'
import { startProxy } from './support/proxy.ts'
import { report, startExternal, testClient } from './support/server.ts'

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error,
  )

const answering = (...answers: (() => Response)[]): { calls: RequestInit[]; fetch: typeof fetch } => {
  const calls: RequestInit[] = []
  return {
    calls,
    fetch: async (_url, init = {}) => {
      calls.push(init)
      const answer = answers[Math.min(calls.length, answers.length) - 1]
      return answer?.() ?? expect.unreachable('no response was prepared')
    },
  }
}

const refusal = (code: string, retryable: boolean) => () =>
  Response.json({ errors: [{ message: `refused: ${code}`, extensions: { code, retryable } }] })

const url = 'http://epochcast.test/graphql'

describe('execute', () => {
  it('gives the data of a query without any WebSocket at hand', async () => {
    const client = createClient({ url: (await testServer()).url })
    const data = await client.execute(ServerDocument, {})
    expect(data.server.engine.connected).toBe(true)
  })

  it("throws the server's refusal with its code and all it said", async () => {
    const client = createClient({ url: (await testServer()).url })
    const input = { trainer: 'unknown' }
    const failure = await failureOf(client.execute(StartTrainingDocument, { input }))
    expect(failure).toBeInstanceOf(EpochcastClientError)
    expect(failure).toMatchObject({
      name: 'EpochcastClientError',
      code: 'TRAINER_NOT_FOUND',
      retryable: false,
    })
    const { errors, message } = failure as EpochcastClientError
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ message, path: ['startTraining'] })
  })

  it('tells an unreachable server from an answer that is not GraphQL', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end('<html>not here</html>'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}/graphql`
    const client = createClient({ url: address })
    const notGraphQL = await failureOf(client.execute(ServerDocument, {}))
    expect(notGraphQL).toMatchObject({ code: 'BAD_RESPONSE', retryable: false })
    expect((notGraphQL as Error).message).toContain('404')

    other.closeAllConnections()
    await new Promise((resolve) => other.close(resolve))
    const unreachable = await failureOf(client.execute(ServerDocument, {}))
    expect(unreachable).toMatchObject({ code: 'CONNECTION_FAILED', retryable: true, errors: [] })
    expect((unreachable as Error).message).toContain('ECONNREFUSED')
  })

  it('makes a call once, unless it is told that the call may be repeated', async () => {
    const task = () => Response.json({ data: { task: null } })
    const busy = refusal('ENGINE_UNAVAILABLE', true)
    const once = answering(busy, task)
    const client = createClient({ url, fetch: once.fetch, retry: { minDelayMs: 1 } })
    expect(await failureOf(client.execute(TaskDocument, { id: 't' }))).toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
    })
    expect(once.calls).toHaveLength(1)

    const twice = answering(busy, task)
    const patient = createClient({ url, fetch: twice.fetch, retry: { minDelayMs: 1 } })
    expect(await patient.execute(TaskDocument, { id: 't' }, { attempts: 3 })).toEqual({ task: null })

    const never = answering(busy)
    const tired = createClient({ url, fetch: never.fetch, retry: { minDelayMs: 1 } })
    const failure = await failureOf(tired.execute(TaskDocument, { id: 't' }, { attempts: 3 }))
    expect(failure).toMatchObject({ message: 'gave up after 3 tries: refused: ENGINE_UNAVAILABLE' })
    expect(never.calls).toHaveLength(3)
  })

  it('does not repeat what was refused for good', async () => {
    const { calls, fetch } = answering(refusal('BAD_INPUT', false))
    const client = createClient({ url, fetch })
    await failureOf(client.execute(TaskDocument, { id: 't' }, { attempts: 3 }))
    expect(calls).toHaveLength(1)
  })

  it('asks for the token at each request', async () => {
    const { calls, fetch } = answering(() => Response.json({ data: {} }))
    let count = 0
    const client = createClient({ url, fetch, token: () => `token-${++count}` })
    await client.execute(TaskDocument, { id: 't' })
    await client.execute(TaskDocument, { id: 't' })
    const sent = calls.map(({ headers }) => new Headers(headers).get('authorization'))
    expect(sent).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  it('waits no longer than it may', async () => {
    const fetch: typeof globalThis.fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        const { signal } = init ?? {}
        const abort = () => reject(signal?.reason)
        if (signal?.aborted) abort()
        signal?.addEventListener('abort', abort)
      })
    const client = createClient({ url, fetch, requestTimeoutMs: 10 })
    expect(await failureOf(client.execute(ServerDocument, {}))).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: `cannot reach ${url}: no response in 10 ms`,
    })

    const patient = createClient({ url, fetch })
    const controller = new AbortController()
    const waiting = failureOf(patient.execute(ServerDocument, {}, { signal: controller.signal }))
    controller.abort('left')
    expect(await waiting).toBe('left')
    const disposed = failureOf(patient.execute(ServerDocument, {}))
    await patient.dispose()
    expect(await disposed).toMatchObject({ code: 'CLIENT_DISPOSED' })
  })
})

describe('subscribe', () => {
  it('comes back after a dropped socket, and opens with the present state', async () => {
    const server = await testServer()
    const proxy = await startProxy(server.url)
    const client = testClient(proxy.url)
    const taskId = await startExternal(client)
    const updates = client.subscribe(TaskUpdatesDocument, { filter: { ids: [taskId] } })
    const first = await updates.next()
    expect(first.value?.taskUpdates).toMatchObject({ id: taskId, status: 'QUEUED' })

    proxy.cut()
    const direct = testClient(server.url)
    await report(direct, taskId, { success: { result: 7 } })
    let latest = await updates.next()
    while (latest.value?.taskUpdates.status !== 'SUCCESS') latest = await updates.next()
    expect(latest.value.taskUpdates.result).toBe(7)
    await updates.return?.()
  })

  it('of taskUpdates asks for what has ended since its last value, and so does a stock client by default', async () => {
    const server = await testServer()
    const proxy = await startProxy(server.url)
    const direct = testClient(server.url)
    const taskId = await startExternal(direct)
    // Nothing that had ended before is asked for; what ends meanwhile is told all the same.
    const updates = testClient(proxy.url).subscribe(TaskUpdatesDocument, { finishedWithinSeconds: 0 })
    expect((await updates.next()).value?.taskUpdates.status).toBe('QUEUED')
    const stock = createStockClient({
      url: proxy.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      shouldRetry: () => true,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
    })
    onTestFinished(() => stock.dispose())
    const query = 'subscription { taskUpdates { id status } }'
    const seen = stock.iterate<{ taskUpdates: { status: string } }>({ query })
    expect((await seen.next()).value?.data?.taskUpdates.status).toBe('QUEUED')

    // Both are away when it ends.
    proxy.hold()
    proxy.cut()
    await report(direct, taskId, { success: { result: 7 } })
    proxy.letGo()
    expect((await updates.next()).value?.taskUpdates.status).toBe('SUCCESS')
    expect((await seen.next()).value?.data?.taskUpdates.status).toBe('SUCCESS')
    await updates.return?.()
  })
})
