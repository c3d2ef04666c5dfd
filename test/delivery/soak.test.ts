import { createServer } from 'node:http'
import { pino } from 'pino'
import { expect, it, onTestFinished } from 'vitest'
import { EngineWait } from '../../src/feed/engine-wait.ts'
import { ANYONE } from '../../src/repository/access.ts'
import type { Context } from '../../src/schema/context.ts'
import { schema } from '../../src/schema/index.ts'
import type { TaskEvent } from '../../src/task/event.ts'
import { OpenSubscriptions } from '../../src/transport/open-subscriptions.ts'
import { Operations } from '../../src/transport/operations.ts'
import { OriginRule } from '../../src/transport/origin.ts'
import { Pipelines } from '../../src/transport/pipelines.ts'
import { graphqlSockets } from '../../src/transport/websocket/graphql-sockets.ts'
import { serveUpgrades } from '../../src/transport/websocket/upgrades.ts'
import { testCallers, testClients } from '../support/clients.ts'
import { feedsOf, memoryLog } from '../support/delivery.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { isReplay, testSeed, withSeed } from '../support/seed.ts'
import { clientOver } from '../support/sockets.ts'
import { append, createTask, progress, range, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'

/** The server's way from a log to its sockets, with everything that has a bound at its smallest. */
async function smallServer(seed: number) {
  const log = memoryLog()
  const feeds = feedsOf(log, { ringEvents: 8, pageBytes: 400_000, ringBytes: 6000, checkMs: 1000 })
  const openSubscriptions = new OpenSubscriptions(10_000)
  const logger = pino({ level: 'error' })
  const operations = new Operations({
    introspection: true,
    addressShare: 0.5,
    trustedDocuments: null,
    schema,
    context: {
      caller: ANYONE,
      audience: 'everybody',
      services: {
        log,
        feeds,
        engineWait: new EngineWait(log, 0),
        channelPrefixes: ['gan:training'],
        maxStreamMs: 600_000,
      },
    } as unknown as Context,
    openSubscriptions,
    onUnexpected: (error) => {
      throw error
    },
  })
  const http = createServer()
  const clients = testClients()
  const callers = testCallers(clients)
  const door = graphqlSockets({
    operations,
    clients,
    callers,
    logger,
    maxMessageBytes: 1_000_000,
    maxSubscriptionsPerSocket: 128,
    maxBufferedBytes: 4096,
    compression: seed % 2 === 0,
    connectionInitMs: 10_000,
    keepAliveMs: 60_000,
  })
  const origins = new OriginRule(['*'], '127.0.0.1')
  const sockets = serveUpgrades(http, [door], {
    clients,
    callers,
    pipelines: new Pipelines(),
    logger,
    origins,
  })
  onTestFinished(() => sockets.close())
  return { log, feeds, operations, openSubscriptions, http }
}

const SELECTIONS = [
  'cursor',
  '__typename cursor ... on ProgressUpdate { current message }',
  'cursor ... on ProgressUpdate { n: current metrics @include(if: $flag) }',
  // Not covered by the compiler: executed.
  'cursor ... on StreamOpened { task { status } } ... on TrainingSucceeded { result }',
]
const documentOf = (selection: string) => /* GraphQL */ `
  subscription ($id: ID!, $last: Int, $after: Cursor, $flag: Boolean! = false) {
    event: trainingProgress(taskId: $id, last: $last, after: $after) { kind: __typename flag: __typename @include(if: $flag) ${selection} }
  }`

/** One viewer: what it got of one task so far, over however many subscriptions. */
interface Viewer {
  readonly taskId: string
  readonly document: string
  readonly flag: boolean
  client: ProtocolClient
  id: string
  readonly seen: number[]
  taken: number
  cursor: string | null
  /** How many of the newest events its next stream begins with, unless there is a cursor. */
  last: number
  /** The offset its stream opened at: what comes after it is owed to this viewer. */
  openedAt: number | null
  isOver: boolean
}

const offsetOf = (cursor: string) => Number.parseInt(cursor.split('.')[2] as string, 36)

/** Numbers that a seed determines (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

async function soak(seed: number): Promise<void> {
  const below = random(seed)
  const { log, feeds, operations, openSubscriptions, http } = await smallServer(seed)
  const tasks = await Promise.all(range(1, 2).map(() => createTask(log)))
  const tops = new Map(tasks.map(({ id }) => [id, 1]))
  const clients: ProtocolClient[] = []
  const viewers: Viewer[] = []
  let ids = 0

  const connect = async () => {
    const room = [200, 3000, 20_000][below(3)] as number
    const client = new ProtocolClient(
      clientOver(http, '/graphql', room, { perMessageDeflate: below(2) === 0 }),
    )
    await client.isAcknowledged()
    clients.push(client)
    return client
  }
  const anyClient = async () =>
    clients.length < 4 || below(6) === 0 ? connect() : (clients[below(clients.length)] as ProtocolClient)

  const subscribe = (viewer: Viewer) => {
    const { taskId, flag, cursor, last } = viewer
    const variables = { id: taskId, flag, after: cursor, last }
    viewer.client.subscribe(viewer.id, viewer.document, variables)
  }
  /** No stream may open later than what was asked for: the server's word alone could hide a loss. */
  const openedAt = ({ taskId, last }: Viewer, offset: number) => {
    expect(offset).toBeLessThanOrEqual(Math.max(0, (tops.get(taskId) as number) - last))
    return offset
  }
  const take = (viewer: Viewer) => {
    for (const { data, errors } of viewer.client.results(viewer.id).slice(viewer.taken)) {
      viewer.taken++
      if (errors) throw new Error(JSON.stringify(errors))
      const { kind, cursor, flag } = data.event
      viewer.cursor = cursor
      if ((flag === undefined) === viewer.flag) throw new Error('it got what another one asked for')
      if ((kind === 'StreamOpened') !== (viewer.taken === 1))
        throw new Error(`${kind} as number ${viewer.taken}`)
      if (kind === 'StreamOpened') {
        viewer.openedAt ??= openedAt(viewer, offsetOf(cursor))
        continue
      }
      if (kind === 'StreamClosing') viewer.isOver = true
      else viewer.seen.push(offsetOf(cursor))
    }
  }
  const join = async () => {
    const { id: taskId } = tasks[below(tasks.length)] as { id: string }
    const document = documentOf(SELECTIONS[below(SELECTIONS.length)] as string)
    const id = `${'x'.repeat(below(6))}${ids++}`
    const client = await anyClient()
    const viewer = {
      taskId,
      document,
      flag: below(2) === 0,
      client,
      id,
      seen: [],
      taken: 0,
      cursor: null,
      last: [0, 3, 10, 300, 10_000][below(5)] as number,
      openedAt: null,
      isOver: false,
    }
    viewers.push(viewer)
    subscribe(viewer)
  }
  /** Leaves, in one way or another, and comes back after what it has got. */
  const resume = async (viewer: Viewer) => {
    if (viewer.isOver) return
    const old = viewer.client
    if (below(3) > 0) old.complete(viewer.id)
    else {
      clients.splice(clients.indexOf(old), 1)
      old.socket.terminate()
      // All others on this socket come back as well.
      for (const other of viewers) {
        if (other.client === old && other !== viewer) await comeBack(other)
      }
    }
    await comeBack(viewer)
  }
  const comeBack = async (viewer: Viewer) => {
    take(viewer)
    if (viewer.isOver) return
    viewer.client = await anyClient()
    viewer.id = `${ids++}`
    viewer.taken = 0
    // Without a cursor it has seen nothing yet, and begins among the newest.
    viewer.last = 7
    subscribe(viewer)
  }
  const burst = async () => {
    const task = tasks[below(tasks.length)] as (typeof tasks)[number]
    const top = tops.get(task.id) as number
    const size = [1, 1, 2, 5, 20, 120][below(6)] as number
    const message = 'm'.repeat([0, 10, 200, 1500, 5000][below(5)] as number)
    const events = range(top + 1, top + size).map(
      (i): TaskEvent => ({ ...progress(i), message }) as TaskEvent,
    )
    tops.set(task.id, top + size)
    await append(log, task, ...events)
  }

  for (const _ of range(1, 6)) await join()
  for (const _ of range(1, 250)) {
    const what = below(20)
    if (what < 9) await burst()
    else if (what < 11 && viewers.length < 40) await join()
    else if (what < 13) await resume(viewers[below(viewers.length)] as Viewer)
    else if (what < 16) clients[below(clients.length)]?.socket.pause()
    else if (what < 19) clients[below(clients.length)]?.socket.resume()
    else clients[below(clients.length)]?.send({ type: 'ping' })
    // Several things in one round of the event loop, or some rounds between them.
    for (let rounds = below(4); rounds > 0; rounds--) await new Promise((resolve) => setImmediate(resolve))
    for (const viewer of viewers) take(viewer)
  }
  for (const { socket } of clients) socket.resume()
  for (const task of tasks) {
    tops.set(task.id, (tops.get(task.id) as number) + 1)
    await append(log, task, succeeded())
  }
  for (const viewer of viewers) {
    await until(`the end of ${viewer.id}`, () => {
      take(viewer)
      return viewer.isOver
    })
    const opened = viewer.openedAt as number
    expect(viewer.seen).toEqual(range(opened + 1, tops.get(viewer.taskId) as number))
  }
  await until('all to be given back', () => openSubscriptions.count === 0)
  expect([operations.groupCount, feeds.size, log.watchCount]).toEqual([0, 0, 0])
  for (const { socket } of clients) socket.terminate()
}

it('whoever comes, pauses, leaves and comes back gets every event once, in order', async () => {
  const end = performance.now() + 5000
  // What is replayed depends on timing too, so it is given more than one chance.
  for (let seed = testSeed; performance.now() < end; seed += isReplay ? 0 : 1) await withSeed(seed, soak)
})
