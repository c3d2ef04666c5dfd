import type { Encoder } from '../../delivery/encoding.ts'
import { stringify } from '../../execution/raw-json.ts'
import { prefixed } from '../../task/progress-message.ts'
import type { DeliveredEvent, StreamEvent } from '../../task/stream-event.ts'
import { channelOf, type TaskKey } from '../../task/task.ts'
import { ownMessage } from './progress-messages.ts'

/**
 * The messages of a relay of training callbacks: `type` says what happened in the loop, and `data` has it. Metrics stand in
 * `data` by their names.
 */
export class MetricsMessages implements Encoder {
  readonly #key: TaskKey

  constructor(key: TaskKey) {
    this.#key = key
  }

  encode(event: DeliveredEvent): string {
    const { timestamp, cursor } = event
    const { type, data } = messageOf(event)
    return stringify({ type, timestamp, cursor, data: { task_id: this.#key.id, ...data } })
  }

  encodeOwn(event: StreamEvent): string {
    return stringify(ownMessage(event, channelOf(this.#key)))
  }
}

interface Message {
  readonly type: 'epoch_start' | 'epoch_end' | 'round_end' | 'status' | 'error' | 'system'
  readonly data: object
}

function messageOf(event: DeliveredEvent): Message {
  switch (event.type) {
    case 'EpochStarted':
      return { type: 'epoch_start', data: { epoch: event.epoch, total_epochs: event.totalEpochs } }
    case 'EpochEnded': {
      const { epoch, phase, metrics } = event
      const named = phase === 'TRAIN' ? metrics : prefixed(`${phase.toLowerCase()}_`, metrics)
      return { type: 'epoch_end', data: { ...named, epoch, phase, metrics } }
    }
    case 'RoundEnded': {
      const { round, totalRounds, fitMetrics, evalMetrics } = event
      const named = { ...fitMetrics, ...prefixed('eval_', evalMetrics) }
      return { type: 'round_end', data: { ...named, round, total_rounds: totalRounds } }
    }
    case 'ProgressUpdate': {
      const { current, total, progress, stage, epoch, loss, message, metrics } = event
      return {
        type: 'status',
        data: { ...metrics, status: 'RUNNING', current, total, progress, stage, epoch, loss, message },
      }
    }
    case 'SystemSampled':
      return { type: 'system', data: { ...event.metrics, member: event.member } }
    case 'StatusChanged':
      return {
        type: 'status',
        data: { status: event.status, message: event.message, attempt: event.attempt },
      }
    case 'TrainingSucceeded':
      return { type: 'status', data: { status: 'SUCCESS', result: event.result } }
    case 'TrainingCancelled':
      return { type: 'status', data: { status: 'CANCELLED', message: event.reason } }
    case 'ErrorReported':
    case 'TrainingFailed': {
      const status = event.type === 'TrainingFailed' ? { status: 'FAILURE' } : {}
      return {
        type: 'error',
        data: { ...status, error: event.error, error_type: event.errorType, message: event.error },
      }
    }
  }
}
