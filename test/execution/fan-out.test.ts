import { type ExecutionArgs, execute, parse } from 'graphql'
import { expect, it, onTestFinished } from 'vitest'
import { MemoryStore } from '../../src/event-log/memory.ts'
import {
  FanOut,
  MAX_ENCODINGS_PER_DOCUMENT,
  MAX_KEPT_VARIABLES,
  SharedSubscription,
} from '../../src/execution/fan-out.ts'
import { EngineWait } from '../../src/feed/engine-wait.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { SeriesReader } from '../../src/feed/series-reader.ts'
import { ANYONE } from '../../src/repository/access.ts'
import { schema } from '../../src/schema/index.ts'
import type { Data } from '../support/graphql.ts'
import { resultsOf } from '../support/results.ts'
import { createTask, range } from '../support/tasks.ts'

const DOCUMENT = parse(/* GraphQL */ `
  subscription ($taskId: ID!, $names: [String!], $short: Boolean = false) {
    trainingProgress(taskId: $taskId) {
      __typename
      cursor @skip(if: $short)
      ... on StreamOpened { task { series(names: $names) { name } } }
    }
  }`)

async function open() {
  const log = new MemoryStore({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })
  const feeds = new Feeds(log, {
    ringEvents: 8,
    checkMs: 5000,
    pages: { maxBytes: 1_000_000 },
    ringBytes: 1_000_000,
    onError: (error) => {
      throw error
    },
  })
  onTestFinished(async () => {
    await feeds.close()
    await log.close()
  })
  const { id: taskId } = await createTask(log)
  const executed: ExecutionArgs[] = []
  const fanOut = new FanOut(async (args) => {
    executed.push(args)
    return execute(args)
  })
  const services = {
    log,
    feeds,
    engineWait: new EngineWait(log, 0),
    series: new SeriesReader(log),
    channelPrefixes: ['gan:training'],
    maxStreamMs: 60_000,
  }
  /** Subscribes, and answers the first result. */
  const first = async (variables: object, of: object = {}, audience = 'everybody') => {
    const results = await fanOut.subscribe(
      {
        schema,
        document: DOCUMENT,
        variableValues: { taskId, ...variables },
        contextValue: { caller: ANYONE, audience, services, ...of },
        ...of,
      },
      { close: () => {} },
    )
    if (!(results instanceof SharedSubscription)) throw new Error(JSON.stringify(results))
    const stream = resultsOf(results)
    const { value } = await stream.next()
    await stream.return()
    return (value as Data).data.trainingProgress
  }
  return { first, executed }
}

it('what is executed for many keeps nothing of the one that came first', async () => {
  const { first, executed } = await open()
  const socket = { of: 'the first' }
  await first({}, { socket, request: socket })
  expect(executed).toHaveLength(1)
  const [args] = executed
  expect(Object.keys(args ?? {}).sort()).toEqual([
    'contextValue',
    'document',
    'operationName',
    'rootValue',
    'schema',
    'variableValues',
  ])
  expect(Object.keys(args?.contextValue as object).sort()).toEqual(['audience', 'caller', 'services'])
})

it('a thousand different callers of one audience share one encoding', async () => {
  const { first, executed } = await open()
  for (const i of range(1, 1000)) {
    await first({}, { caller: { ...ANYONE, subject: `user ${i}`, expiresAt: Date.now() + 1_000_000 + i } })
  }
  expect(executed).toHaveLength(1)
  // Whose rights they are is not kept.
  expect(executed[0]?.contextValue).toMatchObject({ caller: ANYONE })
})

it('refuses a caller without the right, though others share what it asked for', async () => {
  const { first, executed } = await open()
  await first({})
  const blind = { ...ANYONE, scopes: new Set() }
  await expect(first({}, { caller: blind })).rejects.toThrow('lacks the scope tasks:read')
  expect(executed).toHaveLength(1)
})

it('shares between those that get the same, and no others', async () => {
  const { first, executed } = await open()
  await first({})
  await first({ short: false })
  expect(executed).toHaveLength(1)
  expect(await first({ short: true })).not.toHaveProperty('cursor')
  await first({ names: ['loss'] })
  await first({ names: null })
  await first({}, {}, 'somebody else')
  expect(executed).toHaveLength(5)
})

it('keeps encodings of so many variants of a document, and serves the others all the same', async () => {
  const { first, executed } = await open()
  const variants = range(0, MAX_ENCODINGS_PER_DOCUMENT)
  for (const i of variants) expect(await first({ names: [`m${i}`] })).toMatchObject({ task: { series: [] } })
  expect(executed).toHaveLength(variants.length)
  // The first was let go for the last.
  await first({ names: [`m${MAX_ENCODINGS_PER_DOCUMENT}`] })
  expect(executed).toHaveLength(variants.length)
  await first({ names: ['m0'] })
  expect(executed).toHaveLength(variants.length + 1)
})

it('keeps no encoding whose variables are long, and of the others only what the document declares', async () => {
  const { first, executed } = await open()
  await first({ undeclared: 'x'.repeat(100_000) })
  expect(Object.keys(executed[0]?.variableValues ?? {})).toEqual(['taskId'])
  await first({ undeclared: 'y' })
  expect(executed).toHaveLength(1)
  const long = { names: Array.from({ length: 64 }, () => 'x'.repeat(128)) }
  expect(JSON.stringify(long).length).toBeGreaterThan(MAX_KEPT_VARIABLES)
  await first(long)
  await first(long)
  expect(executed).toHaveLength(3)
})
