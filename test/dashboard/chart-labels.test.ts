import { expect, it } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { report, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { openDashboard, SLOW, soon, taskPath } from './support/dashboard-page.ts'

interface Drawn {
  readonly text: string
  readonly baseline: string
  /** Of its end, beyond the right edge of its canvas. */
  readonly beyond: number
  /** Marks and lines that are drawn after it, by the next label. */
  fillsAfter: number
}

it('labels of a chart are whole, and names of what is not finite are above all marks', SLOW, async () => {
  const { url } = await testServer()
  const taskId = await startExternal(url)
  const reports = range(1, 40).map((index) => ({
    progress: { current: index * 500, total: 20_000, loss: index < 20 ? 1 / index : 'NaN' },
  }))
  await report(url, taskId, ...reports)
  const page = await openDashboard(await openBrowser(), url)
  await page.addInitScript(() => {
    const drawn: Drawn[] = []
    Object.assign(window, { drawn })
    const { fillText, fill } = CanvasRenderingContext2D.prototype
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
      const end = x + this.measureText(text).width * (this.textAlign === 'center' ? 0.5 : 0)
      drawn.push({ text, baseline: this.textBaseline, beyond: end - this.canvas.width, fillsAfter: 0 })
      fillText.call(this, text, x, y)
    }
    CanvasRenderingContext2D.prototype.fill = function (...args: unknown[]) {
      const last = drawn.at(-1)
      if (last) last.fillsAfter++
      Reflect.apply(fill, this, args)
    }
  })
  await page.goto(new URL(taskPath(taskId), url).href)
  const named = async (name: string) =>
    ((await page.evaluate('drawn')) as Drawn[]).filter(({ text }) => text === name)
  await soon(async () => (await named('NaN')).length).toBeGreaterThan(0)
  const last = (await named('20,000')).at(-1)
  expect(last?.beyond).toBeLessThanOrEqual(0)
  expect((await named('NaN')).at(-1)).toMatchObject({ baseline: 'alphabetic', fillsAfter: 0 })
})
