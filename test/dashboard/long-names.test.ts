import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { report, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { openDashboard, SLOW, soon, taskPath } from './support/dashboard-page.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

const LONGEST = 'm'.repeat(128)

it.each([1280, 390])(
  'names of 128 characters fit into a window of %i pixels, and are whole somewhere',
  SLOW,
  async (width) => {
    const { url } = await testServer()
    const name = 'a_name_without_a_blank_'.repeat(10)
    const taskId = await startExternal(url, { name, params: { [LONGEST]: 1 } })
    const metrics = { [LONGEST]: 1, [`val_${'loss_'.repeat(24)}`]: 2 }
    const stage = 's'.repeat(128)
    await report(url, taskId, ...range(1, 3).map((current) => ({ progress: { current, stage, metrics } })))
    const page = await openDashboard(browser, url, taskPath(taskId), { viewport: { width, height: 900 } })
    const wider = () =>
      page.evaluate(() => {
        const right = (element: Element) => element.getBoundingClientRect().right
        const all = document.querySelectorAll(
          '.chart-plot, .chart-head, .legend, .legend-item b, .tile-value',
        )
        return [...all].filter((part) => right(part) > right(part.closest('.card') ?? part)).length
      })
    const fits = async () => {
      await page.locator('canvas').first().waitFor()
      await soon(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      expect(await wider()).toBe(0)
    }
    await fits()
    expect(await page.getByRole('heading', { name: LONGEST }).getAttribute('title')).toBe(LONGEST)
    expect(await page.locator('.tile-name').first().getAttribute('title')).toMatch(/^(val_loss_|m{128})/)
    await page.goto(new URL(`/compare?runs=gan:training/${taskId}`, url).href)
    await fits()
    expect(await page.getByRole('link', { name }).getAttribute('title')).toBe(name)
  },
)
