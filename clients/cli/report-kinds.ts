import type { Phase, ReportInput, TaskStatus } from '../typescript/index.ts'
import { defined, type MetricValue } from './options.ts'
import { UsageError } from './session.ts'

/** The values that a report can be made of; each kind uses some of them. */
export interface ReportValues {
  readonly current?: number
  readonly total?: number
  readonly step?: number
  readonly loss?: MetricValue
  readonly metric?: Record<string, MetricValue>
  readonly stage?: string
  readonly message?: string
  readonly epoch?: number
  readonly totalEpochs?: number
  readonly phase?: Phase
  readonly round?: number
  readonly totalRounds?: number
  readonly fit?: Record<string, MetricValue>
  readonly eval?: Record<string, MetricValue>
  readonly status?: TaskStatus
  readonly error?: string
  readonly type?: string
  readonly result?: unknown
  readonly timestamp?: string
}

type ValueName = keyof ReportValues

interface Kind<Report extends ReportInput = ReportInput> {
  readonly needs: readonly ValueName[]
  readonly takes: readonly ValueName[]
  readonly build: (values: Required<ReportValues>) => Report
}

type ReportField = keyof ReportInput
type ReportOf<Field extends ReportField> = Extract<ReportInput, { readonly [Name in Field]: object }>

/** `epochEnd` of the API is `epoch-end` on the command line. */
type KebabCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `-${Lowercase<First>}`}${KebabCase<Rest>}`
  : ''

const KINDS = {
  progress: {
    needs: ['current'],
    takes: ['total', 'loss', 'metric', 'stage', 'message', 'epoch', 'step'],
    build: ({ current, total, loss, metric: metrics, stage, message, epoch, step, timestamp }) => ({
      progress: defined({ current, total, loss, metrics, stage, message, epoch, step, timestamp }),
    }),
  },
  'epoch-start': {
    needs: ['epoch'],
    takes: ['totalEpochs'],
    build: ({ epoch, totalEpochs, timestamp }) => ({
      epochStart: defined({ epoch, totalEpochs, timestamp }),
    }),
  },
  'epoch-end': {
    needs: ['epoch', 'metric'],
    takes: ['phase', 'step'],
    build: ({ epoch, step, metric: metrics, phase, timestamp }) => ({
      epochEnd: defined({ epoch, step, metrics, phase: phase ?? 'TRAIN', timestamp }),
    }),
  },
  'round-end': {
    needs: ['round'],
    takes: ['totalRounds', 'fit', 'eval', 'step'],
    build: ({ round, totalRounds, step, fit: fitMetrics, eval: evalMetrics, timestamp }) => ({
      roundEnd: defined({ round, totalRounds, step, fitMetrics, evalMetrics, timestamp }),
    }),
  },
  status: {
    needs: ['status'],
    takes: ['message'],
    build: ({ status, message, timestamp }) => ({ status: defined({ status, message, timestamp }) }),
  },
  error: {
    needs: ['error'],
    takes: ['type'],
    build: ({ error, type: errorType, timestamp }) => ({ error: defined({ error, errorType, timestamp }) }),
  },
  system: {
    needs: ['metric'],
    takes: [],
    build: ({ metric: metrics, timestamp }) => ({ system: defined({ metrics, timestamp }) }),
  },
  success: {
    needs: [],
    takes: ['result'],
    build: ({ result, timestamp }) => ({ success: defined({ result, timestamp }) }),
  },
  failure: {
    needs: ['error'],
    takes: ['type'],
    build: ({ error, type: errorType, timestamp }) => ({ failure: defined({ error, errorType, timestamp }) }),
  },
} satisfies { [Field in ReportField as KebabCase<Field>]: Kind<ReportOf<Field>> }

export const REPORT_KINDS: readonly string[] = Object.keys(KINDS)

/** As they stand in a report: `epochEnd` for `epoch-end`. */
export const REPORT_FIELDS: readonly string[] = REPORT_KINDS.map((kind) =>
  kind.replace(/-[a-z]/g, ([, letter]) => (letter as string).toUpperCase()),
)

/** @throws UsageError where a value is missing, or is one that this kind of report does not have */
export function buildReport(kindName: string, values: ReportValues): ReportInput {
  if (!isKindName(kindName))
    throw new UsageError(
      `the kind of report is ${JSON.stringify(kindName)}; expected one of ${REPORT_KINDS.join(', ')}`,
    )
  const kind: Kind = KINDS[kindName]
  const missing = kind.needs.find((name) => values[name] === undefined)
  if (missing) throw new UsageError(`a report of ${kindName} needs ${flagOf(missing)}`)
  const known: readonly string[] = [...kind.needs, ...kind.takes, 'timestamp']
  const surplus = Object.keys(values).find((name) => !known.includes(name))
  if (surplus) throw new UsageError(`a report of ${kindName} has no ${flagOf(surplus)}`)
  return kind.build(values as Required<ReportValues>)
}

const isKindName = (name: string): name is keyof typeof KINDS => Object.hasOwn(KINDS, name)

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
