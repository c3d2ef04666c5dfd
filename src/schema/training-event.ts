import type {
  EpochEnded,
  EpochStarted,
  ErrorReported,
  ProgressUpdate,
  RoundEnded,
  StatusChanged,
  SystemSampled,
  TrainingCancelled,
  TrainingFailed,
  TrainingSucceeded,
} from '../task/event.ts'
import type {
  Delivery,
  EventsSkipped,
  StreamClosing,
  StreamInterrupted,
  StreamOpened,
  StreamTimedOut,
  TrainingEvent,
} from '../task/stream-event.ts'
import { TYPE_PROPERTY } from './answer.ts'
import { builder } from './builder.ts'
import { PhaseEnum, SkipReasonEnum, TaskStatusEnum } from './enums.ts'
import { TaskObject } from './task.ts'

/** What all of them have; the log's events and the stream's differ in the rest. */
type AnyEvent = Delivery & Pick<TrainingEvent, 'type' | 'timestamp'>

export const TrainingEventInterface = builder.interfaceRef<AnyEvent>('TrainingEvent').implement({
  description: 'Something that happened to a training task, or to the stream that watches it.',
  resolveType: (event) => event.type,
  extensions: { [TYPE_PROPERTY]: 'type' },
  fields: (t) => ({
    taskId: t.exposeID('taskId'),
    timestamp: t.expose('timestamp', { type: 'DateTime' }),
    cursor: t.expose('cursor', {
      type: 'Cursor',
      description: 'Where the stream stands once this event is delivered.',
    }),
  }),
})

const interfaces = [TrainingEventInterface]

const progressDescription =
  '0 to 100: of the task after it (see `Task.progress`), or of the member that reported it.'
const totalDescription = 'As it is after the event, also where the report did not give it again.'
const stepDescription = "The trainer's global step, where it gave one."
const memberDescription = 'The rank, client or node that reported it, where it said so.'
/** GraphQL lets one document select a field of several types only where all of them agree on its type. */
const alwaysGiven =
  'Always given here; nullable as in the other events that have it, so that one document can ask for all of them.'

/**
 * The GraphQL type of every event; a kind that is forgotten here does not compile. A field's name has one type,
 * nullability included, in all of them, so that any document may do without aliases.
 */
export const EVENT_TYPES = {
  // ---- events of the log, as trainers report them ----

  ProgressUpdate: builder.objectRef<ProgressUpdate & Delivery>('ProgressUpdate').implement({
    interfaces,
    fields: (t) => ({
      current: t.expose('current', { type: 'Count' }),
      total: t.expose('total', { type: 'Count', nullable: true, description: totalDescription }),
      progress: t.exposeFloat('progress', { nullable: true, description: progressDescription }),
      status: t.expose('status', { type: TaskStatusEnum }),
      machineId: t.exposeID('machineId', { nullable: true }),
      stage: t.exposeString('stage', { nullable: true }),
      epoch: t.exposeFloat('epoch', {
        nullable: true,
        description: 'May be a fraction: 2.5 is half-way through the third.',
      }),
      step: t.expose('step', { type: 'Count', nullable: true, description: stepDescription }),
      member: t.exposeString('member', { nullable: true, description: memberDescription }),
      loss: t.expose('loss', { type: 'MetricValue', nullable: true }),
      metrics: t.expose('metrics', { type: 'Metrics' }),
      message: t.exposeString('message', { nullable: true }),
    }),
  }),

  EpochStarted: builder.objectRef<EpochStarted & Delivery>('EpochStarted').implement({
    interfaces,
    fields: (t) => ({
      epoch: t.exposeFloat('epoch', { nullable: true, description: alwaysGiven }),
      totalEpochs: t.exposeInt('totalEpochs', { nullable: true, description: totalDescription }),
      progress: t.exposeFloat('progress', { nullable: true, description: progressDescription }),
    }),
  }),

  EpochEnded: builder.objectRef<EpochEnded & Delivery>('EpochEnded').implement({
    interfaces,
    fields: (t) => ({
      epoch: t.exposeFloat('epoch', { nullable: true, description: alwaysGiven }),
      step: t.expose('step', { type: 'Count', nullable: true, description: stepDescription }),
      member: t.exposeString('member', { nullable: true, description: memberDescription }),
      phase: t.expose('phase', { type: PhaseEnum }),
      progress: t.exposeFloat('progress', { nullable: true, description: progressDescription }),
      metrics: t.expose('metrics', { type: 'Metrics' }),
    }),
  }),

  RoundEnded: builder.objectRef<RoundEnded & Delivery>('RoundEnded').implement({
    description: 'One round of federated learning.',
    interfaces,
    fields: (t) => ({
      round: t.exposeInt('round'),
      totalRounds: t.exposeInt('totalRounds', { nullable: true, description: totalDescription }),
      progress: t.exposeFloat('progress', { nullable: true, description: progressDescription }),
      step: t.expose('step', { type: 'Count', nullable: true, description: stepDescription }),
      member: t.exposeString('member', { nullable: true, description: memberDescription }),
      fitMetrics: t.expose('fitMetrics', { type: 'Metrics' }),
      evalMetrics: t.expose('evalMetrics', { type: 'Metrics' }),
    }),
  }),

  StatusChanged: builder.objectRef<StatusChanged & Delivery>('StatusChanged').implement({
    interfaces,
    fields: (t) => ({
      status: t.expose('status', { type: TaskStatusEnum }),
      attempt: t.exposeInt('attempt', { description: 'The launch that the task is in now.' }),
      stopRequested: t.exposeBoolean('stopRequested', {
        description: 'Somebody asked the trainer to stop, and it has yet to.',
      }),
      message: t.exposeString('message', { nullable: true }),
    }),
  }),

  ErrorReported: builder.objectRef<ErrorReported & Delivery>('ErrorReported').implement({
    description: 'Something went wrong in the trainer; the task may still go on.',
    interfaces,
    fields: (t) => ({
      member: t.exposeString('member', { nullable: true, description: memberDescription }),
      error: t.exposeString('error'),
      errorType: t.exposeString('errorType', { nullable: true }),
    }),
  }),

  SystemSampled: builder.objectRef<SystemSampled & Delivery>('SystemSampled').implement({
    description: 'How a machine stood that a trainer runs on; no sign of life of the trainer.',
    interfaces,
    fields: (t) => ({
      member: t.exposeString('member', { nullable: true, description: 'The machine.' }),
      metrics: t.expose('metrics', { type: 'Metrics' }),
    }),
  }),

  TrainingSucceeded: builder.objectRef<TrainingSucceeded & Delivery>('TrainingSucceeded').implement({
    description: 'Final.',
    interfaces,
    fields: (t) => ({
      result: t.expose('result', { type: 'JSON', nullable: true }),
    }),
  }),

  TrainingFailed: builder.objectRef<TrainingFailed & Delivery>('TrainingFailed').implement({
    description:
      'Final. Where errorType is Abandoned, its trainer was only not heard for too long: a report of it brings the task back with StatusChanged, and the log goes on after this event.',
    interfaces,
    fields: (t) => ({
      error: t.exposeString('error'),
      errorType: t.exposeString('errorType', { nullable: true }),
    }),
  }),

  TrainingCancelled: builder.objectRef<TrainingCancelled & Delivery>('TrainingCancelled').implement({
    description: 'Final.',
    interfaces,
    fields: (t) => ({
      reason: t.exposeString('reason', { nullable: true }),
    }),
  }),

  // ---- events of the stream itself, never in the log ----

  StreamOpened: builder.objectRef<StreamOpened>('StreamOpened').implement({
    description: 'The first event of every stream.',
    interfaces,
    fields: (t) => ({
      channel: t.exposeString('channel'),
      message: t.exposeString('message', { nullable: true, description: alwaysGiven }),
      task: t.field({
        type: TaskObject,
        description: 'The task as it is now, so that a viewer can draw before the first event.',
        resolve: ({ task }) => task,
      }),
    }),
  }),

  EventsSkipped: builder.objectRef<EventsSkipped>('EventsSkipped').implement({
    description: 'Loss is never silent: these events can no longer be delivered.',
    interfaces,
    fields: (t) => ({
      count: t.exposeInt('count', { nullable: true, description: 'How many, where it can be known.' }),
      skipReason: t.expose('skipReason', { type: SkipReasonEnum }),
    }),
  }),

  StreamInterrupted: builder.objectRef<StreamInterrupted>('StreamInterrupted').implement({
    description: 'The engine is out of reach; the stream goes on by itself, without a gap, when it is back.',
    interfaces,
    fields: (t) => ({ error: t.exposeString('error') }),
  }),

  StreamTimedOut: builder.objectRef<StreamTimedOut>('StreamTimedOut').implement({
    description: 'The maximum duration is over and the stream completes; subscribe again with the cursor.',
    interfaces,
    fields: (t) => ({ message: t.exposeString('message', { nullable: true, description: alwaysGiven }) }),
  }),

  StreamClosing: builder.objectRef<StreamClosing>('StreamClosing').implement({
    description: 'The task has ended, all of it was delivered, and the stream completes.',
    interfaces,
    fields: (t) => ({ reason: t.exposeString('reason', { nullable: true, description: alwaysGiven }) }),
  }),
} satisfies { [Kind in TrainingEvent['type']]: unknown }
