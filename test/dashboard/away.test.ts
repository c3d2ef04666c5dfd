import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProxy } from '../clients/support/proxy.ts'
import { launchBrowser } from '../support/browser.ts'
import { report, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { openDashboard, SLOW, soon, taskPath } from './support/dashboard-page.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

const mayFail = /WebSocket connection|ERR_|dynamically imported/

describe('while the server is away', SLOW, () => {
  it('a page that could not be loaded comes by itself once it is back', async () => {
    const { url } = await testServer()
    const proxy = await startProxy(url)
    const page = await openDashboard(browser, proxy.url, '/', { mayFail })
    await page.getByText('No runs yet').waitFor()
    proxy.hold()
    proxy.cut()
    await page.getByText(/Reconnecting \(attempt/).waitFor()
    await page.getByRole('link', { name: 'Compare' }).click()
    await page.getByText('This page could not be shown').waitFor()
    proxy.letGo()
    await page.getByText('No runs chosen').waitFor({ timeout: 20_000 })
  })

  it('a phone says so in a word that it has room for, and no time is left when it is over', async () => {
    const { url } = await testServer()
    const proxy = await startProxy(url)
    const taskId = await startExternal(url)
    await report(url, taskId, { progress: { current: 1, total: 3 } })
    await new Promise((resolve) => setTimeout(resolve, 700))
    await report(url, taskId, { progress: { current: 2, total: 3 } })
    const viewport = { width: 390, height: 844 }
    const page = await openDashboard(browser, proxy.url, taskPath(taskId), { mayFail, viewport })
    await page.getByText('step 2 of 3').waitFor()
    proxy.hold()
    proxy.cut()
    const word = page.getByText('Retrying', { exact: true })
    await word.waitFor()
    expect(await word.evaluate((text) => text.scrollWidth - text.clientWidth)).toBe(0)
    await soon(() => page.locator('.run-eta').count()).toBe(0)
    expect(await page.getByText('0s left').count()).toBe(0)
  })
})
