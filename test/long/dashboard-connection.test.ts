import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { linesOf, openDashboard, soon } from '../dashboard/support/dashboard-page.ts'
import { openBrowser } from '../support/browser.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { serverProcess, testServer } from '../support/server.ts'

const EPOCHS = 60

it('a real training elsewhere is watched to its end although the server is killed twice meanwhile', async () => {
  const { url, kill, start } = await serverProcess({ EPOCHCAST_DATA: dataDirectory() })
  const page = await openDashboard(await openBrowser(), url, '/start', { mayFail: /WebSocket connection/ })
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.getByText('No values yet').waitFor()
  const taskId = new URL(page.url()).pathname.split('/').at(-1) ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'epochcast-tvae-'))
  // It goes on whatever becomes of the server; one that the server launched itself would end with it.
  const trainer = spawn(process.execPath, [join(import.meta.dirname, '../../dist/trainers/tvae/main.js')], {
    env: {
      EPOCHCAST_URL: url,
      EPOCHCAST_TASK_ID: taskId,
      EPOCHCAST_PARAMS: JSON.stringify({ epochs: EPOCHS }),
      EPOCHCAST_MODELS_DIR: folder,
    },
    stdio: 'ignore',
  })
  onTestFinished(async () => {
    if (trainer.exitCode === null && trainer.kill('SIGKILL')) await once(trainer, 'exit')
    rmSync(folder, { recursive: true })
  })
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
  const { train, validation } = await linesOf(page, 'loss')
  expect([train?.points, validation?.points]).toEqual([EPOCHS, EPOCHS])
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
