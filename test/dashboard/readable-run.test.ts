import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

describe('a run', SLOW, () => {
  it('steps from a million on are whole in its head, at the crosshair and among the events', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const reports = range(0, 49).map((index) => {
      const current = 1_200_000 + index * 100
      return {
        progress: { current, total: 5_000_000, loss: 0.6942 + index * 1e-6, metrics: { tokens: current } },
      }
    })
    await report(url, taskId, ...reports)
    const page = await openDashboard(browser, url, taskPath(taskId))
    await page.getByText('step 1,204,900 of 5,000,000').waitFor()
    const tiles = page.locator('.tile-value')
    await soon(() => tiles.allTextContents()).toEqual(['0.694249', '1,204,900'])
    await page.getByRole('img', { name: /^loss by step/ }).focus()
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    const loss = page.getByRole('figure').filter({ hasText: 'loss' })
    await soon(() => loss.textContent()).toMatch(/loss0\.694248step 1,204,800$/)
    await page.getByRole('tab', { name: 'Events' }).click()
    await page.getByText('1,204,900 of 5,000,000 · ').waitFor()
  })

  it('has the digits of its parameters and its result as they were given', async () => {
    const { url } = await testServer()
    const params = { learning_rate: 0.00031416, dropout: 0.123456, seed: 1_234_567, decay: 1e-7 }
    const taskId = await startExternal(url, { params })
    await report(url, taskId, { success: { result: { final_loss: 0.69324712345, best_step: 1_204_900 } } })
    const page = await openDashboard(browser, url, taskPath(taskId))
    const facts = (name: string) =>
      page
        .locator('section')
        .filter({ has: page.getByRole('heading', { name }) })
        .locator('dd')
        .allTextContents()
    await soon(async () => (await facts('Parameters')).sort()).toEqual([
      '0.00031416',
      '0.123456',
      '1234567',
      '1e-7',
    ])
    expect(await facts('Result')).toEqual(['0.69324712345', '1204900'])
  })

  it('leads with the words of a long traceback, and opens it at its end', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const frames = range(1, 100).map(
      (index) => `  File "m${index}.py", line ${index}, in call\n    return f(x)`,
    )
    const error = ['Traceback (most recent call last):', ...frames, 'RuntimeError: shapes differ'].join('\n')
    await report(url, taskId, { failure: { error, errorType: 'RuntimeError' } })
    const page = await openDashboard(browser, url, taskPath(taskId))
    const region = page.getByRole('region', { name: 'Error' })
    await region.getByText('shapes differ', { exact: true }).waitFor()
    const below = () =>
      region.locator('pre').evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight)
    expect(await below()).toBeLessThan(2)
    expect(await region.locator('pre').evaluate((box) => box.scrollTop)).toBeGreaterThan(500)
    await page.getByRole('tab', { name: 'Events' }).click()
    const row = page.getByRole('log').getByText('RuntimeError · shapes differ', { exact: true })
    expect(await row.getAttribute('title')).toContain('m50.py')
    await page.getByRole('searchbox', { name: 'Filter events' }).fill('m50.py')
    await row.waitFor()
  })
})
