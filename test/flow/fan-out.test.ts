import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { COSTLY, describeEngines, isReady, redisServer } from '../support/engines.ts'
import {
  CANCEL,
  collect,
  collectSse,
  currentsOf,
  type Data,
  eventsOf,
  kindsOf,
  post,
  progressReports,
  REPORT,
  type Result,
  report,
  run,
  startExternal,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { testRedis } from '../support/redis.ts'
import type { TestServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const HEARTBEAT = 'subscription { heartbeat(intervalMs: 100) { sequence } }'
const ODD_IDS = [
  '"',
  '\\',
  '\n',
  '\u0000',
  '\u2028',
  'é',
  '👍',
  '\ud83d',
  '","type":"complete","x":"',
  ' ',
  'a'.repeat(256),
]

const isEmpty = ({ gauges }: TestServer) => {
  const { subscriptions, groups, feeds, watches } = gauges()
  return subscriptions + groups + feeds + watches === 0
}

/** All sorts of reports, of which the last one is the end. */
const MIXED: readonly Data[] = [
  { status: { status: 'RUNNING', message: 'größer ✓ 👍 "quoted" \\ \u2028' } },
  { epochStart: { epoch: 1, totalEpochs: 2 } },
  { progress: { current: 1, total: 10, loss: 'NaN', metrics: { a: 1, b: '-Infinity', '7': 1e-7 } } },
  { progress: { current: 2, loss: 0.25, message: 'x'.repeat(300) } },
  { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 0.5 } } },
  { error: { error: 'a hiccup', errorType: 'Hiccup' } },
  { progress: { current: 3 } },
  { success: { result: { deep: [1, { two: '2' }, null] } } },
]

interface Variant {
  /** What is selected of an event; `$a` and `$b` are Boolean variables. */
  readonly selection: string
  readonly fragments?: string
  readonly variables?: Data
  readonly name?: string
}

const COMMON = '__typename cursor ... on ProgressUpdate { current loss metrics message }'
const CONDITIONAL = `__typename @include(if: $a) cursor ... on ProgressUpdate @skip(if: $b) { n: current }
  ... @include(if: $b) { timestamp } ... on TrainingSucceeded { result @include(if: $a) }`
const VARIANTS: readonly Variant[] = [
  { selection: COMMON },
  { selection: 'cursor' },
  { selection: 'at: timestamp who: taskId kind: __typename cursor again: cursor' },
  { selection: CONDITIONAL, variables: { a: true, b: true } },
  { selection: CONDITIONAL, variables: { a: true, b: false } },
  { selection: CONDITIONAL, variables: { a: false, b: true } },
  { selection: CONDITIONAL, variables: { a: false, b: false } },
  {
    selection: 'cursor ...P ...E',
    fragments:
      'fragment P on ProgressUpdate { total current status ...T } fragment T on TrainingEvent { timestamp } fragment E on EpochEnded { epoch phase metrics ...T }',
  },
  {
    selection: 'cursor ... on StatusChanged { status m: message } ... on ErrorReported { error errorType }',
    name: 'Second',
  },
]

/** The subscription and, of the same selection, the query. */
function documentsOf({ selection, fragments = '', name = 'First' }: Variant) {
  const conditions = ['a', 'b']
    .filter((each) => selection.includes(`$${each}`))
    .map((each) => `$${each}: Boolean!`)
  const others = 'subscription Other($id: ID!) { trainingProgress(taskId: $id) { taskId } }'
  return {
    subscription: `subscription ${name}(${['$id: ID!', '$last: Int', ...conditions].join(', ')}) {
      event: trainingProgress(taskId: $id, last: $last) { ${selection} } }
      ${others} ${fragments}`,
    query: `query (${['$id: ID!', ...conditions].join(', ')}) {
      task(id: $id) { events(first: 50) { edges { node { ${selection} } } } } } ${fragments}`,
  }
}

describeEngines((openServer, engine) => {
  describe('subscribers of one task', () => {
    it('each get what they asked for, whatever others ask for', async () => {
      const server = await openServer()
      const { url, webSocketUrl, gauges } = server
      const id = await startExternal(url)
      // Every variant on a socket of its own, on one that all share, and a bit of both.
      const shared = await ProtocolClient.open(webSocketUrl)
      const watching: { variant: Variant; client: ProtocolClient; operation: string; last: number }[] = []
      for (const [i, variant] of VARIANTS.entries()) {
        const clients = [
          shared,
          shared,
          await ProtocolClient.open(webSocketUrl),
          await ProtocolClient.open(webSocketUrl),
        ]
        for (const [k, client] of clients.entries()) {
          const operation = `${i}-${k}`
          const last = k === 1 ? 5 : 0
          watching.push({ variant, client, operation, last })
          const { subscription } = documentsOf(variant)
          client.subscribe(
            operation,
            subscription,
            { id, last, ...variant.variables },
            variant.name ?? 'First',
          )
        }
      }
      await until('all to be there', () =>
        watching.every(({ client, operation }) => client.results(operation).length > 0),
      )
      expect(gauges().feeds).toBe(1)
      await until('one group for each kind of results', () => gauges().groups === VARIANTS.length)
      for (const each of MIXED.slice(0, 4)) await report(url, id, each)
      await report(url, id, ...MIXED.slice(4))
      for (const { variant, client, operation, last } of watching) {
        await until('the end', () => client.isComplete(operation))
        const results = client.results(operation)
        for (const { errors } of results) expect(errors).toBe(undefined)
        const { task } = await run(url, documentsOf(variant).query, { id, ...variant.variables })
        const expected = task.events.edges.map(({ node }: Data) => node).slice(last > 0 ? 0 : 1)
        // As text: the order of the fields counts as well.
        const got = results.slice(1, -1).map(({ data }) => data.event)
        expect(JSON.stringify(got)).toBe(JSON.stringify(expected))
      }
      await until('all to be given back', () => isEmpty(server))
    })

    it('see the same over server-sent events and WebSocket', async () => {
      const { url, webSocketUrl, gauges } = await openServer()
      const taskId = await startExternal(url)
      const viewers = [
        ...range(1, 3).map(() => collectSse(url, WATCH, { taskId, last: 1000 })),
        ...range(1, 3).map(() => collect(webSocketClient(webSocketUrl), WATCH, { taskId, last: 1000 })),
      ]
      await until('the viewers to be there', () => gauges().subscriptions === 6)
      for (const from of [1, 101, 201]) await report(url, taskId, ...progressReports(from, from + 99))
      await report(url, taskId, ...MIXED)
      const [first, ...others] = (await Promise.all(viewers)).map((results) => eventsOf(results).slice(1, -1))
      const numbers = first?.flatMap(({ current }) => current ?? [])
      expect(numbers).toEqual([...range(1, 300), 1, 2, 3])
      for (const other of others) expect(JSON.stringify(other)).toBe(JSON.stringify(first))
    })

    it('are told of a cancellation, and complete', async () => {
      const server = await openServer()
      const { url, webSocketUrl, gauges } = server
      const taskId = await startExternal(url)
      const viewers = range(1, 5).map(() =>
        collect(webSocketClient(webSocketUrl), WATCH, { taskId, last: 1000 }),
      )
      await until('the viewers to be there', () => gauges().groups === 1 && gauges().subscriptions === 5)
      await report(url, taskId, ...progressReports(1, 3))
      await run(url, CANCEL, { input: { taskId, reason: 'enough' } })
      await report(url, taskId, { status: { status: 'CANCELLED' } })
      for (const viewer of viewers) {
        const results = await viewer
        expect(currentsOf(results)).toEqual([1, 2, 3])
        expect(kindsOf(results).slice(-2)).toEqual(['TrainingCancelled', 'StreamClosing'])
      }
      await until('all to be given back', () => isEmpty(server))
    })

    it('are told of the maximum duration, each with its own cursor, and go on from there seamlessly', async () => {
      const server = await openServer({ EPOCHCAST_MAX_STREAM_SECONDS: '1' })
      const { url, webSocketUrl } = server
      const taskId = await startExternal(url)
      const client = webSocketClient(webSocketUrl)
      let timedOut = 0
      const viewers = range(1, 4).map(async () => {
        const seen: Result[] = []
        let after: string | null = null
        let timeouts = 0
        for (;;) {
          const results: Result[] = await collect(client, WATCH, { taskId, after, last: 1000 })
          seen.push(...results)
          const last = eventsOf(results).at(-1)
          if (last.__typename === 'StreamClosing') return { seen, timeouts }
          expect(last.__typename).toBe('StreamTimedOut')
          after = last.cursor
          if (timeouts++ === 0) timedOut++
        }
      })
      let current = 0
      await until('the maximum duration of each', async () => {
        await report(url, taskId, ...progressReports(current + 1, current + 7))
        current += 7
        return timedOut === viewers.length
      })
      await report(url, taskId, { success: {} })
      for (const viewer of viewers) {
        const { seen, timeouts } = await viewer
        expect(timeouts).toBeGreaterThan(0)
        expect(currentsOf(seen)).toEqual(range(1, current))
      }
      await until('all to be given back', () => isEmpty(server))
    })
  })

  describe('one socket', () => {
    it('carries many subscriptions of one task, whatever their ids', async () => {
      const server = await openServer({ EPOCHCAST_MAX_BUFFERED_BYTES: '4096' })
      const { url, webSocketUrl, gauges } = server
      const taskId = await startExternal(url)
      const client = await ProtocolClient.open(webSocketUrl)
      const ids = [
        ...ODD_IDS,
        ...range(0, 39).map((i) => i.toString(36)),
        ...range(1, 20).map(() => randomUUID()),
      ]
      for (const id of ids) client.subscribe(id, WATCH, { taskId, last: 1000 })
      await until(
        'all to be there',
        () => gauges().groups === 1 && ids.every((id) => client.results(id).length > 0),
      )
      for (const from of range(0, 4).map((i) => i * 40))
        await report(url, taskId, ...progressReports(from + 1, from + 40))
      await report(url, taskId, { success: {} })
      for (const id of ids) {
        await until('the end', () => client.isComplete(id))
        expect(currentsOf(client.results(id))).toEqual(range(1, 200))
        expect(kindsOf(client.results(id)).slice(-2)).toEqual(['TrainingSucceeded', 'StreamClosing'])
      }
      expect(client.messages.filter(({ id }) => id !== undefined && !ids.includes(id))).toEqual([])
      await until('all to be given back', () => isEmpty(server))
    })

    it('carries bursts, pings, pongs and the results of other operations between each other', async () => {
      const server = await openServer()
      const { url, webSocketUrl } = server
      const taskId = await startExternal(url)
      const client = await ProtocolClient.open(webSocketUrl)
      const pongs: string[] = []
      client.socket.on('pong', (data) => pongs.push(String(data)))
      client.subscribe('watch', WATCH, { taskId, last: 1000 })
      client.subscribe('beats', HEARTBEAT)
      await until('both', () => client.results('watch').length > 0 && client.results('beats').length > 0)
      const ROUNDS = 30
      for (const round of range(1, ROUNDS)) {
        client.socket.ping(`${round}`)
        client.send({ type: 'ping', payload: { round } })
        client.send({ type: 'pong' })
        client.subscribe(`query ${round}`, TASK, { id: taskId })
        const from = round * 10 - 9
        client.subscribe(`mutation ${round}`, REPORT, {
          input: { taskId, reports: progressReports(from, from + 9), producer: 'p', firstSequence: from },
        })
        client.subscribe(`wrong ${round}`, '{ nothing }')
        if (round % 5 === 0) await until('the answers', () => client.isComplete(`mutation ${round}`))
      }
      await until('all answers', () => range(1, ROUNDS).every((round) => client.isComplete(`query ${round}`)))
      await report(url, taskId, { success: {} })
      await until('the end', () => client.isComplete('watch'))
      await until('all beats', () => client.results('beats').length >= 3)
      client.complete('beats')
      const seen = currentsOf(client.results('watch'))
      expect(seen).toEqual(range(1, ROUNDS * 10))
      for (const round of range(1, ROUNDS)) {
        expect(client.results(`query ${round}`)).toMatchObject([{ data: { task: { id: taskId } } }])
        expect(client.results(`mutation ${round}`)).toMatchObject([
          { data: { reportMetrics: { accepted: 10 } } },
        ])
        expect(client.results(`wrong ${round}`)).toMatchObject([{ errors: [{}] }])
      }
      const answered = client.messages
        .filter(({ type }) => type === 'pong')
        .map(({ payload }) => payload.round)
      expect(answered).toEqual(range(1, ROUNDS))
      await until('all pongs', () => pongs.length === ROUNDS)
      expect(client.closed).toBe(undefined)
      await until('all to be given back', () => isEmpty(server))
    })

    it('gives nothing more to an operation that was completed in a burst; the others go on', async () => {
      const server = await openServer()
      const { url, webSocketUrl, gauges } = server
      const taskId = await startExternal(url)
      const client = await ProtocolClient.open(webSocketUrl)
      for (const i of range(1, 9)) client.subscribe(`${i}`, WATCH, { taskId, last: i % 2 ? 1000 : 0 })
      await until(
        'all to be there',
        () => gauges().groups === 1 && range(1, 9).every((i) => client.results(`${i}`).length > 0),
      )
      const reporting = (async () => {
        for (const from of range(0, 19).map((i) => i * 50))
          await report(url, taskId, ...progressReports(from + 1, from + 50))
        await report(url, taskId, { success: {} })
      })()
      const left = [1, 2, 5, 6]
      const counts: number[] = []
      for (const [at, i] of left.entries()) {
        await until('some', () => client.results(`${i}`).length > 100 * (at + 1))
        client.complete(`${i}`)
        client.send({ type: 'ping', payload: { i } })
        // Messages are taken in order: what comes after the pong would come after the completion.
        await until('the pong', () =>
          client.messages.some(({ type, payload }) => type === 'pong' && payload?.i === i),
        )
        counts.push(client.results(`${i}`).length)
      }
      await reporting
      for (const i of [3, 4, 7, 8, 9]) {
        await until('the end', () => client.isComplete(`${i}`))
        expect(currentsOf(client.results(`${i}`))).toEqual(range(1, 1000))
      }
      expect(left.map((i) => client.results(`${i}`).length)).toEqual(counts)
      for (const i of left) {
        const seen = currentsOf(client.results(`${i}`))
        expect(seen).toEqual(range(1, seen.length))
        expect(client.isComplete(`${i}`)).toBe(false)
      }
      await until('all to be given back', () => isEmpty(server))
    })

    it('may use an id again once its operation is over', async () => {
      const server = await openServer()
      const { url, webSocketUrl, gauges } = server
      const taskId = await startExternal(url)
      const client = await ProtocolClient.open(webSocketUrl)
      for (const round of range(1, 10)) {
        const before = client.results('1').length
        client.subscribe('1', WATCH, { taskId, last: 0 })
        await until('it to open', () => client.results('1').length > before && gauges().groups === 1)
        await report(url, taskId, ...progressReports(round, round))
        await until('its event', () => currentsOf(client.results('1')).includes(round))
        client.complete('1')
        await until('it to be gone', () => isEmpty(server))
      }
      expect(currentsOf(client.results('1'))).toEqual(range(1, 10))
    })

    it.each<[string, (client: ProtocolClient) => void, number]>([
      ['terminated', ({ socket }) => socket.terminate(), 1006],
      ['closed by its client', ({ socket }) => socket.close(1000, 'done'), 1000],
      ['closed for a message that is none', ({ socket }) => socket.send('nonsense'), 4400],
      ['closed for a message of an unknown type', (client) => client.send({ type: 'what' }), 4400],
      ['closed for an id that is in use', (client) => client.subscribe('1', WATCH, {}), 4409],
      ['closed for a second init', (client) => client.send({ type: 'connection_init' }), 4429],
    ])('%s in a burst is freed, and others are not disturbed', async (_, end, code) => {
      const server = await openServer()
      const { url, webSocketUrl, gauges } = server
      const taskId = await startExternal(url)
      const [leaving, staying] = [
        await ProtocolClient.open(webSocketUrl),
        await ProtocolClient.open(webSocketUrl),
      ]
      for (const client of [leaving, staying])
        for (const id of ['1', '2']) client.subscribe(id, WATCH, { taskId, last: 1000 })
      await until('all to be there', () => gauges().subscriptions === 4 && gauges().groups === 1)
      const reporting = (async () => {
        for (const from of range(0, 9).map((i) => i * 50))
          await report(url, taskId, ...progressReports(from + 1, from + 50))
        await report(url, taskId, { success: {} })
      })()
      await until('some', () => leaving.results('1').length > 60)
      end(leaving)
      await until('its close', () => leaving.closed !== undefined)
      expect(leaving.closed).toBe(code)
      await reporting
      for (const id of ['1', '2']) {
        await until('the end', () => staying.isComplete(id))
        expect(currentsOf(staying.results(id))).toEqual(range(1, 500))
        const seen = currentsOf(leaving.results(id))
        expect(seen).toEqual(range(1, seen.length))
      }
      await until('all to be given back', () => isEmpty(server) && gauges().sockets === 1)
    })
  })

  it('with compression a client gets the same, and so does one without', async () => {
    const server = await openServer({ EPOCHCAST_COMPRESSION: '1', EPOCHCAST_MAX_BUFFERED_BYTES: '4096' })
    const { url, webSocketUrl, gauges } = server
    const taskId = await startExternal(url)
    const compressed = await ProtocolClient.open(webSocketUrl, { perMessageDeflate: true })
    const plain = await ProtocolClient.open(webSocketUrl)
    expect([compressed.socket.extensions, plain.socket.extensions]).toEqual([
      expect.stringContaining('permessage-deflate'),
      '',
    ])
    const ids = ['1', '2', '👍']
    for (const client of [compressed, plain])
      for (const id of ids) client.subscribe(id, WATCH, { taskId, last: 1000 })
    await until('all to be there', () => gauges().subscriptions === 6 && gauges().groups === 1)
    for (const from of range(0, 5).map((i) => i * 50)) {
      await report(url, taskId, ...progressReports(from + 1, from + 50))
      compressed.send({ type: 'ping', payload: { from } })
      compressed.socket.ping()
      compressed.subscribe(`query ${from}`, TASK, { id: taskId })
    }
    await report(url, taskId, { progress: { current: 301, message: '👍'.repeat(900) } }, { success: {} })
    for (const id of ids) {
      for (const client of [compressed, plain]) await until('the end', () => client.isComplete(id))
      expect(currentsOf(compressed.results(id))).toEqual(range(1, 301))
      const log = (client: ProtocolClient) => client.results(id).slice(1, -1)
      expect(JSON.stringify(log(compressed))).toBe(JSON.stringify(log(plain)))
    }
    expect(compressed.messages.filter(({ type }) => type === 'pong').length).toBe(6)
    await until('all to be given back', () => isEmpty(server))
  })

  it('a socket that does not read lags alone, and gets all in order once it reads', async () => {
    const server = await openServer()
    const { url, webSocketUrl, gauges } = server
    const taskId = await startExternal(url)
    const slow = await Promise.all(range(1, 3).map(() => ProtocolClient.open(webSocketUrl)))
    const quick = await ProtocolClient.open(webSocketUrl)
    for (const client of [...slow, quick]) client.subscribe('1', WATCH, { taskId, last: 1000 })
    await until('all to be there', () => gauges().subscriptions === 4 && gauges().groups === 1)
    for (const { socket } of slow) socket.pause()
    const METRICS = Object.fromEntries(range(1, 100).map((i) => [`metric_${i}`, Math.sqrt(i)]))
    const EVENTS = 2000
    for (let from = 1; from <= EVENTS; from += 100) {
      const reports = range(from, from + 99).map((current) => ({ progress: { current, metrics: METRICS } }))
      await report(url, taskId, ...reports)
      await until('the quick one', () => currentsOf(quick.results('1').slice(-1))[0] === from + 99)
      expect(gauges().bufferedBytes).toBeLessThan(3 * (65_536 + 32_768))
    }
    await report(url, taskId, { success: {} })
    await until('the quick one', () => quick.isComplete('1'))
    expect(gauges().bufferedBytes).toBeGreaterThan(0)
    for (const { socket } of slow) socket.resume()
    for (const client of slow) {
      await until('the slow one', () => client.isComplete('1'))
      expect(currentsOf(client.results('1'))).toEqual(range(1, EVENTS))
    }
    await until('all to be given back', () => isEmpty(server))
  })

  if (engine === 'redis') {
    // Only Redis can be away.
    it('an interruption while live is told once to each, and nobody misses an event', async () => {
      const redis = await testRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
      const server = await redisServer(redis)
      const { url, webSocketUrl, gauges } = server
      const taskId = await startExternal(url)
      const clients = await Promise.all(range(1, 4).map(() => ProtocolClient.open(webSocketUrl)))
      for (const client of clients)
        for (const id of ['1', '2']) client.subscribe(id, WATCH, { taskId, last: 1000 })
      await until('all to be there', () => gauges().subscriptions === 8 && gauges().groups === 1)
      const reportFrom = (from: number) =>
        until('the report to be taken', async () => {
          const input = {
            taskId,
            reports: progressReports(from, from + 19),
            producer: 'p',
            firstSequence: from,
          }
          return !(await post(url, REPORT, { input })).errors
        })
      await reportFrom(1)
      const all = () => clients.flatMap((client) => ['1', '2'].map((id) => client.results(id)))
      await until('the events', () => all().every((results) => currentsOf(results).length === 20))
      await redis.kill()
      await until('all to be told', () =>
        all().every((results) => kindsOf(results).includes('StreamInterrupted')),
      )
      await redis.start()
      await until('the server to be ready', () => isReady(server))
      await reportFrom(21)
      await reportFrom(41)
      await until('the end to be taken', async () => {
        const input = { taskId, reports: [{ success: {} }], producer: 'p', firstSequence: 61 }
        return !(await post(url, REPORT, { input })).errors
      })
      await until('the end', () =>
        clients.every((client) => client.isComplete('1') && client.isComplete('2')),
      )
      for (const results of all()) {
        expect(currentsOf(results)).toEqual(range(1, 60))
        const told = kindsOf(results).filter((kind) => ['StreamInterrupted', 'EventsSkipped'].includes(kind))
        expect(told).toEqual(['StreamInterrupted'])
      }
      await until('all to be given back', () => gauges().subscriptions === 0 && gauges().feeds === 0)
    })
  }
}, COSTLY)
