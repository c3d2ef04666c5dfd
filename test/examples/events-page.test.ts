import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openBrowser } from '../support/browser.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { progressReports, report, startExternal } from '../support/graphql.ts'
import { serverProcess } from '../support/server.ts'
import { until } from '../support/until.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../examples/events.html'))

/** A page of another origin, as some web server has it. */
async function servePage(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
  })
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

it('events.html draws each point once, also where its server is killed and started again', async () => {
  const server = await serverProcess({ EPOCHCAST_DATA: dataDirectory() })
  const { url } = server
  const id = await startExternal(url)
  await report(url, id, ...progressReports(1, 10), { progress: { current: 11, metrics: { loss: 'NaN' } } })
  const page = await (await openBrowser()).newPage()
  const errors: unknown[] = []
  page.on('pageerror', (error) => errors.push(error))
  await page.goto(`${await servePage()}/events.html?server=${new URL(url).origin}&task=${id}`)
  const text = (name: string) => page.locator(`#${name}`).textContent()
  const points = async () => ((await page.locator('#loss').getAttribute('points')) ?? '').split(' ')
  await until('ten points', async () => (await points()).length === 10)
  expect(await text('state')).toBe('live')
  await server.kill()
  await until('it to notice', async () => (await text('state')) === 'reconnecting')
  await server.start()
  await report(url, id, ...progressReports(12, 21), { success: {} })
  await until('the end', async () => (await text('state')) === 'ended')
  await until('all points', async () => (await points()).length === 20)
  const drawn = (await points()).map((point) => point.split(',').map(Number))
  // From step 1 with loss 1 to step 21 with 1/21.
  expect(drawn[0]).toEqual([0, 0])
  expect(drawn.at(-1)?.[0]).toBe(600)
  expect(drawn.at(-1)?.[1]).toBeCloseTo(200 - 200 / 21)
  expect(drawn.map(([x]) => x)).toEqual([...new Set(drawn.map(([x]) => x))].sort((a = 0, b = 0) => a - b))
  expect(errors).toEqual([])
})
