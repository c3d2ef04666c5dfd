import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { report, run, startExternal } from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { SECRET_ENV } from '../support/tokens.ts'
import { openDashboard, SLOW, soon, taskPath, violationsOf } from './support/dashboard-page.ts'

/*
 * For whoever uses it: by keyboard, with a screen reader, on a phone, in the dark.
 */

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

const PARAMS = {
  type: 'object',
  required: ['depth'],
  properties: {
    depth: { type: 'integer', minimum: 1, maximum: 9, description: 'How deep.' },
    rate: { type: 'number', default: 0.1 },
    fast: { type: 'boolean', default: true },
    mode: { enum: ['a', 'b'] },
    layers: { type: 'array', items: { type: 'integer' } },
  },
}

/** A server with a run of each kind of end. */
async function setUp() {
  const file = trainersFile(
    { shaped: 'await report({ success: { result: params } })' },
    { shaped: { params: PARAMS } },
  )
  const { url } = await testServer({ EPOCHCAST_TRAINERS: file })
  const start = (name: string) =>
    startExternal(url, { name, labels: { team: 'vision' }, machineId: 'motor_1' })
  const running = await start(
    'a run with a rather long name, as people give them when they try many things at once',
  )
  const losses = range(1, 30).map((current) => ({
    progress: {
      current,
      total: 40,
      stage: 'train',
      loss: current > 28 ? 'NaN' : 1 / current,
      metrics: { accuracy: current / 50 },
    },
  }))
  await report(url, running, ...losses, {
    epochEnd: { epoch: 1, step: 30, phase: 'VAL', metrics: { loss: 0.2 } },
  })
  const failed = await start('failed')
  await report(url, failed, ...losses.slice(0, 5), {
    failure: { error: 'Traceback:\n  line 1\n  line 2', errorType: 'Broken' },
  })
  const succeeded = await start('succeeded')
  await report(url, succeeded, ...losses.slice(0, 5), { success: { result: { accuracy: 0.9 } } })
  return { url, running, failed, succeeded }
}

describe('every page of the dashboard', SLOW, () => {
  it('has nothing that axe objects to, in light and dark', async () => {
    const { url, running, failed, succeeded } = await setUp()
    const page = await openDashboard(browser, url, '/', { reducedMotion: 'reduce' })
    const look = async (
      path: string,
      ready: string,
      open: (page: Page) => Promise<unknown> = async () => {},
    ) => {
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
      await page.goto(new URL(path, url).href)
      await page.getByText(ready).first().waitFor()
      await open(page)
      expect([path, await violationsOf(page)]).toEqual([path, []])
      await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
      expect([path, 'dark', await violationsOf(page, 'color-contrast')]).toEqual([path, 'dark', []])
    }
    await look('/', 'failed', async (page) => {
      await page.getByRole('button', { name: 'Connection' }).click()
      await page.getByText('Round trip').waitFor()
    })
    await look(taskPath(running), 'NaN from step 29')
    await look(taskPath(running), 'NaN from step 29', async (page) => {
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByLabel('Reason').waitFor()
    })
    await look(taskPath(failed), 'line 2', async (page) => {
      await page.getByRole('tab', { name: 'Events' }).click()
      await page.getByRole('log').getByText('failure', { exact: true }).waitFor()
    })
    await look(taskPath(succeeded), 'Result')
    await look(taskPath('never-there'), 'There is no such run')
    await look(taskPath('a', 'not:allowed'), 'This run cannot be shown')
    await look('/start', 'shaped', (page) => page.getByLabel(/^depth/).waitFor())
    await look(`/compare?runs=gan:training/${running},gan:training/${failed}`, 'accuracy')
    await look('/compare', 'No runs chosen')
    await look(`/embed/task/gan%3Atraining/${running}`, 'running')
  })

  it('has dialogs and tabs that axe does not object to either', async () => {
    const { url, running, succeeded } = await setUp()
    const metrics = { 'system/cpu_percent': 120, 'system/memory_bytes': 1e9 }
    const input = { taskId: running, member: 'motor_1', reports: [{ system: { metrics } }] }
    await run(url, 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }', {
      input,
    })
    const page = await openDashboard(browser, url, taskPath(running), { reducedMotion: 'reduce' })
    const look = async (what: string) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        expect([what, colorScheme, await violationsOf(page)]).toEqual([what, colorScheme, []])
      }
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    const choose = async (name: string) => {
      await page.getByRole('button', { name: 'More actions' }).click()
      await page.getByRole('menuitem', { name }).click()
    }
    await choose('Rename and label')
    await page.getByRole('textbox', { name: 'Labels' }).waitFor()
    await look('edit')
    await page.getByRole('button', { name: 'Share' }).click()
    await page.getByRole('button', { name: 'Make a link' }).click()
    await page.getByLabel('Link').waitFor()
    await look('share')
    for (const tab of ['Machine', 'Output']) {
      await page.getByRole('tab', { name: tab }).click()
      await page.getByRole('tabpanel', { name: tab }).waitFor()
      await look(tab)
    }
    await page.goto(new URL(taskPath(succeeded), url).href)
    await choose('Delete')
    await page.getByRole('button', { name: 'Delete the run' }).waitFor()
    await look('delete')
    await page.goto(new URL('/compare', url).href)
    await page.getByRole('button', { name: 'Add a run' }).click()
    await page.getByRole('button', { name: /^failed/ }).waitFor()
    await look('picker')
    const { url: closed } = await testServer({ ...SECRET_ENV })
    const guest = await openDashboard(browser, closed)
    await guest.getByLabel('Token').waitFor()
    expect(await violationsOf(guest)).toEqual([])
  })

  it('fits a phone, and leaves nothing beside its screen', async () => {
    const { url, running, failed } = await setUp()
    const page = await openDashboard(browser, url, '/', {
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    })
    const look = async (path: string, ready: string) => {
      await page.goto(new URL(path, url).href)
      await page.getByText(ready).first().waitFor()
      const [width, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
      expect([path, width]).toEqual([path, shown])
      expect(shown).toBe(360)
    }
    await look('/', 'failed')
    await page.getByRole('link', { name: 'failed' }).tap()
    await page.getByRole('heading', { name: 'failed' }).waitFor()
    await look(taskPath(running), 'NaN from step 29')
    await look(taskPath(failed), 'line 2')
    await look('/start', 'shaped')
    await look(`/compare?runs=gan:training/${running},gan:training/${failed}`, 'accuracy')
    await look(`/embed/task/${running}`, 'running')
  })

  it('is of use to fingers: one shows values, two zoom all charts, and what goes up or down scrolls the page', async () => {
    const { url, running } = await setUp()
    const page = await openDashboard(browser, url, taskPath(running), {
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    })
    const chart = page.getByRole('img', { name: /^accuracy by/ })
    await chart.scrollIntoViewIfNeeded()
    const over = chart.locator('.u-over')
    await over.waitFor()
    const session = await page.context().newCDPSession(page)
    const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', ...parts: number[]) => {
      const { x, y, width, height } = (await over.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
      const touchPoints = parts.map((part, id) => ({ x: x + width * part, y: y + height / 2, id }))
      await session.send('Input.dispatchTouchEvent', { type, touchPoints })
    }
    const pinch = async (...parts: readonly [left: number, right: number][]) => {
      const [[first, second] = [0, 0], ...others] = parts
      await touch('touchStart', first)
      await touch('touchStart', first, second)
      for (const places of others) await touch('touchMove', ...places)
      await touch('touchEnd')
    }
    const step = async () =>
      Number((await page.locator('.legend-x').allTextContents())[0]?.replace('step ', ''))
    // Of 30 steps.
    await touch('touchStart', 0.1)
    await soon(step).toBeLessThan(6)
    await touch('touchMove', 0.9)
    await soon(step).toBeGreaterThan(25)
    await touch('touchEnd')
    await pinch([0.4, 0.6], [0.3, 0.7], [0.2, 0.8], [0.1, 0.9])
    await page.getByRole('button', { name: 'Whole range' }).waitFor()
    await touch('touchStart', 0.05)
    await soon(step).toBeGreaterThan(9)
    await touch('touchMove', 0.95)
    await soon(step).toBeLessThan(22)
    await touch('touchEnd')
    // Closer again than they were, all is shown.
    await pinch([0.05, 0.95], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6])
    await page.getByRole('button', { name: 'Whole range' }).waitFor({ state: 'detached' })
    await touch('touchStart', 0.95)
    await soon(step).toBeGreaterThan(27)
    await touch('touchEnd')
    const scrolled = () => page.evaluate(() => scrollY)
    const before = await scrolled()
    const { x, y } = (await over.boundingBox()) ?? { x: 0, y: 0 }
    for (const up of range(0, 20)) {
      const touchPoints = [{ x: x + 100, y: y + 100 - 10 * up, id: 0 }]
      await session.send('Input.dispatchTouchEvent', {
        type: up === 0 ? 'touchStart' : 'touchMove',
        touchPoints,
      })
    }
    await touch('touchEnd')
    await soon(async () => (await scrolled()) - before).toBeGreaterThan(50)
    expect(await page.getByRole('button', { name: 'Whole range' }).count()).toBe(0)
  })

  it('is of use without a mouse: from the list to a run, its crosshair, its dialogs and back', async () => {
    const { url, running } = await setUp()
    const page = await openDashboard(browser, url)
    await page.getByRole('link', { name: 'failed' }).waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
    const tabTo = async (text: string | RegExp) => {
      for (const _ of range(1, 60)) {
        await page.keyboard.press('Tab')
        if ((await focused()).match(text)) return
      }
      throw new Error(`no way by Tab to ${text}`)
    }
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to content')
    await tabTo(/^a run with/)
    await page.keyboard.press('Enter')
    await page.getByText('NaN from step 29').waitFor()
    expect(page.url()).toContain(running)

    const chart = page.getByRole('img', { name: /^accuracy by/ })
    await chart.locator('canvas').waitFor()
    await chart.focus()
    for (const back of range(1, 10)) {
      await page.keyboard.press('ArrowLeft')
      await soon(() => page.getByText(`step ${31 - back}`, { exact: true }).count()).toBe(2)
    }
    expect(await page.getByRole('figure').filter({ hasText: 'accuracy' }).textContent()).toContain('0.42')

    // Around step 21, half of the steps, and half of those.
    await page.keyboard.press('+')
    await page.keyboard.press('+')
    await page.getByRole('button', { name: 'Whole range' }).waitFor()
    for (const _ of range(1, 20)) await page.keyboard.press('PageUp')
    await page.keyboard.press('-')
    await page.keyboard.press('-')
    await page.getByRole('button', { name: 'Whole range' }).waitFor({ state: 'detached' })
    await page.keyboard.press('+')
    await page.getByRole('button', { name: 'Whole range' }).waitFor()
    await page.keyboard.press('0')
    await page.getByRole('button', { name: 'Whole range' }).waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Share' }).focus()
    await tabTo('Cancel')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').focus()
    await page.keyboard.type('by hand')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await soon(focused).toBe('Cancel')
    await page.keyboard.press('Enter')
    await dialog.getByLabel('Reason').focus()
    await page.keyboard.press('Enter')
    await page.getByText('Asked to stop.').or(page.getByText('Cancelled.')).first().waitFor()
  })

  it('makes a form of a schema, and tells what the server refuses', async () => {
    const { url } = await setUp()
    const page = await openDashboard(browser, url, '/start')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    // Without a depth the browser itself says so.
    expect(
      await page.getByLabel(/^depth/).evaluate((input: HTMLInputElement) => input.validity.valueMissing),
    ).toBe(true)
    await page.getByLabel(/^depth/).fill('4')
    await page.getByLabel('fast').selectOption('false')
    await page.getByLabel('mode').selectOption('b')
    await page.getByLabel('layers').fill('[1, "two"]')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page
      .getByRole('alert')
      .getByText(/layers.1 is "two"/)
      .waitFor()
    await page.getByLabel('layers').fill('[1, 2]')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    const details = page.getByRole('complementary', { name: 'Details' })
    await expect
      .poll(() => details.textContent(), { timeout: 10_000 })
      .toMatch(/Result.*depth4.*fastfalse.*modeb.*layers\[1,2\]/)
  })
})
