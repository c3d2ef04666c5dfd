import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { Snapshot } from '../event-log/event-log.ts'
import { findTask } from '../event-log/find-task.ts'
import type { EngineStatus } from '../event-log/store.ts'
import { matches, type TaskFilter } from '../feed/task-updates.ts'
import type { Trainer } from '../launcher/launcher.ts'
import { authorize, type Caller, mayRead, prefixesOf } from '../repository/access.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { isFinalStatus } from '../task/task.ts'
import { builder } from './builder.ts'
import type { Services } from './context.ts'
import { TaskObject } from './task.ts'
import { TaskFilterInput } from './task-filter.ts'
import { channelPrefix, line, taskId, wholeNumber } from './validation.ts'

export const EngineStatusObject = builder.objectRef<EngineStatus>('EngineStatus').implement({
  fields: (t) => ({
    name: t.exposeString('name', { description: 'memory or redis.' }),
    connected: t.exposeBoolean('connected'),
    latencyMs: t.exposeFloat('latencyMs', { nullable: true, description: 'Round trip to the engine.' }),
  }),
})

const TrainerObject = builder.objectRef<Trainer>('Trainer').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    launcher: t.exposeString('launcher', { description: 'local, bullmq, celery or external.' }),
    description: t.exposeString('description', { nullable: true }),
  }),
})

const ServerInfoObject = builder.objectRef<Services>('ServerInfo').implement({
  fields: (t) => ({
    version: t.exposeString('version'),
    engine: t.field({ type: EngineStatusObject, resolve: ({ engine }) => engine.status() }),
    trainers: t.field({ type: [TrainerObject], resolve: ({ trainers }) => trainers.all() }),
    channelPrefixes: t.stringList({ resolve: (services) => [...services.channelPrefixes] }),
  }),
})

const TaskConnection = builder.connectionObject({ type: TaskObject, name: 'TaskConnection' })

builder.queryFields((t) => ({
  task: t.field({
    type: TaskObject,
    nullable: true,
    description:
      'One task, or null. Without a channelPrefix it is looked for under each prefix of the server, in their order.',
    args: {
      id: t.arg.id({ required: true, validate: taskId }),
      channelPrefix: t.arg.string({ validate: channelPrefix }),
    },
    resolve: (_, { id, channelPrefix }, { caller, services }) => {
      authorize(caller, 'tasks:read', { id })
      const prefixes = prefixesOf(caller, services.channelPrefixes)
      return findTask(services.log, prefixes, id, channelPrefix ?? null)
    },
  }),
  tasks: t.field({
    type: TaskConnection,
    description: 'Newest first.',
    args: {
      filter: t.arg({ type: TaskFilterInput }),
      first: t.arg.int({
        description: `${LIMITS.tasksPage.default} by default, at most ${LIMITS.tasksPage.max}.`,
        validate: wholeNumber(0, LIMITS.tasksPage.max),
      }),
      after: t.arg.string({ validate: line(LIMITS.cursorLength) }),
    },
    complexity: ({ filter, first }) => ({
      field: filter ? 2000 : 5,
      multiplier: (first ?? LIMITS.tasksPage.default) / 5,
    }),
    resolve: async (_, { filter, first, after }, { caller, services }) => {
      authorize(caller, 'tasks:read')
      const limit = first ?? LIMITS.tasksPage.default
      const { snapshots, hasMore } = await listTasks(services, caller, filter ?? {}, after ?? null, limit)
      const edges = snapshots.map((node) => ({ cursor: listCursor(node), node }))
      return {
        edges,
        pageInfo: {
          hasNextPage: hasMore,
          hasPreviousPage: after != null,
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
      }
    },
  }),
  server: t.field({ type: ServerInfoObject, resolve: (_, __, { services }) => services }),
}))

const SCAN_PAGE = 200

/** Walks the list, newest first, until `limit` tasks match and it is known whether one more does. */
async function listTasks(
  { tasks }: Services,
  caller: Caller,
  filter: TaskFilter,
  after: string | null,
  limit: number,
) {
  const finishedWanted = filter.statuses?.some(isFinalStatus) ?? true
  const snapshots: Snapshot[] = []
  let before = after === null ? null : parseListCursor(after)
  for (;;) {
    const page = await tasks.list(finishedWanted ? 'all' : 'unfinished', before, SCAN_PAGE)
    for (const snapshot of page.snapshots) {
      if (!mayRead(caller, snapshot.state.spec) || !matches(filter, snapshot.state)) continue
      if (snapshots.length === limit) return { snapshots, hasMore: true }
      snapshots.push(snapshot)
    }
    const last = page.snapshots.at(-1)
    if (!page.hasMore || !last) return { snapshots, hasMore: false }
    // An engine in this process never waits for the network, so a long list would block everything else.
    await eventLoopTurn()
    before = last.serial
  }
}

const listCursor = ({ serial }: Snapshot): string => `t${serial.toString(36)}`

function parseListCursor(cursor: string): number {
  if (/^t[0-9a-z]{1,10}$/.test(cursor)) return Number.parseInt(cursor.slice(1), 36)
  throw new EpochcastError(
    'BAD_CURSOR',
    `after is ${quote(cursor)}; expected a cursor of an edge or of pageInfo of this list`,
  )
}
