import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { linesOf, openDashboard, soon, taskPath } from '../dashboard/support/dashboard-page.ts'
import { launchBrowser } from '../support/browser.ts'
import { report, run, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'

/*
 * The dashboard with much to show. What is seen must be right; how long frames take, and what the heap holds, is printed
 * (bench/RESULTS.md has it as it was on one machine).
 */

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

const loss = (step: number) => 1 / (1 + step / 1000) + 0.02 * Math.sin(step)
const losses = (from: number, to: number, total: number) =>
  range(from, to).map((current) => ({ progress: { current, total, loss: loss(current) } }))

/** Milliseconds between the frames that a page draws while something happens to it. */
async function framesDuring(page: Page, happen: () => Promise<unknown>) {
  await page.evaluate(`
    globalThis.frames_ = []
    let before = performance.now()
    const frame = (now) => { frames_.push(now - before); before = now; globalThis.isWatching_ !== false && requestAnimationFrame(frame) }
    globalThis.isWatching_ = true
    requestAnimationFrame(frame)`)
  await happen()
  const times = (await page.evaluate('globalThis.isWatching_ = false; frames_')) as number[]
  const sorted = times.sort((a, b) => a - b)
  const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0)
  return { frames: sorted.length, medianMs: at(0.5), p95Ms: at(0.95), worstMs: at(1) }
}

async function boxOf(page: Page) {
  const box = await page.getByRole('img', { name: /^loss by/ }).boundingBox()
  if (!box) throw new Error('the chart is not to be seen')
  return box
}

async function heapMiB(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return Math.round(usedSize / 2 ** 20)
}

it('shows a run of 100,000 points whole, and goes on with it live', async () => {
  const { url } = await testServer()
  const total = 110_000
  const taskId = await startExternal(url, { name: 'long' })
  for (let from = 1; from <= 100_000; from += 1000)
    await report(url, taskId, ...losses(from, from + 999, total))
  const page = await openDashboard(browser, url)
  await page.getByRole('link', { name: 'long' }).waitFor()
  const began = performance.now()
  await page.goto(new URL(taskPath(taskId), url).href)
  await soon(
    async () => (await linesOf(page, 'loss').catch(() => ({ loss: null }))).loss?.points ?? 0,
  ).toBeGreaterThan(900)
  const firstViewMs = Math.round(performance.now() - began)
  const frames = await framesDuring(page, async () => {
    for (let from = 100_001; from < total; from += 100)
      await report(url, taskId, ...losses(from, from + 99, total))
  })
  await page.getByText('step 110,000 of 110,000').waitFor()
  await soon(async () => (await linesOf(page, 'loss')).loss?.newest).toBe(
    String(Number(loss(total).toPrecision(4))),
  )
  expect((await linesOf(page, 'loss')).loss?.points).toBeLessThanOrEqual(2000)
  // Of the part that somebody looks at, the server has more than it gave of the whole.
  const { x, y, width } = await boxOf(page)
  await page.mouse.move(x + width * 0.5, y + 50)
  await page.mouse.down()
  await page.mouse.move(x + width * 0.6, y + 50, { steps: 4 })
  await page.mouse.up()
  await soon(async () => (await linesOf(page, 'loss')).loss?.points).toBeGreaterThan(2500)
  await page.getByRole('button', { name: 'Whole range' }).click()
  await soon(async () => (await linesOf(page, 'loss')).loss?.points).toBeLessThanOrEqual(2000)
  console.log('100,000 points, 10,000 more live', { firstViewMs, ...frames, heapMiB: await heapMiB(page) })
})

it('shows 100,000 points in one chart: twenty runs of 5,000, one of them live', async () => {
  const { url } = await testServer()
  const ids = await Promise.all(range(1, 20).map((index) => startExternal(url, { name: `run-${index}` })))
  for (const id of ids)
    for (let from = 1; from <= 5000; from += 1000) await report(url, id, ...losses(from, from + 999, 5000))
  const runs = ids.map((id) => `gan:training/${id}`).join()
  const page = await openDashboard(browser, url, `/compare?${new URLSearchParams({ runs })}`)
  const points = async () =>
    Object.values(await linesOf(page, 'loss')).reduce((sum, { points }) => sum + points, 0)
  // Six of them are told of to who cannot see them.
  await expect.poll(points, { timeout: 60_000 }).toBe(30_000)
  const live = await startExternal(url, { name: 'live' })
  await report(url, live, ...losses(1, 10, 5000))
  await page.goto(
    new URL(
      `/compare?${new URLSearchParams({ runs: [`gan:training/${live}`, ...ids.slice(1).map((id) => `gan:training/${id}`)].join() })}`,
      url,
    ).href,
  )
  await expect.poll(points, { timeout: 60_000 }).toBe(25_010)
  const frames = await framesDuring(page, async () => {
    for (const step of range(11, 110)) await report(url, live, ...losses(step, step, 5000))
  })
  await soon(points).toBe(25_110)
  const box = await boxOf(page)
  const hovering = await framesDuring(page, () =>
    page.mouse.move(box.x + box.width * 0.9, box.y + 50, { steps: 60 }),
  )
  console.log('100,000 points in a chart, one report at a time', frames, 'hovering', hovering, {
    heapMiB: await heapMiB(page),
  })
})

it('scrolls through a thousand runs that all report', async () => {
  const { url } = await testServer({ EPOCHCAST_MUTATIONS_PER_SECOND: '100000' })
  const ids: string[] = []
  for (const _ of range(1, 20)) {
    const starts = range(1, 50).map(
      (index) => `s${index}: startTraining(input: { trainer: "external" }) { task { id } }`,
    )
    const started = await run(url, `mutation { ${starts.join(' ')} }`)
    for (const { task } of Object.values(started) as { task: { id: string } }[]) ids.push(task.id)
  }
  const page = await openDashboard(browser, url)
  await page.getByText('1000+ shown').waitFor()
  let isOver = false
  const reporting = (async () => {
    for (let step = 1; !isOver; step++)
      for (const id of ids) {
        if (isOver) return
        await report(url, id, ...losses(step, step, 100))
      }
  })()
  const frames = await framesDuring(page, async () => {
    for (const part of range(1, 60)) {
      await page.evaluate(`scrollTo(0, document.body.scrollHeight * ${part / 60})`)
      await page.waitForFunction('new Promise((resolve) => requestAnimationFrame(() => resolve(true)))')
    }
  })
  isOver = true
  await reporting
  await page.getByText('run', { exact: false }).first().waitFor()
  expect(await page.getByRole('row').count()).toBeLessThan(40)
  console.log('1,000 runs that report, scrolling', frames, { heapMiB: await heapMiB(page) })
})
