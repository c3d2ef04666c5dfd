import type { Encoder } from '../../delivery/encoding.ts'
import { stringify } from '../../execution/raw-json.ts'
import type { DeliveredEvent, StreamEvent } from '../../task/stream-event.ts'
import { channelOf, type Metrics, type TaskSpec } from '../../task/task.ts'

/*
 * The messages of a hand-made relay of progress, as pages of that kind read them: what a publisher puts on the channel
 * of a task is passed on as it is, and the relay's own messages have a `type`.
 */

/** Events of one task for the pages of such a relay. */
export class ProgressMessages implements Encoder {
  readonly #spec: Pick<TaskSpec, 'id' | 'channelPrefix' | 'machineId'>

  constructor(spec: Pick<TaskSpec, 'id' | 'channelPrefix' | 'machineId'>) {
    this.#spec = spec
  }

  encode(event: DeliveredEvent): string {
    return stringify({ ...this.#common(event), ...this.#publishedOf(event) })
  }

  encodeOwn(event: StreamEvent): string {
    return stringify(ownMessage(event, channelOf(this.#spec)))
  }

  #common({ timestamp, cursor }: DeliveredEvent) {
    return { task_id: this.#spec.id, timestamp, machine_id: this.#spec.machineId, cursor }
  }

  #publishedOf(event: DeliveredEvent): object {
    switch (event.type) {
      case 'ProgressUpdate': {
        const { current, total, progress, stage, epoch, loss, message, metrics } = event
        return {
          ...{ status: 'PROGRESS', current, total, progress, stage, epoch, loss, message },
          metadata: { ...metrics, epoch, loss },
        }
      }
      case 'EpochStarted': {
        const { epoch, totalEpochs, progress } = event
        return {
          status: 'PROGRESS',
          stage: 'epoch_start',
          epoch,
          total_epochs: totalEpochs,
          progress,
          metadata: { epoch },
        }
      }
      case 'EpochEnded': {
        const { epoch, phase, progress, metrics } = event
        const loss = metrics.loss ?? null
        return {
          status: 'PROGRESS',
          stage: 'epoch_end',
          phase,
          epoch,
          progress,
          loss,
          metadata: { ...metrics, epoch, loss },
        }
      }
      case 'RoundEnded': {
        const { round, totalRounds, progress, fitMetrics, evalMetrics } = event
        const rounds = { round, total_rounds: totalRounds }
        const metadata = { ...fitMetrics, ...prefixed('eval_', evalMetrics), ...rounds }
        return {
          status: 'PROGRESS',
          stage: 'round_end',
          ...rounds,
          progress,
          loss: fitMetrics.loss ?? null,
          metadata,
        }
      }
      case 'SystemSampled':
        return { status: 'PROGRESS', stage: 'system', metadata: { ...event.metrics, member: event.member } }
      case 'StatusChanged':
        return { status: event.status, message: event.message, attempt: event.attempt }
      case 'ErrorReported':
        return { status: 'PROGRESS', stage: 'error', error: event.error, message: event.error }
      case 'TrainingSucceeded':
        return { status: 'SUCCESS', progress: 100, result: event.result }
      case 'TrainingFailed':
        return { status: 'FAILURE', error: event.error, error_type: event.errorType }
      case 'TrainingCancelled':
        return { status: 'CANCELLED', message: event.reason }
    }
  }
}

/** What the relay itself says, whichever pages it is for. */
export function ownMessage(event: StreamEvent, channel: string): object {
  const { timestamp, cursor } = event
  const common = { channel, timestamp, cursor }
  switch (event.type) {
    case 'StreamOpened':
      return { type: 'connected', ...common, message: event.message, status: event.task.state.status }
    case 'EventsSkipped':
      return {
        type: 'skipped',
        ...common,
        count: event.count,
        reason: event.skipReason,
        message: 'some events can no longer be delivered',
      }
    case 'StreamInterrupted':
      return { type: 'error', ...common, message: event.error, retryable: true }
    case 'StreamTimedOut':
      return { type: 'timeout', ...common, message: event.message }
    case 'StreamClosing':
      return { type: 'closing', ...common, reason: event.reason, message: event.reason }
  }
}

export const prefixed = (prefix: string, metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [prefix + name, value]))
