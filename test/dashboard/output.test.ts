import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProxy } from '../clients/support/proxy.ts'
import { launchBrowser } from '../support/browser.ts'
import { report, run, START, startExternal } from '../support/graphql.ts'
import { print } from '../support/output.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { openDashboard, SLOW, soon, taskPath, violationsOf } from './support/dashboard-page.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

/** Trains a line by gradient descent, and prints what such programs print. */
const TRAINER = `
  const esc = (codes, text) => '\\u001b[' + codes + 'm' + text + '\\u001b[0m'
  console.log(esc('1;36', 'fitting a line') + ' to 64 points, <script>document.title = "owned"</script>')
  console.log('<img src=x onerror="document.title = 1"> &amp; \\u001b]0;owned\\u0007\\u001b[2J\\u202egnp')
  console.error('UserWarning: no graphics card was found')
  const points = Array.from({ length: 64 }, (_, i) => [i / 64, 3 * (i / 64) + 1])
  let [slope, offset] = [0, 0]
  for (let epoch = 1; epoch <= params.epochs; epoch++) {
    for (let step = 1; step <= 20; step++) {
      let [ds, d0, loss] = [0, 0, 0]
      for (const [x, y] of points) {
        const error = slope * x + offset - y
        loss += error * error / 64
        ds += error * x / 32
        d0 += error / 32
      }
      slope -= 0.5 * ds
      offset -= 0.5 * d0
      process.stderr.write('\\repoch ' + epoch + ': ' + '█'.repeat(step) + ' ' + 5 * step + ' %')
      if (step < 20) continue
      process.stderr.write('\\n')
      await report({ progress: { current: epoch, total: params.epochs, loss } })
      console.log('epoch ' + epoch + ' ' + esc('32', 'loss ' + loss.toFixed(6)) + esc('38;5;208', ' slope ') + esc('38;2;255;0;128', slope.toFixed(3)))
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const until = Date.now() + params.seconds * 1000
  while (Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
  console.log(esc('7', ' done '))
  await report({ success: { result: { slope, offset } } })`

const startTrainer = async (url: string, params: object): Promise<string> =>
  (await run(url, START, { input: { trainer: 'line', params } })).startTraining.task.id

const openOutput = (page: Page) => page.getByRole('tab', { name: 'Output' }).click()
const linesIn = (page: Page) => page.getByRole('log').locator('.output-row')
const textOf = async (page: Page) => (await page.getByRole('log').innerText()).replaceAll('\u00a0', ' ')

describe('the output of a run', SLOW, () => {
  it('is watched as a trainer prints it, with its colours, and nothing in it does anything', async () => {
    const file = trainersFile({ line: TRAINER })
    const { url } = await testServer({
      EPOCHCAST_TRAINERS: file,
      EPOCHCAST_SYSTEM_METRICS_SECONDS: '0.3',
      EPOCHCAST_OUTPUT_QUIET_SECONDS: '0.5',
    })
    const taskId = await startTrainer(url, { epochs: 10, seconds: 2 })
    const page = await openDashboard(browser, url, taskPath(taskId))
    await openOutput(page)
    const output = page.getByRole('region', { name: 'Output' })
    await output.getByText('Live').waitFor()
    await output.getByText('Complete').waitFor({ timeout: 30_000 })
    const text = await textOf(page)
    expect(text).toContain('fitting a line to 64 points, <script>document.title = "owned"</script>')
    expect(text).toContain('<img src=x onerror="document.title = 1"> &amp;  gnp')
    // Of a bar that is drawn over itself, the last state.
    const bars = text.match(/epoch 7: .*/g)
    expect(bars).toEqual([`epoch 7: ${'█'.repeat(20)} 100 %`])
    expect(text.match(/epoch \d+ loss/g)).toHaveLength(10)
    await soon(() => page.title()).toBe(`✓ line ${taskId.slice(0, 8)} · Epochcast`)
    // Told apart for who sees, and for who hears.
    const warning = linesIn(page).filter({ hasText: 'UserWarning' })
    expect(await warning.getAttribute('data-stream')).toBe('STDERR')
    expect(await warning.textContent()).toBe('stderr: UserWarning: no graphics card was found')
    const heading = page.getByText('fitting a line', { exact: true })
    expect(await heading.getAttribute('class')).toBe('ansi-colored ansi-bold')
    const colors = await page
      .getByRole('log')
      .locator('.ansi-colored')
      .evaluateAll((spans) =>
        spans.map((span) => [span.textContent, (span as HTMLElement).style.getPropertyValue('--ansi')]),
      )
    expect(await page.locator('.ansi-inverse').textContent()).toBe(' done ')
    expect(Object.fromEntries(colors)).toMatchObject({
      'fitting a line': 'rgb(0, 187, 187)',
      ' slope ': 'rgb(255, 135, 0)',
      '3.000': 'rgb(255, 0, 128)',
    })
    await page.getByRole('checkbox', { name: 'Timestamps' }).check()
    expect(await linesIn(page).first().innerText()).toMatch(/^\d\d:\d\d:\d\d\.\d{3}\s+fitting/)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      expect([colorScheme, await violationsOf(page)]).toEqual([colorScheme, []])
    }

    await page.setViewportSize({ width: 390, height: 844 })
    await soon(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
    expect(await violationsOf(page)).toEqual([])
    await page.setViewportSize({ width: 1280, height: 900 })

    // The machine beside it.
    await page.getByRole('tab', { name: 'Machine' }).click()
    const memory = page.getByRole('img', { name: /^Memory by time/ })
    await soon(() => memory.getAttribute('aria-label')).toMatch(/resident: \d+ points, newest [\d.]+ MiB/)
    await page.getByRole('img', { name: /^CPU by time.*newest [\d.,]+ %/ }).waitFor()
    expect(await violationsOf(page)).toEqual([])
    await page.getByRole('tab', { name: 'Charts' }).click()
    await page.getByRole('img', { name: /^loss by/ }).waitFor()
    expect(await page.getByRole('img', { name: /system|Memory/ }).count()).toBe(0)
  })

  it('goes on where it stood when the connection is lost, follows the end, and finds what is looked for', async () => {
    const { url } = await testServer()
    const proxy = await startProxy(url)
    const taskId = await startExternal(url)
    await print(
      url,
      taskId,
      range(1, 400).map((n) => `line ${n}`),
    )
    const page = await openDashboard(browser, proxy.url, taskPath(taskId), {
      mayFail: /WebSocket connection/,
    })
    await openOutput(page)
    await page.getByText('line 400', { exact: true }).waitFor()
    // Those in view, and some around them.
    expect(await linesIn(page).count()).toBeLessThan(120)
    proxy.hold()
    proxy.cut()
    await page.getByText(/Reconnecting \(attempt \d+/).waitFor()
    await print(
      url,
      taskId,
      range(401, 700).map((n) => `line ${n}`),
    )
    proxy.letGo()
    await page.getByText('line 700', { exact: true }).waitFor()
    await page.getByText('700 lines').waitFor()

    const log = page.getByRole('log')
    await log.hover()
    await page.mouse.wheel(0, -3000)
    const latest = page.getByRole('button', { name: /Jump to latest/ })
    await latest.waitFor()
    const top = await log.evaluate((box) => box.scrollTop)
    await print(url, taskId, [...range(701, 720).map((n) => `line ${n}`), 'needle in the end'])
    await latest.getByText('21 new').waitFor()
    expect(await log.evaluate((box) => box.scrollTop)).toBe(top)
    await latest.click()
    await page.getByText('needle in the end').waitFor()
    expect(await latest.count()).toBe(0)

    await log.focus()
    await page.keyboard.press('Home')
    await page.getByText('line 1', { exact: true }).waitFor()
    await page.keyboard.press('Control+f')
    await page.keyboard.type('LINE 69')
    const count = page.locator('.output-count')
    const current = page.locator('mark[data-current]')
    const found = async () => [
      await count.textContent(),
      await linesIn(page).filter({ has: current }).textContent(),
    ]
    // From what is in view, and around.
    await soon(found).toEqual(['1 of 11', 'line 69'])
    await page.keyboard.press('Shift+Enter')
    await soon(found).toEqual(['11 of 11', 'line 699'])
    await page.keyboard.press('Enter')
    await soon(found).toEqual(['1 of 11', 'line 69'])
    await page.getByRole('button', { name: 'Next match' }).click()
    await soon(found).toEqual(['2 of 11', 'line 690'])
    await page.getByRole('searchbox').fill('no such thing')
    await soon(() => count.textContent()).toBe('Not found')
    expect(await violationsOf(page)).toEqual([])
  })

  it('has earlier lines where somebody scrolls there, says what is missing, and is saved as a text', async () => {
    const { url } = await testServer({ EPOCHCAST_OUTPUT_LINES_PER_SECOND: '10000' })
    const taskId = await startExternal(url)
    for (const from of [1, 801, 1601])
      await print(
        url,
        taskId,
        range(from, from + 799).map((n) => `line ${n} \u001b[31mred\u001b[0m`),
      )
    const lines = [
      { text: '', skipped: 12 },
      { text: 'x'.repeat(3000), isCut: true, member: 'rank-1', stream: 'STDERR' },
    ]
    await print(url, taskId, [], { lines })
    await report(url, taskId, { success: {} })
    const page = await openDashboard(browser, url, taskPath(taskId))
    await openOutput(page)
    await page.getByText('[12 lines were skipped: there were too many at once]').waitFor()
    const last = linesIn(page).last()
    await soon(() => last.textContent()).toMatch(/^stderr: rank-1x+⋯ goes on in the next line$/)
    // It takes as many lines as it needs, or one where they are not wrapped.
    const heightOf = async () => (await last.boundingBox())?.height ?? 0
    expect(await heightOf()).toBeGreaterThan(60)
    await page.getByRole('checkbox', { name: 'Wrap' }).uncheck()
    await soon(heightOf).toBe(20)
    const log = page.getByRole('log')
    await log.focus()
    await page.keyboard.press('Home')
    await page.getByText('2,000 lines').waitFor()
    // What was in view is still there.
    await page.getByText('line 1403 red').waitFor()
    await page.getByRole('button', { name: 'Read earlier lines' }).click()
    await page.getByText('2,402 lines').waitFor()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ])
    expect(file.suggestedFilename()).toBe(`${taskId}.txt`)
    const chunks: Buffer[] = []
    for await (const chunk of await file.createReadStream()) chunks.push(chunk as Buffer)
    const saved = Buffer.concat(chunks).toString().split('\n')
    expect(saved.slice(0, 2400)).toEqual(range(1, 2400).map((n) => `line ${n} red`))
    expect(saved.slice(2400)).toEqual([
      '[12 lines were skipped: there were too many at once]',
      `rank-1: ${'x'.repeat(3000)}`,
      '',
    ])
  })
})
