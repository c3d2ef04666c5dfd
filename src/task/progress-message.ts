import type { DeliveredEvent } from './stream-event.ts'
import type { Metrics, TaskSpec } from './task.ts'

/** What such a message tells of a task beside its events. */
export type Published = Pick<TaskSpec, 'id' | 'channelPrefix' | 'machineId'>

/** An event as hand-made publishers put it on the channel of a task (`gan:training:7f3c`), and as their pages read it. */
export function progressMessageOf({ id, machineId }: Published, event: DeliveredEvent): object {
  const { timestamp, cursor } = event
  return { task_id: id, timestamp, machine_id: machineId, cursor, ...wordsOf(event) }
}

function wordsOf(event: DeliveredEvent): object {
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

export const prefixed = (prefix: string, metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [prefix + name, value]))
