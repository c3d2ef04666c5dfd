import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { sourceOf } from '../../clients/react/source.ts'
import { type TasksRequest, TasksStore } from '../../clients/react/tasks-store.ts'
import { createClient, DeleteTaskDocument } from '../../clients/typescript/index.ts'
import { progressReports, report, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { startProxy } from './support/proxy.ts'

/*
 * What `useTasks` shows, without a page.
 */

async function setUp(request: TasksRequest = {}, token?: () => Promise<string>) {
  const { url } = await testServer()
  const proxy = await startProxy(url)
  const start = async (name: string) => {
    const taskId = await startExternal(url, { name })
    await report(url, taskId, ...progressReports(1, 1))
    return taskId
  }
  const client = createClient({ url: proxy.url, webSocketImpl: WebSocket, token })
  const store = new TasksStore(sourceOf(client), request)
  const open = () => {
    const leave = store.subscribe(() => {})
    onTestFinished(async () => {
      leave()
      store.stop()
      await client.dispose()
    })
  }
  const shown = () =>
    store
      .getSnapshot()
      .tasks.map(({ name, status }) => `${name} ${status}`)
      .join()
  const shows = (text: string) => until(text, () => shown() === text)
  const deleteTask = async (taskId: string) => {
    const other = createClient({ url })
    await other.execute(DeleteTaskDocument, { input: { taskId } })
    await other.dispose()
  }
  return { url, proxy, start, open, store, shown, shows, deleteTask }
}

it('a list has the next task where one leaves it', async () => {
  const { url, start, open, shows } = await setUp({ first: 2, filter: { statuses: ['RUNNING'] } })
  await start('a')
  await start('b')
  const c = await start('c')
  open()
  await shows('c RUNNING,b RUNNING')
  await report(url, c, { success: {} })
  await shows('b RUNNING,a RUNNING')
})

it('a list no longer has what was deleted while its connection was lost', async () => {
  const { url, proxy, start, open, store, shows, deleteTask } = await setUp()
  await start('a')
  const b = await start('b')
  await report(url, b, { success: {} })
  open()
  await shows('b SUCCESS,a RUNNING')
  proxy.hold()
  proxy.cut()
  await until('to know of it', () => store.getSnapshot().state.kind === 'reconnecting')
  await deleteTask(b)
  proxy.letGo()
  await shows('a RUNNING')
})

it('a list misses no end between its reading and its subscription', async () => {
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  let asked = 0
  // The socket's is asked for first.
  const all = await setUp({}, async () => {
    if (++asked === 1) await gate
    return ''
  })
  const a = await all.start('a')
  all.open()
  await all.shows('a RUNNING')
  await report(all.url, a, { success: {} })
  open()
  await all.shows('a SUCCESS')
})

it('a list of more than a page of the API is read whole, newest first', async () => {
  const { url, start, open, store } = await setUp({ first: 350 })
  const start100 = (names: number) =>
    Promise.all(range(1, 100).map((index) => startExternal(url, { name: `${names}-${index}` })))
  for (const names of [1, 2, 3, 4]) await start100(names)
  open()
  await until('the list', () => !store.getSnapshot().isLoading)
  const { tasks } = store.getSnapshot()
  expect(tasks).toHaveLength(350)
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(350)
  const created = tasks.map(({ createdAt }) => createdAt)
  expect(created).toEqual([...created].sort().reverse())
  expect(tasks.slice(0, 100).every(({ name }) => name?.startsWith('4-'))).toBe(true)
  await start('newest')
  await until('the newest', () => store.getSnapshot().tasks[0]?.name === 'newest')
  expect(store.getSnapshot().tasks).toHaveLength(350)
})
