import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bundlePage, openPage } from '../clients/support/page.ts'
import { startProxy } from '../clients/support/proxy.ts'
import { openBrowser } from '../support/browser.ts'
import {
  collect,
  kindsOf,
  progressReports,
  report,
  startExternal,
  webSocketClient,
} from '../support/graphql.ts'
import { runProgram } from '../support/program.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')

/** Starts an example in JavaScript. */
const start = (example: string, ...args: string[]) =>
  runProgram(process.execPath, [join(EXAMPLES, example), ...args], { env: process.env })

it('training.graphql selects what it likes of a training, to its end', async () => {
  const { url, webSocketUrl } = await testServer()
  const taskId = await startExternal(url)
  await report(url, taskId, { epochStart: { epoch: 1, totalEpochs: 2 } }, ...progressReports(1, 2), {
    success: {},
  })
  const document = readFileSync(join(EXAMPLES, 'training.graphql'), 'utf8')
  const results = await collect(webSocketClient(webSocketUrl), document, { taskId })
  expect(kindsOf(results)).toEqual([
    'StreamOpened',
    'StatusChanged',
    'StatusChanged',
    'EpochStarted',
    'ProgressUpdate',
    'ProgressUpdate',
    'TrainingSucceeded',
    'StreamClosing',
  ])
})

it('follow.js gives each event once, also where its connection is cut', async () => {
  const { url } = await testServer()
  const taskId = await startExternal(url)
  const proxy = await startProxy(url)
  await report(url, taskId, ...progressReports(1, 20))
  const example = start('follow.js', proxy.url, taskId)
  const updates = () => example.printed.out.match(/^ProgressUpdate .+$/gm) ?? []
  await expect.poll(() => updates().length, { timeout: 10_000 }).toBe(20)
  proxy.cut()
  await report(url, taskId, ...progressReports(21, 30), { success: {} })

  expect(await example.ended, example.printed.err).toBe(0)
  expect(new Set(updates()).size).toBe(30)
  expect(updates()).toHaveLength(range(1, 30).length)
  expect(example.printed.out).toMatch(/^TrainingSucceeded /m)
})

it.each(['resuming.js', 'apollo.js', 'urql.js'])(
  '%s gives each event once, also where its connection is cut',
  async (file) => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const proxy = await startProxy(url)
    await report(url, taskId, ...progressReports(1, 20))
    const example = start(file, proxy.url.replace('http', 'ws'), taskId)
    const updates = () => example.printed.out.match(/^ProgressUpdate .+$/gm) ?? []
    await expect.poll(() => updates().length, { timeout: 10_000 }).toBe(20)
    proxy.cut()
    await report(url, taskId, ...progressReports(21, 30), { success: {} })

    expect(await example.ended, example.printed.err).toBe(0)
    expect(updates()).toEqual(range(1, 30).map((current) => `ProgressUpdate ${current} ${1 / current}`))
    expect(example.printed.out).toMatch(/^StreamClosing/m)
  },
)

it('curves.js shows all points there are, to the end', async () => {
  const { url } = await testServer({ EPOCHCAST_RETAIN_EVENTS: '50' })
  const taskId = await startExternal(url)
  await report(url, taskId, ...progressReports(1, 300))
  const example = start('curves.js', url, taskId)
  await expect.poll(() => example.printed.out, { timeout: 10_000 }).toMatch(/^RUNNING {2}loss 300 /m)
  await report(url, taskId, ...progressReports(301, 320), { success: {} })
  expect(await example.ended, example.printed.err).toBe(0)
  expect(example.printed.out.trim().split('\n').at(-1)).toBe(`SUCCESS  loss 320 ${1 / 320}`)
})

it('training-page.jsx shows a training as it goes on, and what becomes of its connection', async () => {
  const { url } = await testServer()
  const taskId = await startExternal(url, { name: 'pump 3' })
  const proxy = await startProxy(url)
  await report(url, taskId, ...progressReports(1, 20))
  const script = await bundlePage('../../../examples/training-page.jsx')
  const search = `?${new URLSearchParams({ server: proxy.url, task: taskId })}`
  const page = await openPage(await openBrowser(), proxy.url, script, '', search)
  await page.getByRole('heading', { name: 'pump 3: RUNNING' }).waitFor()
  await page.getByRole('img', { name: 'loss, 20 points' }).waitFor()
  proxy.hold()
  proxy.cut()
  await page.getByText(/No connection; try \d+ follows/).waitFor()
  await report(url, taskId, ...progressReports(21, 30), { success: {} })
  proxy.letGo()
  await page.getByRole('heading', { name: 'pump 3: SUCCESS' }).waitFor()
  await page.getByRole('img', { name: 'loss, 30 points' }).waitFor()
})

it('monitor.js learns how a training ended while its server was out of reach', async () => {
  const { url } = await testServer()
  const proxy = await startProxy(url)
  const example = start('monitor.js', proxy.url.replace('http', 'ws'))
  const taskId = await startExternal(url, { name: 'pump 3' })
  await report(url, taskId, { progress: { current: 1, total: 4, loss: 0.5 } })
  await expect.poll(() => example.printed.out, { timeout: 10_000 }).toContain('pump 3\tRUNNING\t25\t0.5\n')

  proxy.hold()
  proxy.cut()
  const before = proxy.connections
  await report(url, taskId, { success: {} })
  // It was refused at least once before it gets through.
  await expect.poll(() => proxy.connections, { timeout: 10_000 }).toBeGreaterThan(before)
  proxy.letGo()
  await expect.poll(() => example.printed.out, { timeout: 10_000 }).toContain('pump 3\tSUCCESS\t100\t0.5\n')
})
