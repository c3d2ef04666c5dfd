import { join } from 'node:path'
import type { Browser, Download } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createClient, StartTrainingDocument } from '../../clients/typescript/index.ts'
import { startProxy } from '../clients/support/proxy.ts'
import { launchBrowser } from '../support/browser.ts'
import { report, run, startExternal } from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { SECRET_ENV, tokenFor } from '../support/tokens.ts'
import { linesOf, openDashboard, openTab, SLOW, soon, taskPath } from './support/dashboard-page.ts'

const TRAINERS = join(import.meta.dirname, '../../trainers/trainers.json')

/** Reports with a loss that falls, and NaN from a step on. */
const losses = (from: number, to: number, nanFrom = Number.POSITIVE_INFINITY) =>
  range(from, to).map((current) => ({
    progress: { current, total: 100, loss: current >= nanFrom ? 'NaN' : 1 / current },
  }))

async function textOf(download: Download): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

describe('the dashboard', SLOW, () => {
  it('starts a real training from its form, and shows it to its end', async () => {
    const { url } = await testServer({ EPOCHCAST_TRAINERS: TRAINERS })
    const page = await openDashboard(browser, url)
    await page.getByText('No runs yet').waitFor()
    await page.getByRole('link', { name: 'Start', exact: true }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('first of all')
    await page.getByLabel(/^epochs/).fill('4')
    await page.getByLabel(/^rows/).fill('200')
    await page.getByLabel('Labels').fill('team=vision')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.getByRole('heading', { name: 'first of all' }).waitFor()
    await page.getByRole('list', { name: 'Steps' }).getByText('Succeeded').waitFor({ timeout: 20_000 })
    await soon(() => page.title()).toBe('✓ first of all · Epochcast')
    expect(await page.getByRole('progressbar', { name: 'Progress' }).getAttribute('aria-valuenow')).toBe(
      '100',
    )
    await page.getByText('epoch 4 of 4').waitFor()
    const { train, validation } = await linesOf(page, 'loss')
    expect([train?.points, validation?.points]).toEqual([4, 4])
    const details = page.getByRole('complementary', { name: 'Details' })
    await soon(() => details.textContent()).toMatch(/Result.*teamvision|team vision.*/s)
    expect(await details.textContent()).toMatch(/Parameters.*epochs4/)
    await page.getByRole('tab', { name: 'Events' }).click()
    await page.getByRole('log').getByText('success', { exact: true }).waitFor()
  })

  it('shows what is reported in each of its tabs, and the end', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url, { name: 'in two tabs' })
    await report(url, taskId, ...losses(1, 40))
    const first = await openDashboard(browser, url, taskPath(taskId))
    const second = await openTab(first.context(), url, '/')
    await second.getByRole('link', { name: 'in two tabs' }).click()
    const tabs = [first, second]
    const points = () => Promise.all(tabs.map(async (tab) => (await linesOf(tab, 'loss')).loss?.points))
    await soon(points).toEqual([40, 40])
    await report(url, taskId, ...losses(41, 60))
    await soon(points).toEqual([60, 60])
    await first.getByText('60.0 %').waitFor()
    await report(url, taskId, ...losses(61, 62, 61), {
      failure: { error: 'loss is NaN\n  in step 61', errorType: 'Diverged' },
    })
    for (const tab of tabs) {
      await tab.getByRole('region', { name: 'Error' }).getByText('in step 61').waitFor()
      await tab.getByText('NaN from step 61').waitFor()
      await soon(() => tab.title()).toBe('✗ in two tabs · Epochcast')
      // It is drawn a moment after the words.
      await soon(() => linesOf(tab, 'loss')).toEqual({ loss: { points: 62, newest: 'NaN' } })
    }
  })

  it('cancels after asking, renames, labels, downloads and deletes', async () => {
    const file = trainersFile({
      waits: `for (let current = 1; ; current++) {
        const { stopRequested } = await report({ progress: { current, loss: 1 / current } })
        if (stopRequested) process.exit(0)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }`,
    })
    const { url } = await testServer({ EPOCHCAST_TRAINERS: file })
    const input = { input: { trainer: 'waits', labels: { gpus: 4, team: 'audio' } } }
    const { startTraining } = await run(
      url,
      'mutation ($input: StartTrainingInput!) { startTraining(input: $input) { task { id } } }',
      input,
    )
    const { id } = startTraining.task
    const page = await openDashboard(browser, url, taskPath(id))
    const choose = async (name: string) => {
      await page.getByRole('button', { name: 'More actions' }).click()
      await page.getByRole('menuitem', { name }).click()
    }
    await choose('Rename and label')
    const labels = page.getByRole('textbox', { name: 'Labels' })
    await page.getByLabel('Name', { exact: true }).fill('called otherwise')
    await soon(() => labels.inputValue()).toBe('gpus=4\nteam=audio')
    await labels.fill('gpus=4\nteam=vision')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'called otherwise' }).waitFor()
    const { task } = await run(url, '{ task(id: "ID") { labels } }'.replace('ID', id))
    expect(task.labels).toEqual({ gpus: 4, team: 'vision' })
    await soon(() => page.getByRole('list', { name: 'Labels' }).textContent()).toContain('team vision')

    await page.getByRole('button', { name: 'Cancel' }).click()
    const dialog = page.getByRole('dialog')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Cancel' }).click()
    await dialog.getByLabel('Reason').fill('seen enough')
    await dialog.getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByRole('list', { name: 'Steps' }).getByText('Cancelled').waitFor()
    await page.getByText('seen enough').waitFor()

    const [csv] = await Promise.all([page.waitForEvent('download'), choose('Download CSV')])
    expect(csv.suggestedFilename()).toBe(`${id}.csv`)
    expect(await textOf(csv)).toMatch(
      /^metric,phase,member,axis,step,epoch,attempt,timestamp,value\nloss,,,STEP,1,,1,[^,]+,1\n/,
    )
    const [json] = await Promise.all([page.waitForEvent('download'), choose('Download JSON')])
    expect(json.suggestedFilename()).toBe(`${id}.json`)
    const saved = JSON.parse(await textOf(json))
    expect(saved).toMatchObject({
      id,
      name: 'called otherwise',
      status: 'CANCELLED',
      stopReason: 'seen enough',
    })
    expect(saved.series[0].name).toBe('loss')
    expect(saved.series[0].points[0]).toMatchObject({ step: 1, attempt: 1, value: 1 })
    await choose('Delete')
    await page.getByRole('button', { name: 'Delete the run' }).click()
    await page.getByText('No runs yet').waitFor()
  })

  it('shows stalls and retries in the steps of a run, and where it ended without having run', async () => {
    const { url } = await testServer({ EPOCHCAST_STALL_SECONDS: '1' })
    const taskId = await startExternal(url, { name: 'unsteady' })
    const page = await openDashboard(browser, url, taskPath(taskId))
    const steps = page.getByRole('list', { name: 'Steps' })
    const current = async () => (await steps.locator('[aria-current=step]').allTextContents()).join()
    await soon(current).toMatch(/^Queued/)
    await report(url, taskId, ...losses(1, 3))
    await soon(current).toMatch(/^Running/)
    await soon(current).toBe('Stalledthe trainer is silent')
    expect(await page.title()).toBe('… unsteady · Epochcast')
    const input = { taskId, attempt: 2, reports: losses(1, 4) }
    await run(url, 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }', {
      input,
    })
    await soon(current).toMatch(/^(Running|Stalled)/)
    await page.getByText('attempt 2').first().waitFor()
    await report(url, taskId, { success: {} })
    await steps.getByText('Succeeded').waitFor()
    await steps.getByText('attempt 2').waitFor()
    expect(await current()).toBe('')

    const unborn = await startExternal(url, { name: 'unborn' })
    await run(
      url,
      'mutation ($input: CancelTrainingInput!) { cancelTraining(input: $input) { task { id } } }',
      {
        input: { taskId: unborn },
      },
    )
    await page.goto(new URL(taskPath(unborn), url).href)
    await steps.getByText('Never ran').waitFor()
    expect(await current()).toBe('')
  })

  it('holds a thousand runs, of which only those in view are in the page; new ones appear, and any is found', async () => {
    const { url } = await testServer()
    for (const fifty of range(0, 19)) {
      const starts = range(1, 50).map(
        (index) =>
          `s${index}: startTraining(input: { trainer: "external", name: "run ${fifty * 50 + index}", machineId: "node-${fifty}" }) { task { id } }`,
      )
      await run(url, `mutation { ${starts.join(' ')} }`)
    }
    const page = await openDashboard(browser, url)
    await page.getByText('1000+ shown').waitFor()
    const rows = page.getByRole('row')
    expect(await rows.count()).toBeLessThan(40)
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('1001')
    await page.getByRole('button', { name: 'Age' }).click()
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    await page.getByRole('link', { name: 'run 1000', exact: true }).waitFor()
    expect(await rows.count()).toBeLessThan(40)
    await page.evaluate(() => scrollTo(0, 0))
    await page.getByRole('button', { name: 'Age' }).click()
    const taskId = await startExternal(url, { name: 'the newest' })
    await page.getByRole('link', { name: 'the newest' }).waitFor()
    await report(url, taskId, ...losses(1, 25))
    await page.getByRole('row').filter({ hasText: 'the newest' }).getByText('25.0 %').waitFor()
    await page.getByRole('searchbox').fill('NODE-13 run')
    await page.getByText('50 shown').waitFor()
    await page.getByRole('searchbox').fill('')
    await page.getByText('Active').click()
    await page.getByText('1000+ shown').waitFor()
    await page.getByText('Failed', { exact: true }).click()
    await page.getByText('No run matches').waitFor()
  })

  it('asks for a token where the server wants one, and keeps it out of every address', async () => {
    const { url } = await testServer({ ...SECRET_ENV, EPOCHCAST_PUBLIC_URL: '' })
    const bearer = await tokenFor(600)
    const { startTraining } = await run(
      url,
      'mutation { startTraining(input: { trainer: "external", name: "secret run" }) { task { id } } }',
      {},
      bearer,
    )
    const { id } = startTraining.task
    const page = await openDashboard(browser, url, taskPath(id))
    await page.getByRole('heading', { name: 'This server wants a token' }).waitFor()
    await page.getByLabel('Token').fill(await tokenFor(-60))
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByText(/refused: .*expired/).waitFor()
    await page.getByLabel('Token').fill(bearer)
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('heading', { name: 'secret run' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'secret run' }).waitFor()
    expect(page.url()).not.toContain(bearer)

    await page.getByRole('button', { name: 'Share' }).click()
    await page.getByRole('button', { name: 'Make a link' }).click()
    const link = await page.getByLabel('Link').inputValue()
    expect(link).toContain('#token=')
    const { pathname, hash } = new URL(link)
    // A window of somebody else.
    const guest = await openDashboard(browser, url, pathname + hash)
    await guest.getByRole('heading', { name: 'secret run' }).waitFor()
    expect(guest.url()).not.toContain('token')
    await guest.goto(new URL('/', url).href)
    await soon(() => guest.getByRole('row').count()).toBe(2)
    await guest.getByRole('link', { name: 'secret run' }).click()
    await guest.getByRole('button', { name: 'Cancel' }).click()
    await guest.getByRole('button', { name: 'Cancel the run' }).click()
    await guest
      .getByRole('alert')
      .getByText(/tasks:cancel/)
      .waitFor()
  })

  it('says that the connection is lost, and goes on by itself where it stood', async () => {
    const server = await testServer()
    const { url } = server
    const proxy = await startProxy(url)
    const taskId = await startExternal(url, { name: 'far away' })
    await report(url, taskId, ...losses(1, 20))
    const page = await openDashboard(browser, proxy.url, taskPath(taskId), {
      mayFail: /WebSocket connection/,
    })
    await soon(async () => (await linesOf(page, 'loss')).loss?.points).toBe(20)
    proxy.hold()
    proxy.cut()
    await page.getByText(/Reconnecting \(attempt \d+/).waitFor()
    await report(url, taskId, ...losses(21, 50))
    proxy.letGo()
    await expect
      .poll(async () => (await linesOf(page, 'loss')).loss, { timeout: 10_000 })
      .toEqual({ points: 50, newest: '0.02' })
    await page.getByText('50.0 %').waitFor()
    const pill = page.getByRole('button', { name: 'Connection' })
    await soon(() => pill.textContent()).toBe('Connection: Live')
    await pill.click()
    await soon(() => page.getByRole('dialog').textContent()).toMatch(
      /Round trip\d+\.\d ms.*memory, connected/,
    )
    await page.getByRole('button', { name: 'Disconnect' }).click()
    await soon(() => pill.textContent()).toBe('Connection: Disconnected')
    await report(url, taskId, ...losses(51, 60))
    expect((await linesOf(page, 'loss')).loss?.points).toBe(50)
    // Nor does it connect for what is looked at next.
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Compare' }).click()
    await page.getByRole('button', { name: 'Add a run' }).click()
    await page.getByText('Loading', { exact: true }).waitFor()
    expect(await pill.textContent()).toBe('Connection: Disconnected')
    await page.goBack()
    await pill.click()
    expect(server.gauges().sockets).toBe(0)
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await soon(async () => (await linesOf(page, 'loss')).loss?.points).toBe(60)
  })

  it('says that the server does not take calls from its address', async () => {
    const { url } = await testServer({ EPOCHCAST_ALLOWED_ORIGINS: 'https://app.example' })
    const page = await openDashboard(browser, url, '/', { mayFail: /WebSocket connection|403/ })
    await page
      .getByRole('alert')
      .getByText(/EPOCHCAST_ALLOWED_ORIGINS/)
      .waitFor()
  })

  it('compares runs on one chart, and shows one in a frame of another page', async () => {
    const { url } = await testServer()
    const ids = await Promise.all(['red', 'green', 'blue'].map((name) => startExternal(url, { name })))
    for (const [index, id] of ids.entries()) await report(url, id, ...losses(1, 10 * (index + 1)))
    const page = await openDashboard(browser, url)
    await page.getByRole('checkbox', { name: 'Compare red' }).check()
    await page.getByRole('checkbox', { name: 'Compare green' }).check()
    await page.getByRole('button', { name: 'Compare 2' }).click()
    await soon(async () => (await linesOf(page, 'loss')).green?.points).toBe(20)
    await page.getByRole('button', { name: 'Add a run' }).click()
    await page.getByRole('button', { name: /^blue/ }).click()
    await page.keyboard.press('Escape')
    const [, green = ''] = ids
    await report(url, green, ...losses(21, 25))
    const points = async () =>
      Object.entries(await linesOf(page, 'loss')).map(([name, { points }]) => [name, points])
    await soon(async () => Object.fromEntries(await points())).toEqual({ red: 10, green: 25, blue: 30 })
    await page.getByRole('button', { name: 'Remove red' }).click()
    await soon(async () => Object.fromEntries(await points())).toEqual({ green: 25, blue: 30 })
    const twice = `gan:training/${green},gan:training/${green}`
    await page.goto(new URL(`/compare?runs=${twice}`, url).href)
    await page.getByText('1 run', { exact: true }).waitFor()
    await soon(async () => Object.fromEntries(await points())).toEqual({ green: 25 })

    const frame = await openDashboard(browser, url, `/embed/task/gan%3Atraining/${green}`)
    await frame.getByText('step 25 of 100').waitFor()
    await report(url, green, ...losses(26, 30))
    await frame.getByText('step 30 of 100').waitFor()
    expect(await frame.getByRole('img').getAttribute('aria-label')).toBe('loss from 0.03333 to 1')
    expect(await frame.getByRole('button').count()).toBe(0)
    await frame.getByText('loss 0.03333').waitFor()
    // A metric that nobody reports has no value, and not another's.
    await frame.goto(new URL(`/embed/task/${green}?metric=accuracy`, url).href)
    await frame.getByText('step 30 of 100').waitFor()
    expect(await frame.getByRole('main').textContent()).not.toContain('0.03333')
  })

  it('has one crosshair and one zoom for all charts, smooths them and shows them by their logarithm', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const values = range(1, 100).map((current) => ({
      progress: {
        current,
        epoch: current / 10,
        total: 100,
        loss: 1 / current,
        metrics: { accuracy: current / 100 },
      },
    }))
    await report(url, taskId, ...values)
    const page = await openDashboard(browser, url, taskPath(taskId))
    const plot = page.getByRole('img', { name: /^loss by step/ })
    const { x, y, width, height } = (await plot.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    const hover = (part: number) => page.mouse.move(x + width * part, y + height / 2, { steps: 3 })
    const crosshairs = () => page.locator('.legend-x').allTextContents()
    await hover(0.5)
    await soon(async () => (await crosshairs()).length).toBe(2)
    expect(new Set(await crosshairs()).size).toBe(1)
    const stepAt = async () => Number((await crosshairs())[0]?.replace('step ', ''))
    expect(await stepAt()).toBeGreaterThan(40)
    await page.mouse.down()
    await hover(0.75)
    await page.mouse.up()
    await page.getByRole('button', { name: 'Whole range' }).waitFor()
    // What is at the left is now what was in the middle, in the other chart as well.
    const other = (await page.getByRole('img', { name: /^accuracy by/ }).boundingBox()) ?? {
      x: 0,
      y: 0,
      width: 0,
      height: 0,
    }
    await page.mouse.move(other.x + other.width * 0.15, other.y + other.height / 2, { steps: 3 })
    await soon(stepAt).toBeGreaterThan(40)
    await page.getByRole('slider', { name: 'Smoothing' }).fill('0.9')
    await page.getByLabel('Log scale').check()
    await page.mouse.move(other.x + other.width * 0.5, other.y + other.height / 2, { steps: 3 })
    const accuracy = page.getByRole('figure').filter({ hasText: 'accuracy' })
    // A mean of what came before, where the values only rise.
    const shown = async () =>
      Number(/accuracy(0\.\d+)/.exec((await accuracy.textContent())?.replace('accuracy', '') ?? '')?.[1])
    await soon(async () => (await shown()) < (await stepAt()) / 100 - 0.05).toBe(true)
    await page.getByText('Epoch', { exact: true }).click()
    await page.getByRole('img', { name: /^loss by epoch/ }).waitFor()
    expect(await page.getByRole('button', { name: 'Whole range' }).count()).toBe(0)
    expect(await linesOf(page, 'loss')).toEqual({ loss: { points: 100, newest: '0.01' } })
  })

  it('tells the end of a run by the icon of its tab, and by a notification where that is wanted', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url, { name: 'worth waiting for' })
    await report(url, taskId, ...losses(1, 5))
    const page = await openDashboard(browser, url, '/', { permissions: ['notifications'] })
    await page.evaluate(() => {
      const shown: string[] = []
      class Kept extends EventTarget {
        static permission = 'granted'
        static requestPermission = async () => 'granted'
        constructor(title: string) {
          super()
          shown.push(title)
        }
      }
      Object.assign(window, { Notification: Kept, shown })
    })
    const icon = () => page.locator('link[rel=icon]').getAttribute('href')
    expect(await icon()).toBe('/favicon.svg')
    await page.getByRole('link', { name: 'worth waiting for' }).click()
    const bell = page.getByRole('button', { name: 'Notify me when it ends' })
    await bell.click()
    await soon(() => bell.getAttribute('aria-pressed')).toBe('true')
    await soon(icon).toMatch(/^data:image\/png/)
    const before = await icon()
    await report(url, taskId, { success: { result: { accuracy: 0.9 } } })
    await soon(() => page.evaluate('shown')).toEqual(['worth waiting for: succeeded'])
    await soon(icon).not.toBe(before)
    await page.getByRole('link', { name: 'All runs' }).click()
    await soon(icon).toBe('/favicon.svg')
  })

  it('outlives the end of a run where the browser has no notifications but in name', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url, { name: 'on a phone' })
    const page = await openDashboard(browser, url, '/', { permissions: ['notifications'] })
    await page.evaluate(() => {
      // As on Android.
      class Forbidden {
        static permission = 'granted'
        static requestPermission = async () => 'granted'
        constructor() {
          throw new TypeError('Illegal constructor')
        }
      }
      Object.assign(window, { Notification: Forbidden })
    })
    await page.getByRole('link', { name: 'on a phone' }).click()
    const bell = page.getByRole('button', { name: 'Notify me when it ends' })
    await bell.click()
    await soon(() => bell.getAttribute('aria-pressed')).toBe('true')
    await report(url, taskId, { success: {} })
    await page.getByRole('list', { name: 'Steps' }).getByText('Succeeded').waitFor()
    await soon(() => page.title()).toBe('✓ on a phone · Epochcast')
  })

  it('asks nothing but what is in the manifest of trusted documents', async () => {
    const manifest = join(import.meta.dirname, '../../clients/typescript/generated/persisted-documents.json')
    const { url } = await testServer({ EPOCHCAST_TRUSTED_DOCUMENTS: manifest })
    const client = createClient({ url })
    onTestFinished(() => client.dispose())
    const input = { trainer: 'external', name: 'trusted', labels: { team: 'vision' } }
    const { startTraining } = await client.execute(StartTrainingDocument, { input })
    const page = await openDashboard(browser, url)
    await page.getByRole('link', { name: 'trusted' }).click()
    await page.getByRole('list', { name: 'Labels' }).getByText('vision').waitFor()
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Start another like it' }).click()
    await soon(() => page.getByRole('textbox', { name: 'Labels' }).inputValue()).toBe('team=vision')
    await page.getByLabel('Name', { exact: true }).fill('another')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.getByRole('heading', { name: 'another' }).waitFor()
    expect(page.url()).not.toContain(startTraining.task.id)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByRole('list', { name: 'Steps' }).getByText('Cancelled').waitFor()
    await page.getByText('Never ran').waitFor()
  })

  it('says that a page cannot be loaded, and goes on with the others', async () => {
    const { url } = await testServer()
    const page = await openDashboard(browser, url, '/', { mayFail: /ERR_FAILED|dynamically imported/ })
    await page.getByText('No runs yet').waitFor()
    await page.route('**/compare-page*.js', (route) => route.abort())
    await page.getByRole('link', { name: 'Compare' }).click()
    await page.getByText('This page could not be shown').waitFor()
    await page.getByRole('link', { name: 'Runs' }).click()
    await page.getByText('No runs yet').waitFor()
  })

  it('says what is missing: values, a run, and whatever an address has that is not there', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    await report(url, taskId, { progress: { current: 3, total: 4 } })
    const page = await openDashboard(browser, url, taskPath(taskId))
    await page.getByText('step 3 of 4').waitFor()
    await page.getByText('No values yet').waitFor()
    await page.goto(new URL(taskPath('never-there'), url).href)
    await page.getByText('There is no such run').waitFor()
    await page.goto(new URL(taskPath('a', 'not:allowed'), url).href)
    await page
      .getByRole('alert')
      .getByText(/not:allowed/)
      .waitFor()
    for (const part of ['50%25', '%E0%A4%A']) {
      await page.goto(new URL(`/tasks/${part}/a`, url).href)
      await page.getByText('This run cannot be shown').waitFor()
    }
  })
})
