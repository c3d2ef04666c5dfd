import { expect, it } from 'vitest'
import { bundlePage, servePage } from '../clients/support/page.ts'
import { startProxy } from '../clients/support/proxy.ts'
import type { Seen } from '../clients/support/react-view.ts'
import { openTabs, type Tab } from '../clients/support/tabs.ts'
import { progressReports, report, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

it('hooks go on in a tab that is hidden, where no frame is drawn, and come back at once when it is looked at', async () => {
  const { url } = await testServer()
  const proxy = await startProxy(url)
  const taskId = await startExternal(url)
  const address = await servePage(proxy.url, await bundlePage('react-page.ts'))
  const [tab, other] = (await openTabs(address, 'about:blank')) as [Tab, Tab]
  const seen = () => tab.evaluate<Seen>('seen')
  const training = async () => (await seen()).newest.training
  await other.bringToFront()
  await until('to be hidden', () => tab.evaluate<boolean>('document.hidden'))
  await until('the script', () => tab.evaluate<boolean>('typeof show === "function"'))
  await tab.evaluate(`show(${JSON.stringify({ client: 'none', taskId, show: ['training', 'task'] })})`)
  await report(url, taskId, ...progressReports(1, 100))
  await until('all that is there', async () => (await training())?.task?.current === 100)
  const { events, frames } = await seen()
  expect(events.flatMap(({ current }: Seen) => current ?? [])).toEqual(range(1, 100))

  proxy.hold()
  proxy.cut()
  const longWait = async () => {
    const { state } = await training()
    return state.kind === 'reconnecting' && state.nextTryAt > Date.now() + 3000 && state.nextTryAt
  }
  const nextTryAt = await until('a long wait', longWait, 30_000)
  expect((await seen()).frames).toBe(frames)
  await report(url, taskId, ...progressReports(101, 110))
  proxy.letGo()
  await tab.bringToFront()
  await until('all that is there', async () => (await training()).task.current === 110)
  expect(Date.now(), 'before it would have come back anyway').toBeLessThan(nextTryAt)
})
