import { expect, it } from 'vitest'
import { type Data, run } from '../../support/graphql.ts'
import { testServer } from '../../support/server.ts'
import { range } from '../../support/tasks.ts'
import { until } from '../../support/until.ts'
import { startProgram } from '../support/python.ts'
import { viewersPython } from './provide.js'

const TASKS = /* GraphQL */ `{
  tasks(first: 2) { edges { node { name status message metrics events(first: 100) { edges { node {
    __typename ... on EpochEnded { epoch phase } } } } } } } }`

async function onlyTask(url: string): Promise<Data> {
  const { edges } = (await run(url, TASKS)).tasks
  expect(edges).toHaveLength(1)
  const { events, ...task } = edges[0].node
  return { ...task, events: events.edges.map(({ node }: Data) => node) }
}

const ingest = (webSocketUrl: string, query: string) => new URL(`/ws/ingest?${query}`, webSocketUrl).href

it("relay_sender.py, as it was written for a relay, is one run with all of it, and Python's NaN", async () => {
  const { url, webSocketUrl } = await testServer()
  const sender = startProgram(viewersPython(), [
    'examples/relay_sender.py',
    ingest(webSocketUrl, 'name=press-7'),
  ])
  expect(await sender.ended, sender.printed.err).toBe(0)
  await until('the end', async () => (await onlyTask(url)).status === 'SUCCESS')
  const { name, message, metrics, events } = await onlyTask(url)
  expect([name, message, metrics]).toEqual([
    'press-7',
    'the model is saved',
    { loss: 0.125, val_loss: 'NaN' },
  ])
  const epochs = events.filter(({ __typename }: Data) => __typename === 'EpochEnded')
  expect(epochs.map(({ epoch, phase }: Data) => [epoch, phase])).toEqual(
    range(1, 3).flatMap((epoch) => [
      [epoch, 'TRAIN'],
      [epoch, 'VAL'],
    ]),
  )
})

it('a sender that keeps a socket and never reads is not cut, whatever it sends', async () => {
  const { url, webSocketUrl } = await testServer({ EPOCHCAST_KEEP_ALIVE_SECONDS: '1' })
  const sender = startProgram(viewersPython(), [
    'test/python/viewers/relay_kept.py',
    ingest(webSocketUrl, 'x'),
    '40',
  ])
  expect(await sender.ended, sender.printed.err).toBe(0)
  await until('the end', async () => (await onlyTask(url)).status === 'SUCCESS')
  const { events } = await onlyTask(url)
  expect(events.flatMap(({ epoch }: Data) => epoch ?? [])).toEqual(range(1, 40))
})
