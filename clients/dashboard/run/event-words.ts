import type { TrainingProgressEvent } from '../../typescript/index.ts'
import { formatCount, formatNumber, type MetricValue } from '../ui/format.ts'
import { STATUSES } from '../ui/status.tsx'
import { errorWords } from './error-line.ts'

export type Tone = 'progress' | 'epoch' | 'status' | 'error' | 'success' | 'machine' | 'stream'

export interface EventWords {
  readonly tone: Tone
  readonly kind: string
  readonly text: string
  /** Where the line is only a part of it. */
  readonly whole?: string
}

export const TONES: Readonly<Record<Tone, string>> = {
  progress: 'Progress',
  epoch: 'Epochs and rounds',
  status: 'Status',
  error: 'Errors',
  success: 'Ends',
  machine: 'Machine',
  stream: 'Stream',
}

type Kind = TrainingProgressEvent['__typename']
type EventOf<K extends Kind> = Extract<TrainingProgressEvent, { readonly __typename: K }>

/** Each kind of event as a line for people. */
const WORDS = {
  StreamOpened: () => ({ tone: 'stream', kind: 'opened', text: 'The stream is open' }),
  ProgressUpdate: ({ current, total, stage, message, metrics, member }) => ({
    tone: 'progress',
    kind: 'progress',
    text: words([
      member,
      total == null ? formatCount(current) : `${formatCount(current)} of ${formatCount(total)}`,
      stage,
      values(metrics),
      message,
    ]),
  }),
  EpochStarted: ({ epoch, totalEpochs }) => ({
    tone: 'epoch',
    kind: 'epoch start',
    text: `epoch ${formatCount(epoch)}${totalEpochs == null ? '' : ` of ${formatCount(totalEpochs)}`}`,
  }),
  EpochEnded: ({ epoch, phase, metrics, member }) => ({
    tone: 'epoch',
    kind: 'epoch end',
    text: words([member, `epoch ${formatCount(epoch)}`, phase.toLowerCase(), values(metrics)]),
  }),
  RoundEnded: ({ round, totalRounds, fitMetrics, evalMetrics, member }) => ({
    tone: 'epoch',
    kind: 'round end',
    text: words([
      member,
      `round ${formatCount(round)}${totalRounds == null ? '' : ` of ${formatCount(totalRounds)}`}`,
      values(fitMetrics, 'fit '),
      values(evalMetrics, 'eval '),
    ]),
  }),
  StatusChanged: ({ status, attempt, message, stopRequested }) => ({
    tone: 'status',
    kind: 'status',
    text: words([
      STATUSES[status].label,
      attempt > 1 ? `attempt ${attempt}` : null,
      stopRequested ? 'asked to stop' : null,
      message,
    ]),
  }),
  ErrorReported: ({ error, errorType, member }) => ({
    tone: 'error',
    kind: 'error',
    text: words([member, errorType, errorWords(error, errorType)]),
    whole: words([member, errorType, error]),
  }),
  TrainingSucceeded: ({ result }) => ({
    tone: 'success',
    kind: 'success',
    text: result == null ? 'The run succeeded' : JSON.stringify(result),
  }),
  TrainingFailed: ({ error, errorType }) => ({
    tone: 'error',
    kind: 'failure',
    text: words([errorType, errorWords(error, errorType)]),
    whole: words([errorType, error]),
  }),
  TrainingCancelled: ({ reason }) => ({
    tone: 'success',
    kind: 'cancelled',
    text: reason ?? 'The run was cancelled',
  }),
  SystemSampled: ({ member, metrics }) => ({
    tone: 'machine',
    kind: 'machine',
    text: words([member, values(metrics)]),
  }),
  EventsSkipped: ({ count, skipReason }) => ({
    tone: 'stream',
    kind: 'skipped',
    text: `${count == null ? 'Events' : `${formatCount(count)} events`} are no longer retained (${skipReason.toLowerCase()})`,
  }),
  StreamInterrupted: ({ error }) => ({ tone: 'stream', kind: 'interrupted', text: error }),
  StreamTimedOut: ({ message }) => ({ tone: 'stream', kind: 'timed out', text: message ?? '' }),
  StreamClosing: ({ reason }) => ({ tone: 'stream', kind: 'closed', text: reason ?? 'The stream is over' }),
} satisfies { [K in Kind]: (event: EventOf<K>) => EventWords }

/** They are asked for at each change of the list, and the words of a long error are looked for. */
const known = new WeakMap<TrainingProgressEvent, EventWords>()

export function wordsOf(event: TrainingProgressEvent): EventWords {
  const before = known.get(event)
  if (before) return before
  const write = (WORDS as Partial<Record<Kind, (event: never) => EventWords>>)[event.__typename]
  // Of a newer server.
  const made = write?.(event as never) ?? { tone: 'stream', kind: event.__typename, text: '' }
  known.set(event, made)
  return made
}

const words = (parts: readonly (string | null | undefined)[]): string => parts.filter(Boolean).join(' · ')

const MAX_VALUES = 6

function values(metrics: Readonly<Record<string, MetricValue>>, prefix = ''): string {
  const names = Object.keys(metrics)
  const more = names.length > MAX_VALUES ? ` and ${names.length - MAX_VALUES} more` : ''
  const shown = names.slice(0, MAX_VALUES).map((name) => `${prefix}${name} ${formatNumber(metrics[name])}`)
  return shown.join(', ') + more
}
