import { expect, it, onTestFinished } from 'vitest'
import { sourceOf } from '../../clients/react/source.ts'
import { TrainingStore } from '../../clients/react/training-store.ts'
import type { TrainingProgressEvent } from '../../clients/typescript/index.ts'
import { progressReports, report, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { testClient } from './support/server.ts'

/*
 * What `useTrainingProgress` shows, without a page.
 */

async function setUp(last: number, maxEvents: number) {
  const { url } = await testServer()
  const taskId = await startExternal(url)
  await report(url, taskId, ...progressReports(1, 20))
  const store = new TrainingStore(sourceOf(testClient(url)), { taskId, last }, maxEvents)
  onTestFinished(() => store.stop())
  const listen = () => {
    const steps: number[] = []
    const current = (event: TrainingProgressEvent) => {
      if (event.__typename === 'ProgressUpdate') steps.push(event.current)
    }
    return { steps, listener: { current } }
  }
  return { url, taskId, store, listen }
}

it('a component that comes later, or waited for the first events, is told of those before it', async () => {
  const { url, taskId, store, listen } = await setUp(15, 2)
  const first = listen()
  // As under suspense: nobody is there yet.
  await store.ready()
  await until('what there was', () => store.getSnapshot().task?.current === 20)
  const leave = store.onEvent(first.listener)
  expect(first.steps).toEqual(range(6, 20))
  const second = listen()
  await report(url, taskId, ...progressReports(21, 30))
  await until('what is new', () => first.steps.at(-1) === 30)
  store.onEvent(second.listener)
  expect(second.steps).toEqual(range(16, 30))
  // As StrictMode does, and a page that was hidden.
  leave()
  await report(url, taskId, ...progressReports(31, 32))
  await until('what is new', () => second.steps.at(-1) === 32)
  store.onEvent(first.listener)
  expect(first.steps).toEqual(range(6, 32))
  await report(url, taskId, ...progressReports(33, 500))
  await until('what is new', () => second.steps.at(-1) === 500)
  expect(first.steps).toEqual(range(6, 500))
  expect(second.steps).toEqual(range(16, 500))
  const late = listen()
  store.onEvent(late.listener)
  expect(late.steps).toEqual(range(486, 500))
  expect(store.getSnapshot().events.length).toBeLessThanOrEqual(2)
})
