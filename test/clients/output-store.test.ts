import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { type OutputBounds, OutputStore } from '../../clients/react/output-store.ts'
import { type AnyClient, sourceOf } from '../../clients/react/source.ts'
import { createResumingClient } from '../../clients/typescript/index.ts'
import { report, run, startExternal } from '../support/graphql.ts'
import { print } from '../support/output.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { startProxy } from './support/proxy.ts'
import { testClient } from './support/server.ts'

/*
 * What `useTaskOutput` shows, without a page.
 */

const CLIENTS: Record<string, (url: string) => AnyClient> = {
  createClient: testClient,
  createResumingClient: (url) => {
    const client = createResumingClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket })
    onTestFinished(() => client.dispose())
    return client
  },
}

interface Options extends Partial<OutputBounds> {
  readonly client?: string
  readonly last?: number
}

async function setUp({ client = 'createClient', last = 1000, maxLines = 10_000, ...more }: Options = {}) {
  const { url } = await testServer({
    EPOCHCAST_OUTPUT_QUIET_SECONDS: '0.3',
    EPOCHCAST_OUTPUT_LINES_PER_SECOND: '10000',
  })
  const proxy = await startProxy(url)
  const taskId = await startExternal(url)
  const source = sourceOf((CLIENTS[client] as (url: string) => AnyClient)(proxy.url))
  const store = new OutputStore(source, { taskId, last }, { maxLines, ...more })
  onTestFinished(() => store.stop())
  const open = () => onTestFinished(store.subscribe(() => {}))
  const texts = () => store.getSnapshot().lines.map(({ text }) => text)
  const prints = async (from: number, to: number) => {
    for (let first = from; first <= to; first += 1000)
      await print(url, taskId, range(first, Math.min(to, first + 999)).map(String))
  }
  const shows = (what: string, newest: number) => until(what, () => texts().at(-1) === String(newest))
  const readEarlier = async () => {
    const before = store.getSnapshot()
    store.readEarlier()
    await until('the lines before', () => {
      const now = store.getSnapshot()
      return now !== before && !now.isReadingEarlier
    })
  }
  return { url, proxy, taskId, store, open, texts, prints, shows, readEarlier }
}

it.each(Object.keys(CLIENTS))(
  'output over %s has each line once, in order, however often it is cut',
  async (client) => {
    const { url, proxy, taskId, store, open, texts, prints, shows } = await setUp({ client, last: 3 })
    await prints(1, 10)
    open()
    await shows('what there was', 10)
    for (const from of [11, 51, 91]) {
      proxy.hold()
      proxy.cut()
      await prints(from, from + 19)
      proxy.letGo()
      // Some come while it comes back.
      await prints(from + 20, from + 39)
      await shows('what was missed', from + 39)
    }
    await report(url, taskId, { success: {} })
    await prints(131, 131)
    await until('its end', () => store.getSnapshot().state.kind === 'ended')
    expect(texts()).toEqual(range(8, 131).map(String))
    expect(store.getSnapshot()).toMatchObject({ error: null, firstNumber: 0 })
  },
)

it('lines before the first are read in pages, while others come, and join without a seam', async () => {
  const { store, open, texts, prints, shows, readEarlier } = await setUp({ last: 100 })
  await prints(1, 2300)
  open()
  await shows('the newest', 2300)
  expect(store.getSnapshot()).toMatchObject({ firstNumber: 0, hasEarlier: true })
  await Promise.all([readEarlier(), prints(2301, 2350)])
  await shows('what came meanwhile', 2350)
  const first = Number(texts()[0])
  expect(first).toBeLessThanOrEqual(1300)
  expect(texts()).toEqual(range(first, 2350).map(String))
  expect(store.getSnapshot().firstNumber).toBe(first - 2201)
  await readEarlier()
  await readEarlier()
  await until('all of them', () => !store.getSnapshot().hasEarlier)
  expect(texts()).toEqual(range(1, 2350).map(String))
  // There is nothing to read, and nothing happens.
  store.readEarlier()
  expect(store.getSnapshot().isReadingEarlier).toBe(false)
})

it('says why lines before the first could not be read, once their task is gone', async () => {
  const { url, taskId, store, open, texts, prints, shows, readEarlier } = await setUp({ last: 5 })
  await prints(1, 20)
  open()
  await shows('the newest', 20)
  await report(url, taskId, { success: {} })
  await until('its end', () => store.getSnapshot().state.kind === 'ended')
  await run(url, 'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }', { id: taskId })
  await readEarlier()
  expect(store.getSnapshot()).toMatchObject({ hasEarlier: true, earlierError: { code: 'TASK_NOT_FOUND' } })
  expect(texts()).toEqual(range(16, 20).map(String))
})

it('keeps the newest lines only, by number and by length, and a line keeps its number', async () => {
  const byNumber = await setUp({ maxLines: 50 })
  await byNumber.prints(1, 30)
  byNumber.open()
  await byNumber.shows('what there was', 30)
  await byNumber.prints(31, 500)
  await byNumber.shows('the newest', 500)
  expect(byNumber.texts()).toEqual(range(451, 500).map(String))
  expect(byNumber.store.getSnapshot()).toMatchObject({ firstNumber: 450, hasEarlier: false })

  const byLength = await setUp({ maxLength: 1000 })
  byLength.open()
  for (let i = 0; i < 30; i++) await print(byLength.url, byLength.taskId, ['x'.repeat(99) + (i % 10)])
  await until('the newest', () => byLength.store.getSnapshot().firstNumber + byLength.texts().length === 30)
  expect(byLength.texts().length).toBeLessThanOrEqual(10)
  expect(byLength.texts().length).toBeGreaterThan(3)
})

it('has notes where lines are missing, and the end of a task that nobody knows', async () => {
  const { url, taskId, store, open, texts } = await setUp()
  await print(url, taskId, [], {
    lines: [{ text: 'a' }, { text: '', skipped: 7 }, { text: 'b', isCut: true }],
  })
  open()
  await until('all of it', () => texts().length === 3)
  expect(store.getSnapshot().lines).toMatchObject([
    { text: 'a', skip: null, isCut: false },
    { stream: null, skip: { lines: 7, reason: 'FLOOD' } },
    { text: 'b', isCut: true },
  ])
  const other = new OutputStore(sourceOf(testClient(url)), { taskId: 'nobody', last: 10 }, { maxLines: 10 })
  onTestFinished(other.subscribe(() => {}))
  await until('its end', () => other.getSnapshot().state.kind === 'ended')
  expect(other.getSnapshot().error).toMatchObject({ code: 'TASK_NOT_FOUND' })
})
