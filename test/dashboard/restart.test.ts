import { expect, it } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { report, startExternal } from '../support/graphql.ts'
import { serverProcess } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { linesOf, openDashboard, SLOW, soon, taskPath } from './support/dashboard-page.ts'

it(
  'a chart has every point once after its server was killed and started again in mid-run',
  SLOW,
  async () => {
    const { url, kill, start } = await serverProcess({ EPOCHCAST_DATA: dataDirectory() })
    const taskId = await startExternal(url, { name: 'outlives its server' })
    const losses = (from: number, to: number) =>
      range(from, to).map((current) => ({ progress: { current, total: 90, loss: 1 / current } }))
    await report(url, taskId, ...losses(1, 30))
    const browser = await openBrowser()
    const page = await openDashboard(browser, url, taskPath(taskId), { mayFail: /WebSocket connection/ })
    const line = async () => (await linesOf(page, 'loss')).loss
    await soon(line).toEqual({ points: 30, newest: '0.03333' })
    await kill()
    await page.getByText(/Reconnecting \(attempt/).waitFor()
    await start()
    await report(url, taskId, ...losses(31, 90))
    await expect.poll(line, { timeout: 20_000 }).toMatchObject({ points: 90 })
    await report(url, taskId, { success: {} })
    await page.getByRole('list', { name: 'Steps' }).getByText('Succeeded').waitFor()
    expect(await line()).toEqual({ points: 90, newest: '0.01111' })
    expect(await page.getByRole('button', { name: 'Connection' }).textContent()).toBe('Connection: Live')
  },
)
