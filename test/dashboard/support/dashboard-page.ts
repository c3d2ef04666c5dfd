import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'

/** A person's window on a server's dashboard; whatever the page complains of fails the test. */
export async function openDashboard(
  browser: Browser,
  url: string,
  path = '/',
  options: BrowserContextOptions & { readonly mayFail?: RegExp } = {},
): Promise<Page> {
  const { mayFail, ...context } = options
  const opened = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...context })
  onTestFinished(() => opened.close())
  return openTab(opened, url, path, mayFail)
}

/** Another tab of the same window. */
export async function openTab(
  context: BrowserContext,
  url: string,
  path: string,
  mayFail?: RegExp,
): Promise<Page> {
  const page = await context.newPage()
  const { origin } = new URL(url)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error.stack)))
  page.on('console', (message) => {
    // What the policy of the page refuses is told here, too.
    if (message.type() === 'error' && !mayFail?.test(message.text())) complaints.push(message.text())
  })
  page.on('request', (request) => {
    const asked = request.url()
    if (!asked.startsWith(origin) && !/^(blob|data):/.test(asked)) complaints.push(`asked for ${asked}`)
  })
  onTestFinished(() => expect(complaints).toEqual([]))
  await page.goto(origin + path)
  return page
}

/** For tests with a browser, a server and trainings of their own on a machine with others. */
export const SLOW = { timeout: 90_000 } as const

/** What a page comes to show, however slow the machine is. */
export const soon = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 10_000, interval: 20 })

export const taskPath = (id: string, channelPrefix = 'gan:training'): string =>
  `/tasks/${encodeURIComponent(channelPrefix)}/${id}`

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/**
 * What axe finds wrong with a page as it stands: rule, and the elements that break it.
 *
 * @param rules only these
 */
export async function violationsOf(page: Page, ...rules: string[]): Promise<unknown> {
  // As the browser's own tools do it: the page's policy allows no script that is written into it.
  const session = await page.context().newCDPSession(page)
  await session.send('Runtime.evaluate', { expression: axe })
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, ${JSON.stringify({ resultTypes: ['violations'], ...(rules.length > 0 && { runOnly: rules }) })}).then(({ violations }) =>
      violations.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => [String(target), failureSummary])]))`,
    awaitPromise: true,
    returnByValue: true,
  })
  await session.detach()
  return result.value
}

/** What a chart tells of its lines to who cannot see it: points and newest value by line. */
export async function linesOf(
  page: Page,
  chart: string,
): Promise<Record<string, { points: number; newest: string }>> {
  const label =
    (await page.getByRole('img', { name: new RegExp(`^${chart} by`) }).getAttribute('aria-label')) ?? ''
  const lines = [...label.matchAll(/([\w·. -]+): (\d+) points, newest ([^;]+)/g)]
  return Object.fromEntries(
    lines.map(([, line = '', points, newest = '']) => [
      line.trim().replace(/^.*\. /, ''),
      { points: Number(points), newest },
    ]),
  )
}
