import { encodeCursor } from '../task/position.ts'
import { etaSeconds, firstEpochOf } from '../task/progress.ts'
import type { TaskView } from '../task/stream-event.ts'
import { channelOf, type TaskError } from '../task/task.ts'
import { builder } from './builder.ts'
import { TaskStatusEnum } from './enums.ts'

export const TaskErrorObject = builder.objectRef<TaskError>('TaskError').implement({
  fields: (t) => ({
    message: t.exposeString('message'),
    type: t.exposeString('type', { nullable: true }),
  }),
})

export const TaskObject = builder.objectRef<TaskView>('Task')

TaskObject.implement({
  description: 'One training: its latest state, and the way to its history.',
  fields: (t) => ({
    id: t.id({ resolve: ({ state }) => state.spec.id }),
    channelPrefix: t.string({ resolve: ({ state }) => state.spec.channelPrefix }),
    channel: t.string({
      description: "channelPrefix:id, also the Redis channel that carries the task's events.",
      resolve: ({ state }) => channelOf(state.spec),
    }),
    startedBy: t.string({
      nullable: true,
      description:
        'The subject of the token by which it was started; null where the server runs without auth.',
      resolve: ({ state }) => state.spec.startedBy ?? null,
    }),
    name: t.string({
      nullable: true,
      description: 'For people; any text, not unique.',
      resolve: ({ state }) => state.spec.name ?? null,
    }),
    trainer: t.string({ nullable: true, resolve: ({ state }) => state.spec.trainer }),
    machineId: t.id({ nullable: true, resolve: ({ state }) => state.spec.machineId }),
    labels: t.field({ type: 'JSON', nullable: true, resolve: ({ state }) => state.spec.labels }),
    params: t.field({
      type: 'JSON',
      description:
        "What the trainer was given: the start's parameters with the trainer's defaults filled in.",
      resolve: ({ state }) => state.spec.params,
    }),
    status: t.field({ type: TaskStatusEnum, resolve: ({ state }) => state.status }),
    attempt: t.int({
      description: 'Counts launches: 1 at first, more where a launcher retried.',
      resolve: ({ state }) => state.attempt,
    }),
    retryOf: t.id({
      nullable: true,
      description: 'The finished task that this one repeats.',
      resolve: ({ state }) => state.spec.retryOf,
    }),
    stopRequested: t.boolean({
      description: 'Somebody asked the trainer to stop, and it has yet to.',
      resolve: ({ state }) => state.stopRequested,
    }),
    stopReason: t.string({
      nullable: true,
      description: 'Why it was to stop, or was stopped.',
      resolve: ({ state }) => state.stopReason,
    }),
    stage: t.string({ nullable: true, resolve: ({ state }) => state.stage }),
    current: t.field({ type: 'Count', nullable: true, resolve: ({ state }) => state.current }),
    total: t.field({ type: 'Count', nullable: true, resolve: ({ state }) => state.total }),
    progress: t.float({
      nullable: true,
      description:
        '0 to 100, of the finest that the present attempt counts with a total: steps (`current` of `total`), else epochs that are done, else rounds.',
      resolve: ({ state }) => state.progress,
    }),
    epoch: t.float({
      nullable: true,
      description:
        'The epoch that was reported last, begun or ended, by the number that the trainer gives it; or, as a fraction, how many are done.',
      resolve: ({ state }) => state.epoch,
    }),
    firstEpoch: t.int({
      description: "The number of the trainer's first epoch: 0 where it has reported an epoch 0, else 1.",
      resolve: ({ state }) => firstEpochOf(state),
    }),
    totalEpochs: t.int({ nullable: true, resolve: ({ state }) => state.totalEpochs }),
    round: t.int({ nullable: true, resolve: ({ state }) => state.round }),
    totalRounds: t.int({ nullable: true, resolve: ({ state }) => state.totalRounds }),
    step: t.field({
      type: 'Count',
      nullable: true,
      description: 'The highest global step that the present attempt reported.',
      resolve: ({ state }) => state.step,
    }),
    loss: t.field({ type: 'MetricValue', nullable: true, resolve: ({ state }) => state.loss }),
    metrics: t.field({
      type: 'Metrics',
      description:
        'The latest value of every metric. Those of a validation phase are named val_…, of a test phase test_…, of a federated evaluation eval_….',
      resolve: ({ state }) => state.metrics,
    }),
    message: t.string({
      nullable: true,
      description: 'What the trainer said last, in this attempt.',
      resolve: ({ state }) => state.message,
    }),
    etaSeconds: t.float({
      nullable: true,
      description:
        'Time left as of `updatedAt`, at the speed of the progress made in this attempt since its first report; null until there is some. What lies further back counts less.',
      resolve: ({ state }) => etaSeconds(state),
    }),
    result: t.field({ type: 'JSON', nullable: true, resolve: ({ state }) => state.result }),
    error: t.field({
      type: TaskErrorObject,
      nullable: true,
      description:
        'Of this attempt. Its type is Abandoned where the trainer was not heard for too long; a report of it then brings the task back.',
      resolve: ({ state }) => state.error,
    }),
    createdAt: t.field({ type: 'DateTime', resolve: ({ state }) => state.spec.createdAt }),
    startedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ state }) => state.startedAt }),
    updatedAt: t.field({ type: 'DateTime', resolve: ({ state }) => state.updatedAt }),
    finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ state }) => state.finishedAt }),
    cursor: t.field({
      type: 'Cursor',
      description: 'Position of the newest event.',
      resolve: ({ state, top }) => encodeCursor(state.spec, top),
    }),
  }),
})
