import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { freePort } from '../processes/free-port.ts'
import { endWithUs } from '../processes/lifetime.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { describeEngines, isReady, redisServer } from '../support/engines.ts'
import {
  progressReports,
  report,
  run,
  START,
  startExternal,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { testRedis } from '../support/redis.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

/** The rest of a request for a WebSocket. */
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

/** Whether the port takes connections. */
async function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  return once(socket, 'connect').then(
    () => {
      socket.destroy()
      return true
    },
    () => false,
  )
}

const at = (url: string, path: string) => url.replace('/graphql', path)

describe('a server that is told to stop', () => {
  it('is not ready for a time, serves whoever still comes, and keeps no connection for later', async () => {
    const { url, close } = await testServer({ EPOCHCAST_STOP_DELAY_SECONDS: '2' })
    expect(await isReady({ url })).toBe(true)
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const connectionOf = async (): Promise<string | undefined> => {
      const sent = request(at(url, '/health'), { agent }).end()
      const [response] = await once(sent, 'response')
      response.resume()
      await once(response, 'end')
      return response.headers.connection
    }
    expect(await connectionOf()).toBe('keep-alive')
    const closing = close()
    await until('the server not to be ready', async () => !(await isReady({ url })))
    expect(await connectionOf()).toBe('close')
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 1))
    await closing
    await expect(fetch(at(url, '/health'))).rejects.toThrow()
  })

  it('closes sockets with a code on which clients come back, and takes no new ones', async () => {
    const { url, webSocketUrl, close, gauges } = await testServer({ EPOCHCAST_DRAIN_SECONDS: '1' })
    const taskId = await startExternal(url)
    const codes: number[] = []
    const clients = Array.from({ length: 30 }, () => {
      const client = webSocketClient(webSocketUrl)
      client.on('closed', (event) => codes.push((event as { code: number }).code))
      client.subscribe({ query: WATCH, variables: { taskId } }, { next() {}, error() {}, complete() {} })
      return client
    })
    await until('the viewers to be there', () => gauges().subscriptions === clients.length)
    await close()
    expect(codes).toEqual(clients.map(() => 1001))
    expect(gauges()).toMatchObject({ sockets: 0, subscriptions: 0, feeds: 0, connections: 0 })
    const late = new WebSocket(webSocketUrl, 'graphql-transport-ws')
    const [error] = await once(late, 'error')
    expect(error.code).toBe('ECONNREFUSED')
  })

  it('refuses an upgrade on a connection that was there before, with a word', async () => {
    const { url, close } = await testServer()
    const connection = new RawConnection(url).write('GET /graphql HTTP/1.1\r\nHost: localhost\r\n')
    await until('the connection to be there', () => connection.socket.readyState === 'open')
    const closing = close()
    await until('the port to be closed', async () => !(await accepts(url)))
    connection.write(UPGRADE)
    await until('the refusal', () => /^HTTP\/1\.1 503 .*SHUTTING_DOWN/s.test(connection.text))
    await closing
  })

  it('cuts event streams, so that no client takes them for complete', async () => {
    const { url, close, gauges } = await testServer()
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 3))
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: WATCH, variables: { taskId, last: 10 } }),
    })
    await until('the stream to be open', () => gauges().subscriptions === 1)
    const [text] = await Promise.allSettled([response.text(), close()])
    expect(text).toMatchObject({ status: 'rejected', reason: { message: 'terminated' } })
    expect(gauges()).toMatchObject({ subscriptions: 0, feeds: 0 })
  })
})

/** One step after the other, each on a connection of its own, until there is no answer; returns the last that was answered. */
async function reportUntilClosed(url: string, taskId: string): Promise<number> {
  for (let step = 1; ; step++) {
    const outcome = await report(url, taskId, ...progressReports(step, step)).catch((error: Error) => error)
    if (!(outcome instanceof Error)) continue
    // By the system: the port is closed, or was when the connection waited to be accepted.
    expect((outcome.cause as NodeJS.ErrnoException).code).toMatch(/^ECONN(REFUSED|RESET)$/)
    return step - 1
  }
}

describeEngines(
  (open, engine) => {
    it('serves what comes until its port is closed, and answers whatever it takes', async () => {
      const store =
        engine === 'redis' ? { EPOCHCAST_KEY_PREFIX: 'stopping:' } : { EPOCHCAST_DATA: dataDirectory() }
      const first = await open({ ...store, EPOCHCAST_STOP_DELAY_SECONDS: '0.2' })
      const ids = await Promise.all(range(1, 4).map(() => startExternal(first.url)))
      const trainers = ids.map((id) => reportUntilClosed(first.url, id))
      const currents = async (url: string): Promise<number[]> =>
        Promise.all(ids.map(async (id) => (await run(url, TASK, { id })).task.current ?? 0))
      await until('some reports', async () => Math.min(...(await currents(first.url))) > 3)
      await first.close()
      const answered = await Promise.all(trainers)
      const second = await open(store)
      expect(await currents(second.url)).toEqual(answered)
    })
  },
  ['lmdb', 'redis'],
)

it('an append that waits for the engine is answered before the server stops', async () => {
  const redis = await testRedis()
  const { url, close, gauges } = await redisServer(redis)
  const taskId = await startExternal(url)
  redis.freeze()
  const reported = report(url, taskId, ...progressReports(1, 1))
  await until('the report to be under way', () => gauges().requests === 1)
  const closing = close()
  await until('the port to be closed', async () => !(await accepts(url)))
  redis.thaw()
  expect(await reported).toMatchObject({ accepted: 1 })
  await closing
})

/** A process may take its time to start, where many tests run at once. */
const START_MS = 30_000

const main = join(import.meta.dirname, '../../dist/src/main.js')

/** A preloaded module that fails as asked for by signals. */
const FAILING = `process.on('SIGUSR2', () => setTimeout(() => { throw new Error('nobody catches this') })); process.on('SIGWINCH', () => { Promise.reject(new Error('nobody awaits this')) })`

async function served(env: Record<string, string> = {}) {
  const port = await freePort()
  const args = ['--import', `data:text/javascript,${encodeURIComponent(FAILING)}`, main, 'serve']
  const child: ChildProcess = endWithUs(
    spawn(process.execPath, args, {
      env: { PATH: process.env.PATH, PORT: `${port}`, EPOCHCAST_DATA: 'none', ...env },
    }),
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stdout?.on('data', (data) => {
    log += data
  })
  const url = `http://127.0.0.1:${port}/graphql`
  await until(
    'the server to be up',
    () =>
      fetch(at(url, '/health')).then(
        () => true,
        () => false,
      ),
    START_MS,
  )
  const ended = once(child, 'close').then(([code, signal]) => signal ?? code)
  return { child, url, ended, log: () => log }
}

describe('a server process', () => {
  it.each([
    ['an exception', 'SIGUSR2', /"level":60.*nobody catches this.*uncaughtException/],
    ['a rejection', 'SIGWINCH', /"level":60.*nobody awaits this.*unhandledRejection/],
  ] as const)(
    'ends with an error code, and says why, after %s that nobody expected',
    async (_, signal, line) => {
      const { child, ended, log } = await served()
      child.kill(signal)
      expect(await ended).toBe(70)
      expect(log()).toMatch(line)
    },
  )

  it('ends with 0 after SIGTERM, and at once after a second one', async () => {
    const quick = await served()
    quick.child.kill('SIGTERM')
    expect(await quick.ended).toBe(0)

    const stubborn = trainersFile({
      stubborn: `process.on('SIGTERM', () => {}); await report({ progress: { current: process.pid } }); setInterval(() => {}, 1000)`,
    })
    const { child, url, ended, log } = await served({
      EPOCHCAST_TRAINERS: stubborn,
      EPOCHCAST_KILL_GRACE_SECONDS: '600',
    })
    const { startTraining } = await run(url, START, { input: { trainer: 'stubborn' } })
    await until(
      'the trainer to run',
      async () => (await run(url, TASK, { id: startTraining.task.id })).task.current,
      START_MS,
    )
    child.kill('SIGTERM')
    await until('the server to be stopping', () => /SIGTERM: ending/.test(log()))
    child.kill('SIGTERM')
    expect(await ended).toBe('SIGTERM')
  })
})
