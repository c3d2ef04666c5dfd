import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ReportMetricsDocument } from '../../clients/typescript/index.ts'
import { progressReports, startExternal, testClient } from '../clients/support/server.ts'
import { freePort } from '../processes/free-port.ts'
import { endWithUs, isAlive } from '../processes/lifetime.ts'
import { post, REPORT, run, START, TASK } from '../support/graphql.ts'
import { metricsAt } from '../support/metrics.ts'
import { testRedis } from '../support/redis.ts'
import { trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

/** Processes may take their time to start, where many tests run at once. */
const START_MS = 60_000
/** Of a test that starts several. */
const timeout = 3 * START_MS

const main = join(import.meta.dirname, '../../dist/src/main.js')

interface LogLine {
  readonly pid: number
  readonly msg: string
  readonly worker?: number
}

/** `epochcast serve` with several workers, as it is installed. */
class Served {
  readonly child: ChildProcess
  readonly ended: Promise<string | number | null>
  readonly lines: LogLine[] = []
  errors = ''
  #rest = ''

  constructor(env: Record<string, string>, args: readonly string[] = []) {
    this.child = endWithUs(
      spawn(process.execPath, [main, 'serve', ...args], {
        env: { PATH: process.env.PATH, PORT: '0', EPOCHCAST_WORKERS: '2', ...env },
      }),
    )
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop() ?? ''
      this.lines.push(...lines.map((line) => JSON.parse(line)))
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text
    })
    this.ended = once(this.child, 'close').then(([code, signal]) => signal ?? code)
    onTestFinished(() => {
      for (const { pid } of [...this.#listened(), { pid: this.child.pid ?? 0 }]) kill(pid)
    })
  }

  /** Resolves with the endpoint once so many workers listen. */
  async listening(count: number): Promise<string> {
    await until(`${count} workers to listen`, () => this.workers().length === count, START_MS)
    return urlOf(this.#listened()[0])
  }

  /** Processes of the workers that listen and live. */
  workers(): number[] {
    return this.#listened()
      .map(({ pid }) => pid)
      .filter(isAlive)
  }

  urls(): Set<string> {
    return new Set(this.#listened().map(urlOf))
  }

  said(message: RegExp): number {
    return this.lines.filter(({ msg }) => message.test(msg)).length
  }

  #listened(): LogLine[] {
    return this.lines.filter(({ msg, worker }) => worker !== undefined && msg.includes('GraphQL, '))
  }
}

const urlOf = (line: LogLine | undefined): string => /http:\S+\/graphql/.exec(line?.msg ?? '')?.[0] ?? ''

function kill(pid: number): void {
  if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL')
}

const STUBBORN = `process.on('SIGTERM', () => {}); await report({ progress: { current: process.pid } }); setInterval(() => {}, 1000)`

describe('several workers on one port', { timeout }, () => {
  it('let viewers of a worker that is killed go on at another, and lose and repeat nothing', async () => {
    const redis = await testRedis()
    const served = new Served({ REDIS_URL: redis.url })
    const url = await served.listening(2)
    expect(served.urls().size).toBe(1)

    const taskId = await startExternal(testClient(url))
    let [resumed, seen] = [0, 0]
    const viewers = range(1, 16).map(async () => {
      const steps: number[] = []
      const client = testClient(url)
      const onConnection = ({ kind }: { kind: string }) => {
        if (kind === 'resumed') resumed++
      }
      for await (const event of client.follow({ taskId, last: 1000 }, { onConnection })) {
        if (event.__typename === 'EventsSkipped') throw new Error('events were skipped')
        if (event.__typename === 'ProgressUpdate') seen = Math.max(seen, steps.push(event.current ?? 0))
      }
      return steps
    })

    const trainer = testClient(url)
    const report = (firstSequence: number, ...reports: ReturnType<typeof progressReports>) =>
      trainer.execute(
        ReportMetricsDocument,
        { input: { taskId, producer: 'trainer', firstSequence, reports } },
        { attempts: 20 },
      )
    for (const step of range(1, 50)) await report(step, ...progressReports(step, step))
    await until('the viewers to see something', () => seen > 0)
    // The system hands connections out as it likes, perhaps all to one; so both are killed, one after the other.
    for (const [i, pid] of served.workers().entries()) {
      kill(pid)
      const first = 51 + 125 * i
      for (const step of range(first, first + 124)) await report(step, ...progressReports(step, step))
      await until('the crash to be noticed', () => served.said(/ended \(SIGKILL\)/) === i + 1)
      await served.listening(2)
    }
    await report(301, { success: {} })

    for (const steps of await Promise.all(viewers)) expect(steps).toEqual(range(1, 300))
    expect(resumed).toBeGreaterThan(0)

    const pids = served.workers()
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
    expect(pids.filter(isAlive)).toEqual([])
    // Each of the two that were left, and the one that watched over them.
    expect(served.said(/^stopped$/)).toBe(3)
  })

  it('come back on the same port when all of them crash, later each time', async () => {
    const redis = await testRedis()
    const served = new Served({ REDIS_URL: redis.url }, ['--port', '0'])
    const url = await served.listening(2)
    for (const round of range(1, 2)) {
      for (const pid of served.workers()) kill(pid)
      await until('the crashes to be noticed', () => served.said(/ended \(SIGKILL\)/) === 2 * round)
      await served.listening(2)
    }
    expect(served.urls().size).toBe(1)
    expect(await run(url, '{ server { version } }')).toMatchObject({ server: {} })
    expect([served.said(/in 100 ms/), served.said(/in 200 ms/)]).toEqual([2, 2])
  })

  it('record the end of their trainers before they stop, and end at once at a second signal', async () => {
    const redis = await testRedis()
    const env = { REDIS_URL: redis.url, EPOCHCAST_TRAINERS: trainersFile({ stubborn: STUBBORN }) }
    const start = async (url: string) => {
      const { startTraining } = await run(url, START, { input: { trainer: 'stubborn' } })
      const { id } = startTraining.task
      const pid = await until('the trainer to report', async () => {
        return (await run(url, TASK, { id })).task.current as number | null
      })
      return { id, pid }
    }

    const first = new Served({ ...env, EPOCHCAST_KILL_GRACE_SECONDS: '1' })
    const trained = await start(await first.listening(2))
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    expect(isAlive(trained.pid)).toBe(false)

    const second = new Served({ ...env, EPOCHCAST_KILL_GRACE_SECONDS: '600' })
    const url = await second.listening(2)
    expect((await run(url, TASK, trained)).task).toMatchObject({
      status: 'FAILURE',
      error: { type: 'ServerStopped' },
    })
    const { pid } = await start(url)
    const pids = second.workers()
    second.child.kill('SIGINT')
    await until('a worker to stop', () => second.said(/^SIGTERM: ending trainers/) > 0)
    second.child.kill('SIGINT')
    expect(await second.ended).toBe('SIGINT')
    await until('the workers and the trainer to end', () => ![...pids, pid].some(isAlive))
  })

  it('do not start where the first cannot', async () => {
    const redis = await testRedis()
    const served = new Served({ REDIS_URL: redis.url, EPOCHCAST_TRAINERS: '/no/such/file.json' })
    expect(await served.ended).not.toBe(0)
    expect(served.errors).toMatch(/^error CONFIG: .*\/no\/such\/file\.json cannot be read.*\n/)
    expect(served.errors).toMatch(/the first worker ended \(code 1\) before it listened/)

    const alone = new Served({})
    expect(await alone.ended).toBe(1)
    expect(alone.errors).toMatch(/EPOCHCAST_WORKERS is 2, but REDIS_URL is not set/)
  })

  it('answer as one server does', async () => {
    const redis = await testRedis()
    const served = new Served({ REDIS_URL: redis.url, EPOCHCAST_WORKERS: '3' })
    const url = await served.listening(3)
    const ready = await fetch(new URL('/ready', url))
    expect(ready.status).toBe(200)
    expect((await post(url, '{ nothing }')).errors).toHaveLength(1)
    served.child.kill('SIGINT')
    expect(await served.ended).toBe(0)
  })
})

it('the metrics of all workers are together on the port of their supervisor', { timeout }, async () => {
  const redis = await testRedis()
  const port = await freePort()
  const served = new Served({ REDIS_URL: redis.url, EPOCHCAST_METRICS_PORT: `${port}` })
  const url = await served.listening(2)
  const metricsUrl = `http://127.0.0.1:${port}/metrics`
  const client = testClient(url)
  const taskId = await startExternal(client)
  for (const step of range(1, 30)) {
    // A connection for each, so that both workers get some.
    const headers = { connection: 'close', 'content-type': 'application/json' }
    const reports = progressReports(step, step)
    const body = JSON.stringify({ query: REPORT, variables: { input: { taskId, reports } } })
    await fetch(url, { method: 'POST', headers, body })
  }
  const metrics = await metricsAt(metricsUrl)
  expect(metrics.get('epochcast_workers')).toBe(2)
  // And that the task is RUNNING now.
  expect(metrics.get('epochcast_events_appended_total')).toBe(31)
  expect(metrics.get('epochcast_tasks')).toBe(1)
  expect(metrics.get('epochcast_tasks_created_total{launcher="external"}')).toBe(1)
  expect(metrics.get('epochcast_engine_up{engine="redis"}')).toBe(1)
  // One of them would tell its own only.
  expect((await fetch(new URL('/metrics', url))).status).toBe(404)
  served.child.kill('SIGTERM')
  expect(await served.ended).toBe(0)
})
