import { join } from 'node:path'
import { expect, it } from 'vitest'
import { linesOf, openDashboard, soon } from '../dashboard/support/dashboard-page.ts'
import { openBrowser } from '../support/browser.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { serverProcess, testServer } from '../support/server.ts'

it('a real training is watched to its end although its server is killed twice meanwhile', async () => {
  const { url, kill, start } = await serverProcess({
    EPOCHCAST_DATA: dataDirectory(),
    EPOCHCAST_TRAINERS: join(import.meta.dirname, '../../trainers/trainers.json'),
  })
  const page = await openDashboard(await openBrowser(), url, '/start', { mayFail: /WebSocket connection/ })
  await page.getByLabel(/^epochs/).fill('60')
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  const points = async () => (await linesOf(page, 'loss')).validation?.points ?? 0
  for (const least of [3, 12]) {
    await expect.poll(points, { timeout: 60_000 }).toBeGreaterThan(least)
    await kill()
    await page.getByText(/Reconnecting \(attempt/).waitFor()
    await start()
    await expect
      .poll(() => page.getByRole('button', { name: 'Connection' }).textContent(), { timeout: 30_000 })
      .toBe('Connection: Live')
  }
  await page.getByRole('list', { name: 'Steps' }).getByText('Succeeded').waitFor({ timeout: 90_000 })
  expect(await points()).toBe(60)
  expect((await linesOf(page, 'loss')).train?.points).toBe(60)
})

it('the ten seconds of the connection panel count the beats, and time the way', async () => {
  const { url } = await testServer()
  const page = await openDashboard(await openBrowser(), url)
  await page.getByRole('button', { name: 'Connection' }).click()
  await page.getByRole('button', { name: 'Test for 10 seconds' }).click()
  await page.getByText(/Testing: \d+ %/).waitFor()
  const result = page.getByText(/beats of about 100/)
  await result.waitFor({ timeout: 30_000 })
  const text = (await result.textContent()) ?? ''
  const [, beats, longest, median] =
    /^(\d+) beats.*at most (\d+) ms apart; round trip ([\d.]+) ms/.exec(text) ?? []
  // On a machine that is busy some are late; none come that were not sent.
  expect(Number(beats)).toBeGreaterThan(20)
  expect(Number(beats)).toBeLessThan(140)
  expect(Number(longest)).toBeGreaterThan(50)
  expect(Number(median)).toBeGreaterThan(0)
  await soon(() => page.getByRole('button', { name: 'Test for 10 seconds' }).count()).toBe(1)
})
