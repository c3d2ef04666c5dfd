import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { sendLeftOf } from '../../clients/cli/sync.ts'
import { createReporter, type Reporter, type ReporterOptions } from '../../clients/typescript/index.ts'
import { REPORTER_LIMITS } from '../../clients/typescript/reporter/limits.ts'
import { REPORT_RUN, START_RUN } from '../../clients/typescript/reporter/target.ts'
import { openBrowser } from '../support/browser.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { fullDisk } from '../support/full-disk.ts'
import { CANCEL, type Data, run, startExternal, TASK } from '../support/graphql.ts'
import { runProgram } from '../support/program.ts'
import { serverProcess, testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { SECRET_ENV, token } from '../support/tokens.ts'
import { until } from '../support/until.ts'
import { passesTo, refuses, responds, startGateway } from './support/gateway.ts'
import { killedTraining } from './support/killed-training.ts'
import { bundlePage, openPage } from './support/page.ts'
import { epochcast, testTerminal } from './support/terminal.ts'

const root = join(import.meta.dirname, '../..')

const LOG = /* GraphQL */ `query ($id: ID!, $after: Cursor) { task(id: $id) { events(first: 300, after: $after) {
  pageInfo { hasNextPage endCursor } edges { node {
  __typename timestamp
  ... on ProgressUpdate { current step epoch metrics member message }
  ... on EpochStarted { epoch totalEpochs } ... on EpochEnded { epoch phase metrics step }
  ... on RoundEnded { round totalRounds fitMetrics evalMetrics } ... on StatusChanged { status message }
  ... on ErrorReported { error errorType } ... on TrainingSucceeded { result }
  ... on TrainingFailed { error errorType } ... on TrainingCancelled { reason }
} } } } }`

async function eventsOf(url: string, id: string, after: string | null = null): Promise<Data[]> {
  const { edges, pageInfo } = (await run(url, LOG, { id, after })).task.events
  const rest = pageInfo.hasNextPage ? await eventsOf(url, id, pageInfo.endCursor) : []
  return [...edges.map(({ node }: Data) => node), ...rest]
}

const stepsOf = (events: readonly Data[]) => events.flatMap(({ step }) => step ?? [])

function reporterTo(url: string, options: Partial<ReporterOptions> = {}) {
  const notices: string[] = []
  const reporter = createReporter({ url, onNotice: (text) => notices.push(text), ...options })
  onTestFinished(() => reporter.close(0).then(() => {}))
  return { reporter, notices }
}

async function onlyTask(url: string): Promise<Data> {
  const { edges } = (await run(url, '{ tasks { edges { node { id name status labels } } } }')).tasks
  expect(edges).toHaveLength(1)
  return edges[0].node
}

/** Steps in batches, so that there are several calls. */
async function train(reporter: Reporter, from: number, to: number): Promise<void> {
  for (const step of range(from, to)) {
    reporter.log({ loss: 1 / step }, { step })
    if (step % 50 === 0) await new Promise((resolve) => setTimeout(resolve, REPORTER_LIMITS.lingerMs + 10))
  }
}

describe('a reporter', () => {
  it('registers a run and reports all that a training has to say, in order', async () => {
    const { url } = await testServer()
    const { reporter, notices } = reporterTo(url, { run: { name: 'resnet', labels: { team: 'vision' } } })
    reporter.status('loading')
    reporter.epochStart(1, 2)
    reporter.log({ loss: Number.NaN, up: Infinity, on: true, big: 7n, nothing: null, deep: { a: { b: 1 } } })
    reporter.log({ loss: 0.5 })
    reporter.progress({ current: 3, total: 10, epoch: 0.3, loss: 0.25, message: 'x', metrics: { lr: 0.1 } })
    reporter.epochEnd(1, 'validation', { loss: 0.2 })
    reporter.roundEnd(1, { totalRounds: 3, fitMetrics: { loss: 1 }, evalMetrics: { loss: 2 } })
    reporter.error(new TypeError('a client left'))
    reporter.report({ progress: { current: 4 } })
    expect(await reporter.success({ f1: Number.NaN })).toBe(true)
    reporter.log({ loss: 0 })
    const { id, name, status, labels } = await onlyTask(url)
    expect([name, status, labels, reporter.taskId]).toEqual(['resnet', 'SUCCESS', { team: 'vision' }, id])
    const events = (await eventsOf(url, id)).slice(2).map(({ timestamp, ...event }) => event)
    expect(events).toMatchObject([
      { __typename: 'StatusChanged', message: 'loading' },
      { epoch: 1, totalEpochs: 2 },
      { step: 1, metrics: { loss: 'NaN', up: 'Infinity', on: 1, big: 7, 'deep/a/b': 1 } },
      { current: 2, step: 2, metrics: { loss: 0.5 } },
      { current: 3, epoch: 0.3, message: 'x', metrics: { lr: 0.1, loss: 0.25 } },
      { __typename: 'EpochEnded', epoch: 1, phase: 'VAL', step: 2, metrics: { loss: 0.2 } },
      { round: 1, totalRounds: 3, fitMetrics: { loss: 1 }, evalMetrics: { loss: 2 } },
      {
        __typename: 'ErrorReported',
        error: expect.stringContaining('a client left'),
        errorType: 'TypeError',
      },
      { __typename: 'ProgressUpdate', current: 4 },
      { __typename: 'TrainingSucceeded', result: { f1: 'NaN' } },
    ])
    expect(notices).toEqual([])
  })

  it('never throws, whatever it is given, and says once what it left out', async () => {
    const { url } = await testServer()
    const hostile = {
      get loss(): number {
        throw new Error('hostile')
      },
    }
    const cyclic: Data = {}
    cyclic.self = cyclic
    const { reporter, notices } = reporterTo(url)
    for (const odd of [
      null,
      undefined,
      7,
      'x',
      hostile,
      cyclic,
      Symbol('s'),
      () => {},
      [1],
      new Map(),
    ] as Data[]) {
      reporter.log(odd)
      reporter.log({ odd }, { step: odd })
      reporter.progress(odd)
      reporter.progress({ current: odd, total: odd, metrics: odd, message: odd })
      reporter.epochStart(odd, odd)
      reporter.epochEnd(odd, odd, odd)
      reporter.roundEnd(odd, odd)
      reporter.status(odd)
      reporter.error(odd)
      reporter.report(odd)
    }
    reporter.log({ ['x'.repeat(300)]: 1, __proto__: 2, 'a\nb': 3, '\ud800': 4, '': 5 })
    reporter.log(Object.fromEntries(range(1, 600).map((i) => [`m${i}`, i])))
    expect(await reporter.success(cyclic)).toBe(true)
    const { id } = await onlyTask(url)
    const events = await eventsOf(url, id)
    expect(events.at(-1)).toMatchObject({ __typename: 'TrainingSucceeded', result: null })
    expect(events.filter(({ metrics }) => metrics?.m1 || metrics?.m257 || metrics?.m513)).toHaveLength(3)
    expect(notices.length).toBeGreaterThan(2)
    expect(new Set(notices).size).toBe(notices.length)
  })

  it('does nothing without a URL, and says what is wrong with one that is none', async () => {
    const silent = createReporter({ onNotice: () => expect.unreachable() })
    silent.log({ loss: 1 })
    expect([await silent.success(), silent.shouldStop, silent.taskId]).toEqual([false, false, null])
    const { reporter, notices } = reporterTo('ftp://x')
    reporter.log({ loss: 1 })
    expect(await reporter.flush()).toBe(false)
    expect(notices).toEqual([expect.stringContaining('ftp://x')])
  })

  it('tells how a block ended, and is asked to stop', async () => {
    const { url } = await testServer()
    const ids = await Promise.all(range(1, 3).map(() => startExternal(url)))
    const statusOf = async (id: string) => (await run(url, TASK, { id })).task
    const [good = '', bad = '', stopped = ''] = ids
    expect(await reporterTo(url, { taskId: good }).reporter.track(() => 7)).toBe(7)
    expect(await statusOf(good)).toMatchObject({ status: 'SUCCESS', result: 7 })
    const failing = reporterTo(url, { taskId: bad }).reporter.track(() =>
      Promise.reject(new RangeError('diverged')),
    )
    await expect(failing).rejects.toThrow('diverged')
    expect(await statusOf(bad)).toMatchObject({ status: 'FAILURE', error: { type: 'RangeError' } })
    let isTold = false
    const { reporter } = reporterTo(url, { taskId: stopped, onStop: () => (isTold = true) })
    await reporter.track(async ({ log }) => {
      void log
      reporter.log({ loss: 1 })
      await reporter.flush()
      await run(url, CANCEL, { input: { taskId: stopped } })
      await until('the word', () => {
        reporter.log({ loss: 1 })
        return reporter.shouldStop
      })
    })
    expect(isTold).toBe(true)
    expect((await statusOf(stopped)).status).toBe('CANCELLED')
  })

  it('sends the documents that the manifest of trusted documents has', () => {
    const manifest = readFileSync(join(root, 'clients/typescript/generated/persisted-documents.json'), 'utf8')
    const documents = Object.values(JSON.parse(manifest) as Record<string, string>)
    for (const document of [REPORT_RUN, START_RUN]) expect(documents).toContain(document)
  })

  it('reports from a page of an origin that is not secure, which has no randomUUID', async () => {
    const { url } = await testServer()
    const { crypto } = globalThis
    vi.stubGlobal('crypto', {
      getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
    })
    onTestFinished(() => void vi.unstubAllGlobals())
    expect(await reporterTo(url).reporter.success()).toBe(true)
  })

  it('reports a training in a page, over the origin of another', async () => {
    const { url } = await testServer({ EPOCHCAST_ALLOWED_ORIGINS: 'loopback' })
    const page = await openPage(await openBrowser(), url, await bundlePage('reporting-page.ts'))
    const { task } = await page.evaluate(() =>
      (globalThis as unknown as { train(steps: number): Promise<{ task: string }> }).train(1500),
    )
    expect(await onlyTask(url)).toMatchObject({ id: task, name: 'in a page', status: 'SUCCESS' })
    const events = await eventsOf(url, task)
    expect(stepsOf(events)).toEqual(range(1, 1500))
    expect(events.at(-1).result).toEqual({ steps: 1500, task })
  })

  it('leaves out what there is no room for, and tells it, here and in the log', async () => {
    const { url } = await testServer()
    const gateway = await startGateway(url)
    gateway.behave(refuses('ENGINE_UNAVAILABLE', { retryable: true }))
    const { reporter, notices } = reporterTo(gateway.url, {
      taskId: await startExternal(url),
      maxMemoryBytes: 10_000,
    })
    for (const step of range(1, 200)) reporter.log({ loss: 1 }, { step })
    gateway.behave(null)
    expect(await reporter.success()).toBe(true)
    const events = await eventsOf(url, reporter.taskId ?? '')
    const steps = stepsOf(events)
    expect(steps).toEqual(range(1, steps.length))
    expect(events.at(-2)).toMatchObject({
      errorType: 'ReportsLeftOut',
      error: expect.stringContaining(`${200 - steps.length}`),
    })
    expect(notices.filter((text) => text.includes('left out'))).toHaveLength(1)
  })
})

describe('whatever becomes of the server', () => {
  it('killed and restarted in mid-run, each report is in the log once, in order', async () => {
    const server = await serverProcess({ EPOCHCAST_DATA: dataDirectory() })
    const id = await startExternal(server.url)
    const { reporter } = reporterTo(server.url, { taskId: id })
    await train(reporter, 1, 200)
    await server.kill()
    await train(reporter, 201, 400)
    await server.start()
    await train(reporter, 401, 600)
    expect(await reporter.success()).toBe(true)
    expect(stepsOf(await eventsOf(server.url, id))).toEqual(range(1, 600))
  })

  it('what may pass is waited out, and costs nothing', async () => {
    const { url } = await testServer()
    const troubles = {
      '500': responds(500, 'broken'),
      '502 of a proxy': responds(502, '<html>bad gateway</html>', { 'content-type': 'text/html' }),
      '429 with a wait': responds(429, '', { 'retry-after': '0.1' }),
      'a rate with a wait': refuses('RATE_LIMITED', { retryable: true, retryAfterMs: 50 }),
      '401': refuses('UNAUTHENTICATED', { retryable: false, reason: 'expired' }, 401),
      '403': refuses('FORBIDDEN', { retryable: false }),
      'a wrong path': refuses('NOT_FOUND', { retryable: false }, 404),
      'a server of other documents': refuses('DOCUMENT_NOT_TRUSTED', { retryable: false }),
      nonsense: responds(200, '{"data":{}}'),
    }
    const waitOut = async ([name, listener]: [string, RequestListener]) => {
      const gateway = await startGateway(url)
      const { reporter, notices } = reporterTo(gateway.url, { taskId: await startExternal(url) })
      reporter.log({ loss: 1 }, { step: 1 })
      expect(await reporter.flush(), name).toBe(true)
      gateway.behave(listener)
      reporter.log({ loss: 1 }, { step: 2 })
      const before = gateway.count
      await until(`some tries at ${name}`, () => gateway.count >= before + 2)
      reporter.log({ loss: 1 }, { step: 3 })
      gateway.behave(null)
      expect(await reporter.success(), name).toBe(true)
      expect(stepsOf(await eventsOf(url, reporter.taskId ?? '')), name).toEqual([1, 2, 3])
      expect(notices, name).toEqual([expect.stringContaining('trying again')])
    }
    await Promise.all(Object.entries(troubles).map(waitOut))
  })

  it('waits as long as the server wants', async () => {
    const { url } = await testServer()
    const gateway = await startGateway(url)
    const { reporter } = reporterTo(gateway.url, { taskId: await startExternal(url) })
    gateway.behave(refuses('RATE_LIMITED', { retryable: true, retryAfterMs: 300_000 }))
    reporter.log({ loss: 1 })
    await until('the refusal', () => gateway.count === 1)
    gateway.behave(null)
    // Whoever ends does not wait for it.
    expect(await reporter.success()).toBe(true)
    expect(gateway.count).toBe(3)
  })

  it('a reply that was lost is repeated, and has no second effect', async () => {
    const { url } = await testServer()
    const gateway = await startGateway(url)
    const id = await startExternal(url)
    const { reporter } = reporterTo(gateway.url, { taskId: id })
    let lost = 0
    gateway.behave(async (incoming, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk)
      await fetch(url, {
        method: 'POST',
        headers: incoming.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      })
      lost++
      response.destroy()
    })
    for (const step of range(1, 10)) reporter.log({ loss: 1 }, { step })
    await until('two lost replies', () => lost >= 2)
    gateway.behave(null)
    expect(await reporter.success()).toBe(true)
    expect(stepsOf(await eventsOf(url, id))).toEqual(range(1, 10))
  })

  it('a black hole holds a training that ends for a bounded time, and says what was lost', async () => {
    const { url } = await testServer()
    const gateway = await startGateway(url)
    gateway.behave(() => {})
    const { reporter, notices } = reporterTo(gateway.url, { taskId: await startExternal(url), flushMs: 100 })
    for (const step of range(1, 10)) reporter.log({ loss: 1 }, { step })
    expect(await reporter.success()).toBe(false)
    expect(notices.at(-1)).toMatch(/11 reports could not be delivered and are lost/)
  })

  it('a report that is refused does not take the others with it', async () => {
    const { url } = await testServer()
    const id = await startExternal(url)
    const { reporter, notices } = reporterTo(url, { taskId: id })
    reporter.log({ loss: 1 }, { step: 1 })
    reporter.report({ epochStart: { epoch: -1 } })
    reporter.log({ loss: 1 }, { step: 2 })
    expect(await reporter.success()).toBe(true)
    const events = (await eventsOf(url, id)).slice(2)
    expect(events.map(({ step, errorType, __typename }) => step ?? errorType ?? __typename)).toEqual([
      1,
      'ReportRefused',
      2,
      'TrainingSucceeded',
    ])
    expect(notices).toEqual([expect.stringContaining('a report was refused')])
  })

  it('goes on with a new run where a server lost it, and ends where the task has ended', async () => {
    const first = await testServer()
    const second = await testServer()
    const gateway = await startGateway(first.url)
    const { reporter, notices } = reporterTo(gateway.url, { run: { name: 'lost' } })
    reporter.log({ loss: 1 }, { step: 1 })
    expect(await reporter.flush()).toBe(true)
    gateway.behave(passesTo(second.url))
    reporter.log({ loss: 1 }, { step: 2 })
    expect(await reporter.flush()).toBe(true)
    const { id } = await onlyTask(second.url)
    expect(stepsOf(await eventsOf(second.url, id))).toEqual([2])
    await run(
      second.url,
      'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }',
      {
        input: { taskId: id, reports: [{ success: {} }] },
      },
    )
    reporter.log({ loss: 1 }, { step: 3 })
    await until('the word', () => reporter.shouldStop)
    expect(await reporter.failure('late')).toBe(false)
    expect(notices).toEqual([
      expect.stringContaining('no longer has the run'),
      expect.stringContaining('TASK_ENDED'),
    ])
  })

  it('registers that new run with the token that it was given, not with the one of the run that is lost', async () => {
    const servers = [await testServer(SECRET_ENV), await testServer(SECRET_ENV)] as const
    const gateway = await startGateway(servers[0].url)
    const trainer = await token({ scope: 'trainer' })
    const { reporter, notices } = reporterTo(gateway.url, { run: { name: 'lost' }, token: trainer })
    reporter.log({ loss: 1 }, { step: 1 })
    expect(await reporter.flush(), notices.join()).toBe(true)
    gateway.behave(passesTo(servers[1].url))
    reporter.log({ loss: 1 }, { step: 2 })
    expect(await reporter.success(), notices.join()).toBe(true)
  })
})

describe('with a spool', () => {
  it('what an absent server missed is sent later, each report once, by sync', async () => {
    const directory = temporaryFolder()
    const server = await testServer()
    const url = server.url
    await server.close()
    const { reporter, notices } = reporterTo(url, {
      ...{ run: { name: 'späte 🚂' }, spoolDirectory: directory, flushMs: 300 },
    })
    await train(reporter, 1, 200)
    reporter.error('größer')
    expect(await reporter.success({ ok: true })).toBe(false)
    expect(notices.at(-1)).toContain(`epochcast sync ${directory}`)
    const away = await epochcast(url, ['sync', directory])
    expect([away.code, away.out]).toEqual([
      3,
      expect.stringContaining(`0 reports sent, not all (${url}: connect E`),
    ])
    const back = await testServer()
    const sent = await epochcast(back.url, ['--url', back.url, 'sync', directory])
    expect(sent.out).toMatch(/: 202 reports sent\n1 of 1 files sent\n$/)
    expect(sent.code).toBe(0)
    expect(readdirSync(directory)).toEqual([])
    const { id, name, status } = await onlyTask(back.url)
    expect([name, status]).toEqual(['späte 🚂', 'SUCCESS'])
    const events = await eventsOf(back.url, id)
    expect(stepsOf(events)).toEqual(range(1, 200))
    expect(events.at(-2)).toMatchObject({ error: 'größer' })
    expect((await epochcast(back.url, ['sync', directory])).out).toBe('0 of 0 files sent\n')
  })

  it('is removed when all is delivered, and starts over when it is large', async () => {
    const directory = temporaryFolder()
    const { url } = await testServer()
    const { reporter } = reporterTo(url, { spoolDirectory: directory })
    const metrics = Object.fromEntries(range(1, 250).map((i) => [`metric_${i}`, i / 7]))
    for (const step of range(1, 1000)) reporter.log(metrics, { step })
    expect(await reporter.flush(30_000)).toBe(true)
    const [name = ''] = readdirSync(directory)
    await until('it to start over', () => readFileSync(join(directory, name)).length < 1000)
    reporter.log(metrics, { step: 1001 })
    expect(await reporter.success()).toBe(true)
    expect(readdirSync(directory)).toEqual([])
    expect((await run(url, TASK, { id: reporter.taskId })).task).toMatchObject({
      status: 'SUCCESS',
      current: 1001,
    })
  })

  it('a training that was killed has all of it sent by sync', async () => {
    const directory = temporaryFolder()
    const { url } = await testServer()
    await killedTraining(url, directory)
    const { code, out } = await epochcast(url, ['sync', directory])
    expect([code, out]).toEqual([0, expect.stringContaining('1 of 1 files sent')])
    const { id } = await onlyTask(url)
    expect(stepsOf(await eventsOf(url, id))).toEqual(range(1, 100))
  })

  it('sync leaves alone what a training still writes, and files that are none', async () => {
    const directory = temporaryFolder()
    const { url } = await testServer()
    const gateway = await startGateway(url)
    gateway.behave(refuses('ENGINE_UNAVAILABLE', { retryable: true }))
    const env = { PATH: process.env.PATH, EPOCHCAST_URL: gateway.url, EPOCHCAST_SPOOL_DIR: directory }
    const code = `import { createReporter } from ${JSON.stringify(join(root, 'dist/clients/typescript/index.js'))}
      createReporter().log({ loss: 1 }); setInterval(() => {}, 1000)`
    runProgram(process.execPath, ['--input-type=module', '-e', code], { env })
    await until('its file', () => readdirSync(directory).length === 1)
    writeFileSync(join(directory, '20261121T000000-1-x.epochcast'), 'nonsense\n')
    const { code: exit, out, err } = await epochcast(url, ['sync', directory])
    expect([exit, out]).toEqual([3, '0 of 2 files sent\n'])
    expect(err).toContain('its training is still running')
    expect(err).toContain('is no spool file')
    expect(readdirSync(directory)).toHaveLength(2)
    expect((await epochcast(url, ['sync', join(directory, 'nowhere')])).err).toContain('cannot be read')
  })

  it.skipIf(!fullDisk.isPossible)('a disk that fills up is said once, and costs nothing', async () => {
    const { url } = await testServer()
    const gateway = await startGateway(url)
    gateway.behave(refuses('ENGINE_UNAVAILABLE', { retryable: true }))
    const disk = fullDisk.mount(4)
    const { reporter, notices } = reporterTo(gateway.url, {
      ...{ taskId: await startExternal(url), spoolDirectory: disk.path },
    })
    await train(reporter, 1, 100)
    disk.fill(65_536)
    for (const step of range(101, 300)) reporter.progress({ current: step, step, message: 'x'.repeat(1000) })
    await train(reporter, 301, 400)
    await until('the word', () => notices.some((text) => text.includes('cannot be written')))
    disk.empty()
    await train(reporter, 401, 500)
    gateway.behave(null)
    expect(await reporter.success(), notices.join()).toBe(true)
    expect(stepsOf(await eventsOf(url, reporter.taskId ?? ''))).toEqual(range(1, 500))
    expect(notices.filter((text) => text.includes('spool'))).toHaveLength(1)
    expect(readdirSync(disk.path)).toEqual([])
  })

  it('what a run waits for is left where it is when somebody does not wait', async () => {
    const { url } = await testServer()
    const gateway = await startGateway(url)
    const directory = temporaryFolder()
    const taskId = await startExternal(url)
    gateway.behave((_, response) => response.destroy())
    const { reporter } = reporterTo(gateway.url, { taskId, spoolDirectory: directory })
    reporter.log({ loss: 1 }, { step: 1 })
    expect(await reporter.close(500)).toBe(false)
    const [name = ''] = readdirSync(directory)
    // Of a process that is gone.
    renameSync(join(directory, name), join(directory, name.replace(`-${process.pid}-`, '-4194305-')))
    gateway.behave(() => {})
    const { count } = gateway
    const enough = new AbortController()
    const terminal = testTerminal({ env: { EPOCHCAST_SPOOL_DIR: directory } })
    const done = sendLeftOf(terminal, taskId, { url: gateway.url, token: undefined }, enough.signal)
    await until('a call', () => gateway.count > count)
    enough.abort()
    await done
    expect(terminal.out).toContain('0 reports sent, not all')
    expect(readdirSync(directory)).toHaveLength(1)
  })

  it('a directory that cannot be used is said once, and memory is used', async () => {
    const { url } = await testServer()
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    const { reporter, notices } = reporterTo(url, { spoolDirectory: join(file, 'x') })
    reporter.log({ loss: 1 }, { step: 1 })
    expect(await reporter.success()).toBe(true)
    expect(notices).toEqual([expect.stringContaining('only memory is used')])
  })
})

it('the end of a process is the end of its run, by its exit code', async () => {
  const server = await testServer(SECRET_ENV)
  const { url } = server
  const bearer = await token({ scope: 'operator' })
  const env = {
    PATH: process.env.PATH,
    EPOCHCAST_URL: url,
    EPOCHCAST_TOKEN: await token({ scope: 'trainer' }),
  }
  const endOf = async (code: string) => {
    const line = `import { createReporter } from ${JSON.stringify(join(root, 'dist/clients/typescript/index.js'))}
      const reporter = createReporter({ run: { name: 'x' } }); reporter.log({ loss: 1 }, { step: 1 }); ${code}`
    const program = runProgram(process.execPath, ['--input-type=module', '-e', line], { env })
    await program.ended
    const { tasks } = await run(
      url,
      '{ tasks(first: 1) { edges { node { status error { message } } } } }',
      {},
      bearer,
    )
    return { ...tasks.edges[0].node, exit: await program.ended, printed: program.printed }
  }
  expect(await endOf('')).toMatchObject({ status: 'SUCCESS', exit: 0, printed: { out: '', err: '' } })
  expect(await endOf('process.exitCode = 3')).toMatchObject({
    status: 'FAILURE',
    error: { message: 'the training exited with code 3' },
    exit: 3,
  })
})
