import { textSize } from '../bounds/text-size.ts'
import type { ConfiguredTrainer } from '../dispatch/trainers.ts'
import type { Snapshot } from '../event-log/event-log.ts'
import type { EngineStatus } from '../event-log/store.ts'
import { authorize, type Caller, reachesAll } from '../repository/access.ts'
import { findForCaller } from '../repository/find-for-caller.ts'
import { findTasksOnce, listTasks, type TaskPage, type TaskPageRequest } from '../repository/find-tasks.ts'
import type { TaskFilter } from '../repository/task-filter.ts'
import { LIMITS } from '../task/limits.ts'
import { builder } from './builder.ts'
import { completionTurns } from './completion-turns.ts'
import type { Services } from './context.ts'
import { TaskObject } from './task.ts'
import { TaskFilterInput, TaskOrderEnum } from './task-filter.ts'
import { channelPrefix, line, taskId, wholeNumber } from './validation.ts'

export const EngineStatusObject = builder.objectRef<EngineStatus>('EngineStatus').implement({
  fields: (t) => ({
    name: t.exposeString('name', { description: 'lmdb, memory or redis.' }),
    connected: t.exposeBoolean('connected'),
    latencyMs: t.exposeFloat('latencyMs', { nullable: true, description: 'Round trip to the engine.' }),
  }),
})

const TrainerObject = builder.objectRef<ConfiguredTrainer>('Trainer').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    launcher: t.exposeString('launcher', { description: 'local, bullmq, celery or external.' }),
    description: t.exposeString('description', { nullable: true }),
    paramsSchema: t.expose('paramsSchema', {
      type: 'JSON',
      nullable: true,
      description:
        'JSON Schema (draft-07) of the parameters of a start, for a form; null where it takes any.',
    }),
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
    resolve: (_, { id, channelPrefix }, { caller, services, answer }) => {
      const asked = { id, channelPrefix: channelPrefix ?? null, allowedPrefixes: services.channelPrefixes }
      const read = () => findForCaller(services.log, caller, 'tasks:read', asked)
      return answer ? answer.read(JSON.stringify(['task', id, channelPrefix]), read, sizeOfTask) : read()
    },
  }),
  tasks: t.field({
    type: TaskConnection,
    description: 'Newest first, or as `orderBy` says.',
    args: {
      filter: t.arg({ type: TaskFilterInput }),
      orderBy: t.arg({ type: TaskOrderEnum, description: 'CREATED_DESC by default.' }),
      first: t.arg.int({
        description: `${LIMITS.tasksPage.default} by default, at most ${LIMITS.tasksPage.max}.`,
        validate: wholeNumber(0, LIMITS.tasksPage.max),
      }),
      after: t.arg.string({ validate: line(LIMITS.cursorLength) }),
    },
    complexity: ({ filter, first }) => ({
      field: filter ? 20 : 5,
      multiplier: (first ?? LIMITS.tasksPage.default) / 5,
    }),
    resolve: async (_, { filter, orderBy, first, after }, { caller, services, answer }) => {
      authorize(caller, 'tasks:read')
      const limit = first ?? LIMITS.tasksPage.default
      const request = { order: orderBy ?? 'CREATED_DESC', after: after ?? null, limit } as const
      const read = () => pageOfTasks(services, caller, filter ?? null, request)
      const key = JSON.stringify(['tasks', filter ?? null, request])
      const { tasks, hasMore } = await (answer?.read(key, read, sizeOfTasks) ?? read())
      const edges = tasks.map(({ cursor, snapshot }) => ({ cursor, node: snapshot }))
      return {
        edges: completionTurns.spread(edges, TASK_FIELDS),
        pageInfo: {
          hasNextPage: hasMore,
          hasPreviousPage: after != null,
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
      }
    },
  }),
  server: t.field({
    type: ServerInfoObject,
    resolve: (_, __, { caller, services }) => {
      authorize(caller, null)
      return services
    },
  }),
}))

/** Of a task, and its edge. */
const TASK_FIELDS = 40

const sizeOfTask = (task: Snapshot | null): number => textSize(task, LIMITS.answerReads)

const sizeOfTasks = ({ tasks }: TaskPage): number => textSize(tasks, LIMITS.answerReads)

/** All tasks in their own order are what the engine's list is; everything else is found by the catalog. */
async function pageOfTasks(
  { tasks, catalog }: Services,
  caller: Caller,
  filter: TaskFilter | null,
  request: TaskPageRequest,
): Promise<TaskPage> {
  if (filter !== null || request.order !== 'CREATED_DESC' || !reachesAll(caller))
    return findTasksOnce(catalog, filter ?? {}, caller, request)
  return listTasks(tasks, catalog, request)
}
