import type { TrainingProgressEvent } from './follow.ts'
import type { TaskSummaryFragment } from './generated/graphql.ts'

type Summary = Omit<TaskSummaryFragment, '__typename' | 'etaSeconds'>

/**
 * A task as far as its events tell: the fields of `TaskSummary`, null where there is nothing.
 *
 * Folded from its first event, or from any StreamOpened, a view is the server's state of the task, except for
 * what the events do not carry:
 *
 * - `stopReason` stays as it was when the stream opened until TrainingCancelled tells it: StatusChanged has it in
 *   its message only.
 * - `startedAt`, `updatedAt` and `finishedAt` are the timestamps of events, so the trainer's clock where it reports
 *   times of its own; the server's state has the server's clock.
 * - Whether the trainer counts its progress itself or by its rounds is guessed from the task that the stream opened
 *   with. The guess is wrong where a trainer's progress has the same numbers as its rounds; then `current` and `total`
 *   may be those of the newest round until the next ProgressUpdate.
 * - `etaSeconds` is the server's to tell: it depends on when each report came.
 *
 * After EventsSkipped it lacks what the skipped events said.
 */
export interface TaskView extends Readonly<Known<Summary>> {
  /**
   * Whether the present attempt's trainer reports progress; then rounds leave `current`, `total` and `progress`
   * alone.
   */
  readonly countsProgress: boolean
  /** While events are replayed: the task that the last of them leads to, as the stream opened with it. */
  readonly replaysTo: TaskView | null
}

type Known<Fields> = { [Name in keyof Fields]-?: Exclude<Fields[Name], undefined> }

/** A task as a stream opens with it, or as a query returns it. */
export function initialView(task: TaskSummaryFragment): TaskView {
  const { round = null, totalRounds = null, current = null, total = null } = task
  const { __typename: _, etaSeconds: __, ...fields } = task
  return {
    ...NOTHING_YET,
    ...fields,
    countsProgress: current !== null && !(current === round && total === totalRounds),
    replaysTo: null,
  }
}

/**
 * The view after an event. Pure, so that it can be a reducer of any state library. StreamOpened replaces the view by
 * its task. Events that are replayed after it (`after`, `last`) lead through earlier values, as far as they tell
 * them, to the same view again; and events of kinds that this client does not know leave it as it is.
 */
export function foldEvent(view: TaskView, event: TrainingProgressEvent): TaskView {
  const { replaysTo } = view
  if (replaysTo?.cursor === event.cursor && event.__typename !== 'StreamOpened') return replaysTo
  const change = (CHANGES as Partial<Record<EventKind, Change>>)[event.__typename]
  return change ? { ...view, ...change(view, event) } : view
}

type EventKind = TrainingProgressEvent['__typename']
type EventOf<Kind extends EventKind> = Extract<TrainingProgressEvent, { readonly __typename: Kind }>
type TaskChanges = Partial<TaskView>
type Change = (view: TaskView, event: TrainingProgressEvent) => TaskChanges

const NOTHING_YET = {
  name: null,
  trainer: null,
  machineId: null,
  retryOf: null,
  stopReason: null,
  stage: null,
  current: null,
  total: null,
  progress: null,
  epoch: null,
  totalEpochs: null,
  round: null,
  totalRounds: null,
  step: null,
  loss: null,
  message: null,
  result: null,
  error: null,
  startedAt: null,
  finishedAt: null,
}

/** What an attempt begins with. */
const NOTHING_DONE = {
  countsProgress: false,
  current: null,
  total: null,
  progress: null,
  epoch: null,
  round: null,
  step: null,
}

const NO_CHANGE: TaskChanges = {}

/** What each kind of event changes; the server's rules, from `src/task/reducer.ts`. */
const CHANGES = {
  StreamOpened: (_, { task, cursor }) => {
    const opened = initialView(task)
    return { ...opened, replaysTo: cursor === task.cursor ? null : opened }
  },
  ProgressUpdate: ofTask((view, event: EventOf<'ProgressUpdate'>) => ({
    ...position(event),
    current: event.current,
    total: event.total ?? null,
    progress: event.progress ?? null,
    countsProgress: true,
    stage: event.stage ?? view.stage,
    ...epochOf(view, event.epoch ?? view.epoch),
    loss: event.loss ?? view.loss,
    metrics: { ...view.metrics, ...event.metrics },
    message: event.message ?? view.message,
    step: furthest(view, event),
  })),
  EpochStarted: (view, event) => ({
    ...position(event),
    ...epochOf(view, event.epoch ?? null),
    totalEpochs: event.totalEpochs ?? null,
    progress: event.progress ?? null,
  }),
  EpochEnded: ofTask((view, event: EventOf<'EpochEnded'>) => ({
    ...position(event),
    ...epochOf(view, event.epoch ?? null),
    progress: event.progress ?? null,
    loss: (event.phase === 'TRAIN' ? event.metrics.loss : undefined) ?? view.loss,
    metrics: { ...view.metrics, ...prefixed(event.metrics, PHASE_PREFIX[event.phase]) },
    step: furthest(view, event),
  })),
  RoundEnded: ofTask((view, event: EventOf<'RoundEnded'>) => {
    const { round, totalRounds = null } = event
    return {
      ...position(event),
      round,
      totalRounds,
      progress: event.progress ?? null,
      step: furthest(view, event),
      loss: event.fitMetrics.loss ?? view.loss,
      metrics: { ...view.metrics, ...event.fitMetrics, ...prefixed(event.evalMetrics, 'eval_') },
      ...(view.countsProgress ? {} : { current: round, total: totalRounds }),
    }
  }),
  StatusChanged: (view, event) => {
    const { status, attempt, stopRequested, timestamp } = event
    const isLaunch = attempt > view.attempt
    // What the server says of a change is no message of the trainer; where nothing else changes it is the trainer's.
    const isTrainers =
      status === 'RUNNING' && view.status === 'RUNNING' && !isLaunch && (view.stopRequested || !stopRequested)
    return {
      ...position(event),
      status,
      attempt,
      stopRequested,
      message: (isTrainers ? event.message : null) ?? view.message,
      // An attempt that waits for its start has not started, whatever the one before it did.
      startedAt: (isLaunch ? null : view.startedAt) ?? (status === 'RUNNING' ? timestamp : null),
      ...(isLaunch ? { ...NOTHING_DONE, message: null, error: null } : {}),
      // It had been given up.
      ...(status === 'RUNNING' && view.finishedAt !== null ? { finishedAt: null, error: null } : {}),
    }
  },
  ErrorReported: ofTask((_, event: EventOf<'ErrorReported'>) => ({
    ...position(event),
    error: errorOf(event),
  })),
  // An error that the trainer got over is history, and so is the way still to go.
  // Of its machine, not of the task.
  SystemSampled: (_, { cursor }) => ({ cursor }),
  TrainingSucceeded: (_, event) => ({
    ...ending('SUCCESS', event),
    result: event.result ?? null,
    error: null,
    progress: 100,
  }),
  TrainingFailed: (_, event) => ({ ...ending('FAILURE', event), error: errorOf(event) }),
  TrainingCancelled: (view, event) => ({
    ...ending('CANCELLED', event),
    stopReason: event.reason ?? view.stopReason,
  }),
  // Of the stream, not of the task.
  EventsSkipped: (_, { cursor }) => ({ cursor }),
  StreamInterrupted: () => NO_CHANGE,
  StreamTimedOut: () => NO_CHANGE,
  StreamClosing: () => NO_CHANGE,
} satisfies { [Kind in EventKind]: (view: TaskView, event: EventOf<Kind>) => TaskChanges }

type Place = Pick<TrainingProgressEvent, 'cursor' | 'timestamp'>

const position = ({ cursor, timestamp }: Place) => ({ cursor, updatedAt: timestamp })

/** What a member reports changes nothing but when the task was heard. */
function ofTask<Event extends Place & { readonly member?: string | null }>(
  change: (view: TaskView, event: Event) => TaskChanges,
): (view: TaskView, event: Event) => TaskChanges {
  return (view, event) => (typeof event.member === 'string' ? position(event) : change(view, event))
}

/** Trainers count epochs from one, or from zero. */
const epochOf = ({ firstEpoch }: TaskView, epoch: number | null): TaskChanges => ({
  epoch,
  firstEpoch: epoch === 0 ? 0 : firstEpoch,
})

const furthest = ({ step: before }: TaskView, { step }: { readonly step?: number | null }): number | null =>
  typeof step === 'number' ? Math.max(before ?? 0, step) : before

const ending = (status: TaskView['status'], event: Place) => ({
  ...position(event),
  status,
  stopRequested: false,
  finishedAt: event.timestamp,
})

const errorOf = ({ error, errorType }: EventOf<'ErrorReported' | 'TrainingFailed'>) => ({
  message: error,
  type: errorType ?? null,
})

/** The latest validation loss must not stand where the training loss does. */
const PHASE_PREFIX = { TRAIN: '', VAL: 'val_', TEST: 'test_' } as const

function prefixed(metrics: TaskView['metrics'], prefix: string): TaskView['metrics'] {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name.startsWith(prefix) ? name : prefix + name, value]),
  )
}
