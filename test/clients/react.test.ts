import type { Browser } from 'playwright-core'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EpochcastProvider, useCurves, useTasks, useTrainingProgress } from '../../clients/react/index.ts'
import { launchBrowser } from '../support/browser.ts'
import { progressReports, report, run, startExternal } from '../support/graphql.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { bundlePage } from './support/page.ts'
import { loseNothing, openView, type Seen } from './support/react-view.ts'

let script = ''
let browser: Browser
beforeAll(async () => {
  script = await bundlePage('react-page.ts')
  browser = await launchBrowser()
})
afterAll(() => browser.close())

const setUp = (body?: string) => openView(browser, script, body)

describe('the hooks', () => {
  it('show 10,000 events at once at most once a frame, and every one to onEvent, under StrictMode', async () => {
    const all = await setUp()
    const { url, server, show, seen, steps, page } = all
    const taskId = await startExternal(url)
    for (let from = 1; from <= 9000; from += 1000)
      await report(url, taskId, ...progressReports(from, from + 999))
    await show({ client: 'none', taskId, show: ['training', 'task'] })
    await until('what there was', async () => (await seen()).events.length >= 9000)
    expect(server.gauges().subscriptions).toBe(2)
    await report(url, taskId, ...progressReports(9001, 10_000))
    await report(url, taskId, { success: {} })
    await until('the end', async () => (await seen()).newest.training.state.kind === 'ended')
    expect(await steps()).toEqual(range(1, 10_000))
    const { renders, frames, states, newest } = await seen()
    expect(states).toEqual(['connecting', 'live', 'ended'])
    expect(newest.training.events).toHaveLength(50)
    expect(newest.training.error).toBeNull()
    expect(newest.task.task).toMatchObject({ id: taskId, status: 'SUCCESS', current: 10_000 })
    // StrictMode renders twice, and first of all.
    expect(renders).toBeLessThanOrEqual(2 * (frames + 2))
    await page.evaluate(() => (globalThis as Seen).unmount())
    await until('nobody at the server', () => all.isNobodyAtServer())
  })

  // test/long has all the others.
  it('lose nothing where their connection is cut, and say so', () => loseNothing(browser, script, 'none'))

  it('draw a run as a card, whichever client the page has, and say why there is none', async () => {
    const { url, show, page } = await setUp()
    const taskId = await startExternal(url, { name: 'in a page' })
    await report(url, taskId, { progress: { current: 1, total: 4, loss: 0.5 } })
    const card = page.locator('.card')
    const textOf = (text: string) => until(text, async () => (await card.textContent())?.includes(text))
    for (const client of ['none', 'Apollo Client', 'urql'] as const) {
      await show({ client, taskId, show: ['card'] })
      await textOf('step 1 of 4')
      expect(await card.textContent()).toBe('in a pagerunningstep 1 of 4 · 25.0 %loss 0.5')
    }
    await report(url, taskId, { progress: { current: 2, loss: 'NaN' } })
    await textOf('loss NaN')
    await report(
      url,
      taskId,
      { progress: { current: 3, loss: 0.25 } },
      { progress: { current: 4, loss: 0.2 } },
    )
    await report(url, taskId, { success: {} })
    await textOf('success')
    expect(await card.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('100')
    expect(await card.getByRole('img').getAttribute('aria-label')).toBe('loss from 0.2 to 0.5')
    // No line goes through what is no number.
    expect((await card.locator('path').getAttribute('d'))?.match(/[ML]/g)).toEqual(['M', 'M', 'L'])
    await show({ client: 'none', taskId: 'unknown', show: ['card'] })
    await until('the reason', () => page.getByRole('alert').isVisible())
  })

  it('follow changing ids, and start again where they are mounted again', async () => {
    const all = await setUp()
    const { url, show, seen, page, server } = all
    const [first, second] = [await startExternal(url), await startExternal(url)]
    const idShown = async () => (await seen()).newest.task.task?.id
    const view = { client: 'none', show: ['task'] } as const
    await show({ ...view, taskId: null })
    expect((await seen()).newest.task).toEqual({ task: null, state: { kind: 'connecting' }, error: null })
    for (const taskId of [first, second, first, 'unknown', second]) {
      await show({ ...view, taskId })
      if (taskId === 'unknown')
        await until('the error', async () => (await seen()).newest.task.state.kind === 'ended')
      else await until('the task', async () => (await idShown()) === taskId)
    }
    await until('one subscription', () => server.gauges().subscriptions === 1)
    await page.evaluate(() => (globalThis as Seen).unmount())
    await show({ ...view, taskId: second })
    await until('the task', async () => (await idShown()) === second)
    await page.evaluate(() => (globalThis as Seen).unmount())
    await until('nobody at the server', () => all.isNobodyAtServer())
    await report(url, second, { success: {} })
    await show({ ...view, taskId: second })
    await until('what it is by now', async () => (await seen()).newest.task.task?.status === 'SUCCESS')
  })

  it('leave nothing behind where they are unmounted while they connect', async () => {
    const { url, server, show, seen, page } = await setUp()
    const taskId = await startExternal(url)
    const view = { client: 'none', taskId, show: ['training', 'curves', 'tasks', 'heartbeat'] } as const
    for (const ms of [0, 1, 3, 8, 20, 50]) {
      const call = `show(${JSON.stringify(view)}); setTimeout(() => resolve(unmount()), ${ms})`
      await page.evaluate(`new Promise((resolve) => { ${call} })`)
    }
    await until('nobody at the server', () => server.gauges().subscriptions + server.gauges().sockets === 0)
    await show(view)
    await until('the task', async () => (await seen()).newest.training.task)
  })

  it('suspend until there is something to show', async () => {
    const { url, proxy, show, seen, steps, page } = await setUp()
    const taskId = await startExternal(url)
    await report(url, taskId, ...progressReports(1, 3))
    proxy.hold()
    await show({ client: 'none', taskId, suspense: true, show: ['task', 'curves', 'training'] })
    await page.getByText('waiting').waitFor()
    proxy.letGo()
    await page.getByText('shown').waitFor()
    await until('everything', async () => (await seen()).newest.training?.task)
    const { newest } = await seen()
    expect([newest.task.task.id, newest.curves.task.id]).toEqual([taskId, taskId])
    await until('what came before they were there', async () => (await steps()).length > 0)
    expect(await steps()).toEqual([1, 2, 3])
  })

  it('start trainings, and list them as they change', async () => {
    const { url, show, seen, page } = await setUp()
    await show({ client: 'none', show: ['tasks', 'start'] })
    const start = (input: unknown) => page.evaluate((input) => (globalThis as Seen).start(input), input)
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await start({ trainer: 'external', name })
    const names = async () => (await seen()).newest.tasks.tasks.map(({ name }: Seen) => name).join('')
    await until('the newest five', async () => (await names()) === 'fedcb')
    const { started, newest } = await seen()
    expect(newest.start).toMatchObject({ isPending: false, error: null, data: { task: { id: started[5] } } })
    await report(url, started[3], { progress: { current: 1, total: 2 } }, { success: {} })
    await until('its end', async () => (await seen()).newest.tasks.tasks[2].status === 'SUCCESS')
    await run(url, 'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }', {
      id: started[3],
    })
    // Or after a minute.
    await page.evaluate(() => dispatchEvent(new Event('online')))
    await until('the next', async () => (await names()) === 'fecba')
    await expect(start({ trainer: 'unknown' })).rejects.toThrow('unknown')
    await until('the error', async () => (await seen()).newest.start.error !== null)
  })

  it('are rendered on a server without asking anything, and taken over by the page', async () => {
    const Viewer = () => {
      const { state, curves } = useCurves('t', { suspense: true })
      const { events } = useTrainingProgress('t')
      const { tasks } = useTasks()
      return createElement('p', null, [state.kind, curves.length, events.length, tasks.length].join())
    }
    const html = renderToString(
      createElement(EpochcastProvider, { url: 'http://127.0.0.1:1/graphql' }, createElement(Viewer)),
    )
    expect(html).toBe('<p>connecting,0,0,0</p>')

    // As react-dom/server writes the page of the tests.
    const { url, show, seen } = await setUp('<div id="root"><!--$--><p>shown</p><!--/$--></div>')
    const taskId = await startExternal(url)
    await show({ client: 'none', taskId, show: ['task'], hydrate: true })
    await until('the task', async () => (await seen()).newest.task?.task)
  })
})
