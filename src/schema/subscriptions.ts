import { type Beat, heartbeatStream } from '../feed/heartbeat.ts'
import { outputStream } from '../feed/output-stream.ts'
import { taskProgressStream } from '../feed/task-progress.ts'
import { TrainingEvents } from '../feed/training-events.ts'
import { trainingStream } from '../feed/training-stream.ts'
import { accountOf, authorize } from '../repository/access.ts'
import { getForCaller } from '../repository/find-for-caller.ts'
import { EpochcastError } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { decodeCursor, encodeCursor } from '../task/position.ts'
import { etaSeconds } from '../task/progress.ts'
import type { TaskView } from '../task/stream-event.ts'
import { channelOf, isFinalStatus } from '../task/task.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { TaskStatusEnum } from './enums.ts'
import { OutputLineObject } from './output.ts'
import { EngineStatusObject } from './queries.ts'
import { TaskErrorObject, TaskObject } from './task.ts'
import { TaskFilterInput } from './task-filter.ts'
import { TrainingEventInterface } from './training-event.ts'
import { channelPrefix, taskId, wholeNumber } from './validation.ts'

const TaskProgressObject = builder.objectRef<TaskView>('TaskProgress').implement({
  fields: (t) => ({
    taskId: t.id({ resolve: ({ state }) => state.spec.id }),
    channel: t.string({ resolve: ({ state }) => channelOf(state.spec) }),
    status: t.field({ type: TaskStatusEnum, resolve: ({ state }) => state.status }),
    current: t.field({ type: 'Count', nullable: true, resolve: ({ state }) => state.current }),
    total: t.field({ type: 'Count', nullable: true, resolve: ({ state }) => state.total }),
    progress: t.float({ nullable: true, resolve: ({ state }) => state.progress }),
    stage: t.string({ nullable: true, resolve: ({ state }) => state.stage }),
    message: t.string({ nullable: true, resolve: ({ state }) => state.message }),
    metrics: t.field({ type: 'Metrics', resolve: ({ state }) => state.metrics }),
    etaSeconds: t.float({ nullable: true, resolve: ({ state }) => etaSeconds(state) }),
    result: t.field({ type: 'JSON', nullable: true, resolve: ({ state }) => state.result }),
    error: t.field({ type: TaskErrorObject, nullable: true, resolve: ({ state }) => state.error }),
    timestamp: t.field({ type: 'DateTime', resolve: ({ state }) => state.updatedAt }),
    cursor: t.field({ type: 'Cursor', resolve: ({ state, top }) => encodeCursor(state.spec, top) }),
  }),
})

const HeartbeatObject = builder.objectRef<Beat>('Heartbeat').implement({
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: '1, 2, 3 … within one subscription.' }),
    timestamp: t.expose('timestamp', { type: 'DateTime' }),
    uptimeSeconds: t.exposeFloat('uptimeSeconds'),
    engine: t.expose('engine', { type: EngineStatusObject }),
  }),
})

/** Finds a task and opens its stream, as soon as the engine is in reach. */
function openTask<T>(
  { caller, services, opening }: Context,
  taskId: string,
  channelPrefix: string | null,
  open: (found: TaskView) => Promise<T>,
): Promise<T> {
  authorize(caller, 'tasks:read')
  const asked = { id: taskId, channelPrefix, allowedPrefixes: services.channelPrefixes }
  return services.engineWait.opened(
    async () => open(await getForCaller(services.feeds, caller, 'tasks:read', asked)),
    () => opening?.isLeft ?? false,
  )
}

/** Whether a task has ended, and a client stands at its end. */
function hasAllOf({ state, top }: TaskView, cursor: string): boolean {
  const { generation, offset } = decodeCursor(state.spec, cursor)
  return isFinalStatus(state.status) && generation === top.generation && offset === top.offset
}

const streamComplete = (): EpochcastError =>
  new EpochcastError('STREAM_COMPLETE', 'the task has ended, and all of its events were delivered')

const pacedDescription =
  'Where many such streams are open it grows, so that a server sends no more than so many values of them in a second (EPOCHCAST_STATE_VALUES_PER_SECOND), and each address its part.'
const minIntervalDescription = `Shortest time between two values; 0 by default. ${pacedDescription}`
const minIntervalMs = wholeNumber(0, LIMITS.minIntervalMs)

builder.subscriptionFields((t) => ({
  trainingProgress: t.field({
    type: TrainingEventInterface,
    description:
      "Every event of one training task, in order, without loss or repetition. Opens with StreamOpened, replays what `after` or `last` asks for, follows the log live, and completes by itself after the task's final event (StreamClosing) or after the maximum duration (StreamTimedOut).",
    args: {
      taskId: t.arg.id({ required: true, validate: taskId }),
      channelPrefix: t.arg.string({ validate: channelPrefix }),
      after: t.arg({
        type: 'Cursor',
        description: 'Goes on after this position. It wins over `last`, so a client may always send both.',
      }),
      last: t.arg.int({
        description: 'Replays this many of the newest events first.',
        validate: wholeNumber(0, LIMITS.last),
      }),
    },
    subscribe: (_, { taskId, channelPrefix, after, last }, context) => {
      const { feeds, maxStreamMs } = context.services
      const { lastEventId } = context
      const replay = { after: lastEventId ?? after ?? null, last: last ?? null }
      return openTask(context, taskId, channelPrefix ?? null, async (found) => {
        if (lastEventId !== undefined && hasAllOf(found, lastEventId)) throw streamComplete()
        return new TrainingEvents(await trainingStream(feeds, found, replay, { maxStreamMs }))
      })
    },
    resolve: (event) => event,
  }),
  taskProgress: t.field({
    type: TaskProgressObject,
    description:
      'The current state of any task (training, LLM, batch …) under an allowed channel prefix. Conflated: a slow or throttled reader gets the newest state, never a backlog. Completes after the final state.',
    args: {
      taskId: t.arg.id({ required: true, validate: taskId }),
      channelPrefix: t.arg.string({ validate: channelPrefix }),
      minIntervalMs: t.arg.int({ description: minIntervalDescription, validate: minIntervalMs }),
    },
    subscribe: (_, { taskId, channelPrefix, minIntervalMs }, context) => {
      const { feeds, pacing, maxStateStreamMs } = context.services
      const account = accountOf(context.caller)
      const options = { minIntervalMs: minIntervalMs ?? 0, maxStreamMs: maxStateStreamMs, pacing, account }
      return openTask(context, taskId, channelPrefix ?? null, async ({ state }) =>
        taskProgressStream(feeds, state.spec, options),
      )
    },
    resolve: (view) => view,
  }),
  taskOutput: t.field({
    type: OutputLineObject,
    description:
      "What a task's trainers print, line by line, in order, without loss or repetition but for what `OutputLine.skip` announces. Replays what `after` or `last` asks for, follows live, and completes once the task has ended and nothing was printed for two seconds (EPOCHCAST_OUTPUT_QUIET_SECONDS).",
    args: {
      taskId: t.arg.id({ required: true, validate: taskId }),
      channelPrefix: t.arg.string({ validate: channelPrefix }),
      after: t.arg({
        type: 'Cursor',
        description: 'Goes on after this line. It wins over `last`, so a client may always send both.',
      }),
      last: t.arg.int({
        description: 'Replays this many of the newest lines first.',
        validate: wholeNumber(0, LIMITS.last),
      }),
    },
    subscribe: (_, { taskId, channelPrefix, after, last }, context) => {
      const { feeds, output, maxStateStreamMs: maxStreamMs } = context.services
      const replay = { after: after ?? null, last: last ?? null }
      return openTask(context, taskId, channelPrefix ?? null, ({ state }) =>
        outputStream({ feeds, maxStreamMs, ...output }, state.spec, replay),
      )
    },
    resolve: (line) => line,
  }),
  taskUpdates: t.field({
    type: TaskObject,
    description:
      'Changes of all tasks that match, conflated per task: one subscription for a whole monitor. Opens with the matching tasks that are unfinished or ended within `finishedWithinSeconds`, so that a client that was away learns of the ends it missed; with those of `filter.ids` whatever their status. A task that leaves the filter is sent once more, as it is then; one that is deleted is not sent again.',
    args: {
      filter: t.arg({ type: TaskFilterInput }),
      minIntervalMs: t.arg.int({ description: minIntervalDescription, validate: minIntervalMs }),
      finishedWithinSeconds: t.arg.int({
        description: `${LIMITS.finishedWithinSeconds.default} by default, at most ${LIMITS.finishedWithinSeconds.max}.`,
        validate: wholeNumber(0, LIMITS.finishedWithinSeconds.max),
      }),
    },
    subscribe: (_, { filter, minIntervalMs, finishedWithinSeconds }, { caller, services }) => {
      authorize(caller, 'tasks:read')
      return services.updates.stream(filter ?? {}, {
        minIntervalMs: minIntervalMs ?? 0,
        maxStreamMs: services.maxStateStreamMs,
        caller,
        finishedWithinMs: 1000 * (finishedWithinSeconds ?? LIMITS.finishedWithinSeconds.default),
      })
    },
    resolve: (snapshot) => snapshot,
  }),
  heartbeat: t.field({
    type: HeartbeatObject,
    description: 'A beat every intervalMs (default 1000): proves the path from client to engine.',
    args: {
      intervalMs: t.arg.int({
        description: `${LIMITS.heartbeatMs.default} by default, from ${LIMITS.heartbeatMs.min} to ${LIMITS.heartbeatMs.max}. ${pacedDescription}`,
        validate: wholeNumber(LIMITS.heartbeatMs.min, LIMITS.heartbeatMs.max),
      }),
    },
    subscribe: (_, { intervalMs }, { caller, services: { engine, pacing, maxStateStreamMs } }) => {
      authorize(caller, null)
      return heartbeatStream(engine, {
        pacing,
        account: accountOf(caller),
        intervalMs: intervalMs ?? LIMITS.heartbeatMs.default,
        maxStreamMs: maxStateStreamMs,
      })
    },
    resolve: (beat) => beat,
  }),
}))
