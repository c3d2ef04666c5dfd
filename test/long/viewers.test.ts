import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { bundlePage, bundleProgram, openPage } from '../clients/support/page.ts'
import { startProxy } from '../clients/support/proxy.ts'
import { NAMES, startViewer, type Viewed } from '../clients/support/viewer.ts'
import { freePort } from '../processes/free-port.ts'
import { endWithUs } from '../processes/lifetime.ts'
import { launchBrowser } from '../support/browser.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { progressReports, report, run, startExternal } from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { serverProcess, testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { SECRET_ENV, token, tokenFor } from '../support/tokens.ts'
import { until } from '../support/until.ts'

/*
 * What befalls those who watch, over Apollo Client, urql and graphql-ws on a resuming client, in a browser's page and in a
 * process of Node.
 */

type AllViewed = Readonly<Record<string, Viewed>>

let pageScript = ''
let program = ''
let browser: Browser
beforeAll(async () => {
  pageScript = await bundlePage('viewer-page.ts')
  program = await bundleProgram('viewer-process.ts')
  browser = await launchBrowser()
})
afterAll(() => browser.close())

/** For a fault that lasts for so long. */
const lasting = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

async function inBrowser(url: string, taskId: string, freshToken?: () => Promise<string>) {
  const page = await openPage(browser, url, pageScript)
  if (freshToken) await page.exposeFunction('freshToken', freshToken)
  await page.evaluate((id) => (globalThis as unknown as { watch(id: string): void }).watch(id), taskId)
  const viewed = () => page.evaluate(() => (globalThis as unknown as { viewed: AllViewed }).viewed)
  return { page, viewed }
}

function inProcess(url: string, taskId: string) {
  const folder = mkdtempSync(join(import.meta.dirname, '../../node_modules/.viewers-'))
  const file = join(folder, 'viewers.mjs')
  writeFileSync(file, program)
  const child = endWithUs(
    spawn(process.execPath, [file, url, taskId], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  onTestFinished(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).split('\n').slice(-2).join('\n')
  })
  let newest: AllViewed = {}
  const viewed = (): AllViewed => {
    const [line] = text.split('\n')
    if (line && text.endsWith('\n')) newest = JSON.parse(line)
    return newest
  }
  return { child, viewed }
}

async function everywhere(url: string, taskId: string) {
  const { page, viewed: inPage } = await inBrowser(url, taskId)
  const { child, viewed: inNode } = inProcess(url, taskId)
  const viewed = async (): Promise<Viewed[]> => [...Object.values(await inPage()), ...Object.values(inNode())]
  const all = (what: string, holds: (viewed: Viewed) => boolean, seconds = 60) =>
    until(
      what,
      async () => {
        const now = await viewed()
        return now.length === 2 * NAMES.length && now.every(holds)
      },
      seconds * 1000,
    )
  return { page, child, viewed, all }
}

type Viewers = Awaited<ReturnType<typeof everywhere>>

/** Each saw every step once and in order, and says so. */
async function expectAll({ viewed, all }: Viewers, to: number, stateOfFault: string): Promise<void> {
  await all('the end', ({ end }) => end !== null)
  for (const { steps, kinds, states, end } of await viewed()) {
    expect(steps).toEqual(range(1, to))
    expect(end).toBe('completed')
    expect(kinds.filter((kind) => kind === 'StreamOpened')).toHaveLength(1)
    expect(kinds).not.toContain('EventsSkipped')
    expect(kinds.slice(-2)).toEqual(['TrainingSucceeded', 'StreamClosing'])
    expect(states[0]).toBe('connecting')
    expect(states).toContain(stateOfFault)
    expect(states.slice(-2)).toEqual(['live', 'ended'])
  }
}

describe('every viewer, with every client, sees each event once and in order', () => {
  it('over a server that is killed and comes back', async () => {
    const server = await serverProcess({ EPOCHCAST_DATA: dataDirectory() })
    const taskId = await startExternal(server.url)
    await report(server.url, taskId, ...progressReports(1, 50))
    const viewers = await everywhere(server.url, taskId)
    for (const from of [51, 101]) {
      await viewers.all('what there is', ({ steps }) => steps.length === from - 1)
      await server.kill()
      await viewers.all('to know of it', ({ states }) => states.at(-1) === 'reconnecting')
      await server.start()
      await report(server.url, taskId, ...progressReports(from, from + 49))
    }
    await report(server.url, taskId, { success: {} })
    await expectAll(viewers, 150, 'reconnecting')
  })

  it('from a server that is not up yet', async () => {
    const port = await freePort()
    const env = { EPOCHCAST_DATA: dataDirectory(), PORT: `${port}` }
    const before = await testServer(env)
    const taskId = await startExternal(before.url)
    await report(before.url, taskId, ...progressReports(1, 50))
    await before.close()
    const viewers = await everywhere(before.url, taskId)
    await viewers.all('to know of it', ({ states }) => states.at(-1) === 'reconnecting')
    const { url } = await testServer(env)
    await report(url, taskId, { success: {} })
    await expectAll(viewers, 50, 'reconnecting')
    for (const { states } of await viewers.viewed())
      expect(states).toEqual(['connecting', 'reconnecting', 'live', 'ended'])
  })

  it('while Redis is gone for 10 s', async () => {
    const redis = await testRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
    const server = await testServer({ REDIS_URL: redis.url })
    const taskId = await until('the engine', () => startExternal(server.url).catch(() => null))
    await report(server.url, taskId, ...progressReports(1, 50))
    const viewers = await everywhere(server.url, taskId)
    await viewers.all('what there is', ({ steps }) => steps.length === 50)
    await redis.kill()
    await viewers.all('to know of it', ({ states }) => states.at(-1) === 'interrupted')
    await lasting(10)
    await redis.start()
    await until('the engine', () => report(server.url, taskId, ...progressReports(51, 100)).catch(() => null))
    await report(server.url, taskId, { success: {} })
    await expectAll(viewers, 100, 'interrupted')
  })

  it('through a proxy that cuts what is idle for 5 s', async () => {
    const { url } = await testServer()
    const proxy = await startProxy(url, 5000)
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 50))
    const viewers = await everywhere(proxy.url, taskId)
    await viewers.all('what there is', ({ steps }) => steps.length === 50)
    await viewers.all('to know of it', ({ states }) => states.includes('reconnecting'))
    await report(url, taskId, ...progressReports(51, 100), { success: {} })
    await expectAll(viewers, 100, 'reconnecting')
  })

  it('after 10,000 events while it was away', async () => {
    const { url } = await testServer({ EPOCHCAST_RETAIN_EVENTS: '20000' })
    const proxy = await startProxy(url)
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 50))
    const viewers = await everywhere(proxy.url, taskId)
    await viewers.all('what there is', ({ steps }) => steps.length === 50)
    proxy.hold()
    proxy.cut()
    for (let from = 51; from <= 10_050; from += 500)
      await report(url, taskId, ...progressReports(from, from + 499))
    proxy.letGo()
    await viewers.all('what it missed', ({ steps }) => steps.length === 10_050)
    await report(url, taskId, { success: {} })
    await expectAll(viewers, 10_050, 'reconnecting')
  })

  it('over a minute in which it is asleep, and a tab that is in the background', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 50))
    const viewers = await everywhere(url, taskId)
    await viewers.all('what there is', ({ steps }) => steps.length === 50)
    const freeze = await freezer(viewers.page)
    await freeze('frozen')
    viewers.child.kill('SIGSTOP')
    for (let from = 51; from <= 2050; from += 500)
      await report(url, taskId, ...progressReports(from, from + 499))
    await lasting(60)
    await report(url, taskId, ...progressReports(2051, 2100))
    await freeze('active')
    viewers.child.kill('SIGCONT')
    await viewers.all('what it missed', ({ steps }) => steps.length === 2100)
    await report(url, taskId, { success: {} })
    await expectAll(viewers, 2100, 'live')
  })

  it('when its token expires in mid-run', async () => {
    const { url } = await testServer({ ...SECRET_ENV, EPOCHCAST_TOKEN_GRACE_SECONDS: '0' })
    const trainer = await token({ scope: 'operator' })
    const START = 'mutation { startTraining(input: { trainer: "external" }) { task { id } } }'
    const taskId = (await run(url, START, {}, trainer)).startTraining.task.id
    const REPORT = 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }'
    const reported = (...reports: unknown[]) => run(url, REPORT, { input: { taskId, reports } }, trainer)
    await reported(...progressReports(1, 50))
    // The first of each viewer's tokens is of a second.
    const tokens = () => {
      let given = 0
      return (each: number) => tokenFor(++given > each ? 60 : 1, { scope: 'viewer' })
    }
    const ofPage = tokens()
    const { viewed: inPage } = await inBrowser(url, taskId, () => ofPage(NAMES.length))
    const inNode = NAMES.map((name) => {
      const own = tokens()
      return startViewer(name, { url, taskId, webSocketImpl: WebSocket, freshToken: () => own(1) })
    })
    const viewed = async () => [...Object.values(await inPage()), ...inNode]
    const all = (what: string, holds: (viewed: Viewed) => boolean) =>
      until(what, async () => (await viewed()).every(holds), 30_000)
    await all('what there is', ({ steps }) => steps.length === 50)
    await all('to come back', ({ states }) => states.join().endsWith('reconnecting,live'))
    await reported(...progressReports(51, 100), { success: {} })
    await all('the end', ({ end }) => end === 'completed')
    for (const { steps } of await viewed()) expect(steps).toEqual(range(1, 100))
  })
})

/** As Chromium does with tabs that nobody looks at: timers and tasks stand still. */
async function freezer(page: Page) {
  const session = await page.context().newCDPSession(page)
  return (state: 'frozen' | 'active') => session.send('Page.setWebLifecycleState', { state })
}
