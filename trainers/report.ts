/** Finite or not: the reporter writes NaN and ±Infinity as the strings the API's MetricValue asks for. */
export type Metrics = Record<string, number>

type TaskStatus = 'QUEUED' | 'RUNNING' | 'STALLED' | 'SUCCESS' | 'FAILURE' | 'CANCELLED'

interface Timed {
  /** RFC 3339 in UTC. Default: the moment `report` is called, since sending happens later. */
  timestamp?: string
}

interface ProgressReport extends Timed {
  current: number
  total?: number
  stage?: string
  epoch?: number
  /** Global step, where `current` counts something else. */
  step?: number
  loss?: number
  metrics?: Metrics
  message?: string
}

interface ErrorReport extends Timed {
  error: string
  errorType?: string
}

/** One thing a trainer tells: the API's `ReportInput`, exactly one key set. */
export type Report =
  | { progress: ProgressReport }
  | { epochStart: Timed & { epoch: number; totalEpochs?: number } }
  | { epochEnd: Timed & { epoch: number; step?: number; phase: 'TRAIN' | 'VAL' | 'TEST'; metrics: Metrics } }
  | {
      roundEnd: Timed & {
        round: number
        step?: number
        totalRounds?: number
        fitMetrics?: Metrics
        evalMetrics?: Metrics
      }
    }
  | { status: Timed & { status: TaskStatus; message?: string } }
  | { error: ErrorReport }
  | { success: Timed & { result?: unknown } }
  | { failure: ErrorReport }

/** All that training code sees of the outside world. Neither member ever throws or waits. */
export interface Reporter {
  report(report: Report): void
  /** True once the trainer should stop: somebody cancelled the task, or another attempt replaced this one. */
  readonly stopRequested: boolean
}

/** What a training function returns; a failure is thrown. */
export type TrainingOutcome =
  | { kind: 'finished'; result: Record<string, unknown> }
  /** `after` completes "stopped after …", e.g. `epoch 12`. */
  | { kind: 'stopped'; after: string }
