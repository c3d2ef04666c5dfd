import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { startProxy } from '../clients/support/proxy.ts'
import { launchBrowser } from '../support/browser.ts'
import { testServer } from '../support/server.ts'
import { openDashboard, SLOW } from './support/dashboard-page.ts'

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
})
