import type { Browser } from 'playwright-core'
import { expect } from 'vitest'
import { progressReports, report, startExternal } from '../../support/graphql.ts'
import { print } from '../../support/output.ts'
import { testServer } from '../../support/server.ts'
import { range } from '../../support/tasks.ts'
import { until } from '../../support/until.ts'
import { openPage } from './page.ts'
import { startProxy } from './proxy.ts'
import type { ClientName, View } from './react-page.ts'

// biome-ignore lint/suspicious/noExplicitAny: what a page kept, by name
export type Seen = any

/** A server, a way to it that can be cut, and a page whose hooks go that way. */
export async function openView(browser: Browser, script: string, body?: string) {
  const server = await testServer()
  const proxy = await startProxy(server.url)
  const page = await openPage(browser, proxy.url, script, body)
  const show = (view: View) => page.evaluate((view) => (globalThis as Seen).show(view), view)
  const seen = (): Promise<Seen> => page.evaluate(() => (globalThis as Seen).seen)
  const steps = async () => (await seen()).events.flatMap(({ current }: Seen) => current ?? [])
  const isNobodyAtServer = () => server.gauges().subscriptions === 0
  return { server, url: server.url, proxy, page, show, seen, steps, isNobodyAtServer }
}

/** Every event once, however often the hooks' connection is cut, and what they say of it. */
export async function loseNothing(browser: Browser, script: string, client: ClientName): Promise<void> {
  const { url, proxy, show, seen, steps } = await openView(browser, script)
  const taskId = await startExternal(url)
  await report(url, taskId, ...progressReports(1, 20))
  await show({ client, taskId, show: ['training', 'curves', 'output', 'heartbeat'] })
  await until('what there was', async () => (await seen()).events.length >= 22)
  await until('a heartbeat', async () => (await seen()).newest.heartbeat.heartbeat)
  for (const from of [21, 31, 41]) {
    proxy.hold()
    proxy.cut()
    await report(url, taskId, ...progressReports(from, from + 9))
    await print(url, taskId, range(from, from + 9).map(String))
    proxy.letGo()
    await until('what was missed', async () => (await steps()).length >= from + 9)
  }
  await report(url, taskId, { success: {} })
  await until('the end', async () => (await seen()).newest.curves.state.kind === 'ended')
  await until('the end', async () => (await seen()).newest.training.state.kind === 'ended')
  await until('the end', async () => (await seen()).newest.output.state.kind === 'ended')
  expect(await steps()).toEqual(range(1, 50))
  const { newest, states } = await seen()
  expect(newest.curves.curves[0].points.map(({ step }: Seen) => step)).toEqual(range(1, 50))
  expect(newest.output.lines.map(({ text }: Seen) => text)).toEqual(range(21, 50).map(String))
  expect(newest.curves.task.status).toBe('SUCCESS')
  expect(states.slice(0, 2)).toEqual(['connecting', 'live'])
  // What a client of others does with its socket, it does not tell.
  if (['none', 'epochcast', 'resuming'].includes(client)) expect(states).toContain('reconnecting')
}
