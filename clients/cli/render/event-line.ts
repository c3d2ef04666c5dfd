import type { TrainingProgressEvent } from '../../typescript/index.ts'
import { printable } from './text.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * One event as one line for pipes and logs: time, kind, then `name=value`, where a value that is not a
 * plain word is JSON. What is null is left out. The kinds are those of `epochcast report`.
 */
export function eventLine(event: TrainingProgressEvent): string {
  const known = (DESCRIPTIONS as Partial<Record<EventKind, Describe<TrainingProgressEvent>>>)[
    event.__typename
  ]
  // A newer server may have kinds that this program does not know.
  const [kind, fields] = known ? known(event) : [event.__typename, {}]
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${word(name)}=${word(value)}`)
  return [word(event.timestamp), word(kind), ...pairs].join(' ')
}

type EventKind = TrainingProgressEvent['__typename']
type EventOf<Kind extends EventKind> = Extract<TrainingProgressEvent, { readonly __typename: Kind }>
type Describe<Event> = (event: Event) => readonly [kind: string, fields: Fields]

const DESCRIPTIONS = {
  ProgressUpdate: ({ current, total, progress, ...event }) => {
    const { epoch, step, member, stage, loss, metrics, message } = event
    const percent = progress === null || progress === undefined ? null : Math.round(progress * 100) / 100
    const place = { current, total, percent, epoch, step, member, stage }
    // It is the loss once more.
    const { loss: _, ...others } = metrics
    return ['progress', { ...place, loss, ...named('metric', others), message }]
  },
  EpochStarted: ({ epoch, totalEpochs: total }) => ['epoch-start', { epoch, total }],
  EpochEnded: ({ epoch, step, member, phase, metrics }) => [
    'epoch-end',
    { epoch, step, member, phase, ...named('metric', metrics) },
  ],
  RoundEnded: ({ round, totalRounds: total, step, member, fitMetrics, evalMetrics }) => [
    'round-end',
    { round, total, step, member, ...named('fit', fitMetrics), ...named('eval', evalMetrics) },
  ],
  StatusChanged: ({ status, attempt, stopRequested: stopping, message }) => [
    'status',
    { status, attempt: attempt > 1 ? attempt : null, stopping: stopping || null, message },
  ],
  ErrorReported: ({ member, errorType: type, error }) => ['error', { member, type, error }],
  SystemSampled: ({ member, metrics }) => ['system', { member, ...named('metric', metrics) }],
  TrainingSucceeded: ({ result }) => ['success', { result }],
  TrainingFailed: ({ errorType: type, error }) => ['failure', { type, error }],
  TrainingCancelled: ({ reason }) => ['cancelled', { reason }],
  StreamOpened: ({ channel, task: { status, trainer, machineId: machine } }) => [
    'opened',
    { channel, status, trainer, machine },
  ],
  EventsSkipped: ({ count, skipReason: reason }) => ['skipped', { count, reason }],
  StreamInterrupted: ({ error }) => ['interrupted', { error }],
  StreamTimedOut: ({ message }) => ['timed-out', { message }],
  StreamClosing: ({ reason }) => ['closing', { reason }],
} satisfies { [Kind in EventKind]: Describe<EventOf<Kind>> }

function named(prefix: string, metrics: Fields): Fields {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}.${name}`, value]))
}

function word(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"'=\\\p{C}]+$/u.test(value)) return value
  return printable(JSON.stringify(value))
}
