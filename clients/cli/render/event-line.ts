import type { TrainingProgressEvent } from '../../typescript/index.ts'
import { printable } from './text.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * One event as one line for pipes and logs: time, kind, then `name=value`, where a value that is not a
 * plain word is JSON. What is null is left out. The kinds are those of `epochcast report`.
 */
export function eventLine(event: TrainingProgressEvent): string {
  const [kind, fields] = describe(event)
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${word(name)}=${word(value)}`)
  return [event.timestamp, kind, ...pairs].join(' ')
}

function describe(event: TrainingProgressEvent): [kind: string, fields: Fields] {
  switch (event.__typename) {
    case 'ProgressUpdate': {
      const { current, total, progress, stage, atEpoch: epoch, loss, message, metrics } = event
      const percent = progress === null || progress === undefined ? null : Math.round(progress * 100) / 100
      return [
        'progress',
        { current, total, percent, epoch, stage, loss, ...named('metric', metrics), message },
      ]
    }
    case 'EpochStarted':
      return ['epoch-start', { epoch: event.epoch, total: event.totalEpochs }]
    case 'EpochEnded':
      return ['epoch-end', { epoch: event.epoch, phase: event.phase, ...named('metric', event.metrics) }]
    case 'RoundEnded': {
      const { round, totalRounds: total, fitMetrics, evalMetrics } = event
      return ['round-end', { round, total, ...named('fit', fitMetrics), ...named('eval', evalMetrics) }]
    }
    case 'StatusChanged':
      return ['status', { status: event.status, message: event.message }]
    case 'ErrorReported':
      return ['error', { type: event.errorType, error: event.error }]
    case 'TrainingSucceeded':
      return ['success', { result: event.result }]
    case 'TrainingFailed':
      return ['failure', { type: event.errorType, error: event.error }]
    case 'TrainingCancelled':
      return ['cancelled', { reason: event.reason }]
    case 'StreamOpened': {
      const { status, trainer, machineId: machine } = event.task
      return ['opened', { channel: event.channel, status, trainer, machine }]
    }
    case 'EventsSkipped':
      return ['skipped', { count: event.count, reason: event.skipReason }]
    case 'StreamInterrupted':
      return ['interrupted', { error: event.error }]
    case 'StreamTimedOut':
      return ['timed-out', { message: event.timedOutMessage }]
    case 'StreamClosing':
      return ['closing', { reason: event.closingReason }]
  }
}

function named(prefix: string, metrics: Fields): Fields {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}.${name}`, value]))
}

function word(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"'=\\\p{C}]+$/u.test(value)) return value
  return printable(JSON.stringify(value))
}
