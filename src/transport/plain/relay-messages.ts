import { isUsableText } from '../../schema/validation.ts'
import { EpochcastError, quote } from '../../task/errors.ts'
import { jsonText, parseText, quoteBareNumbers } from '../../task/json.ts'
import type { Report } from '../../task/report.ts'
import type { Json, Metrics, Phase } from '../../task/task.ts'
import { type Fields, isObject, metricsOf, metricValue, type Warn } from './relay-metrics.ts'
import { timeOf } from './relay-time.ts'

/*
 * What trainers send to a hand-made relay of callbacks: `{type, timestamp, data}`. The Python package has the same relay's
 * sender as a class (`clients/python/src/epochcast/relay.py`), and both read its words alike.
 */

export interface RelayMessage {
  readonly type: RelayType
  /** As it was sent. */
  readonly text: string
  /** Whether it has a time, so that the same text again is the same message. */
  readonly isDated: boolean
  /** The task that it names; null for the one of its socket. */
  readonly taskId: string | null
  /** In the order in which they are to be applied. */
  readonly reports: readonly Report[]
  /** Whether it says that the training is over. */
  readonly ends: boolean
  /** Whether a training may begin with it, where another of the same sender has ended. */
  readonly begins: boolean
  /** What was left out, and why. */
  readonly warnings: readonly string[]
}

const TYPES = ['epoch_start', 'epoch_end', 'round_end', 'status', 'error'] as const
type RelayType = (typeof TYPES)[number]

/** What a message is read from, and where to say what is left out of it. */
interface Reading {
  readonly data: Fields
  readonly at: { readonly timestamp?: string }
  readonly warn: Warn
}

/** More say no more than the first. */
const MAX_WARNINGS = 20

/** Statuses by which relays' trainers say that they have ended, in lower case. */
export const SUCCESS_WORDS: readonly string[] = ['success', 'completed', 'complete', 'finished', 'done']
export const FAILURE_WORDS: readonly string[] = ['failure', 'failed', 'error']
export const CANCELLED_WORDS: readonly string[] = ['cancelled', 'canceled', 'stopped', 'aborted']
/** Those with which a training begins; any other may come after its end. */
const STARTING_WORDS: readonly string[] = [
  ...['started', 'starting', 'start', 'running', 'training', 'in_progress'],
  ...['initializing', 'initialising', 'preparing', 'loading', 'pending', 'queued'],
]

export const PHASE_WORDS: Readonly<Record<string, Phase>> = {
  ...{ train: 'TRAIN', training: 'TRAIN', fit: 'TRAIN' },
  ...{ val: 'VAL', valid: 'VAL', validation: 'VAL', validate: 'VAL', eval: 'VAL', evaluation: 'VAL' },
  ...{ test: 'TEST', testing: 'TEST' },
}

/**
 * @param text JSON, also as Python's json module writes it, with a bare NaN
 * @throws EpochcastError BAD_REQUEST, BAD_INPUT
 */
export function relayMessage(text: string): RelayMessage {
  const message = fieldsOf(parsed(text), 'the message')
  const { type } = message
  if (!isType(type)) throw badInput(`type is ${quote(type)}; expected one of ${TYPES.join(', ')}`)
  const data = fieldsOf(message.data ?? {}, 'data')
  const warnings: string[] = []
  const warn: Warn = (words) => void (warnings.length < MAX_WARNINGS && warnings.push(words()))
  const given = message.timestamp ?? data.timestamp
  const timestamp = timeOf(given)
  if (given != null && timestamp === null)
    warn(() => `timestamp ${quote(given)} has no zone or is no time; the time of its arrival was taken`)
  const read = READERS[type]({ data, at: timestamp === null ? {} : { timestamp }, warn })
  return {
    ...{ type, text, isDated: given != null, taskId: taskIdIn(message, data), warnings },
    ...{ ends: false, begins: true, ...read },
  }
}

type Read = Pick<RelayMessage, 'reports'> & Partial<Pick<RelayMessage, 'ends' | 'begins'>>

const READERS = {
  epoch_start: ({ data, at, warn }) => {
    const totalEpochs = optionalCount(data, ['total_epochs'], 0, warn)
    return {
      reports: [{ epochStart: { ...at, epoch: Math.floor(numberOf(data, 'epoch')), ...totalEpochs } }],
    }
  },
  epoch_end: ({ data, at, warn }) => {
    const { phase } = data
    const known = typeof phase === 'string' ? PHASE_WORDS[phase.toLowerCase()] : undefined
    if (phase != null && !known)
      warn(() => `data.phase is ${quote(phase)}; expected train, val or test, so train is taken`)
    const metrics = metricsIn(data, 'metrics', warn) ?? metricsOf(withoutNames(data, PLACES), 'data', warn)
    const step = optionalCount(data, ['step', 'global_step'], 0, warn, 'step')
    const epoch = numberOf(data, 'epoch')
    return { reports: [{ epochEnd: { ...at, epoch, ...step, phase: known ?? 'TRAIN', metrics } }] }
  },
  round_end: ({ data, at, warn }) => {
    const round = Math.floor(
      numberOf(data, data.round == null && data.round_num != null ? 'round_num' : 'round'),
    )
    const total = optionalCount(data, ['total_rounds'], 1, warn, 'totalRounds')
    const fit = metricsIn(data, 'fit_metrics', warn) ?? metricsIn(data, 'metrics', warn)
    const evaluated = metricsIn(data, 'eval_metrics', warn)
    const fitMetrics = fit ?? (evaluated ? {} : metricsOf(withoutNames(data, PLACES), 'data', warn))
    return { reports: [{ roundEnd: { ...at, round, ...total, fitMetrics, evalMetrics: evaluated ?? {} } }] }
  },
  status: (reading) => statusReports(reading),
  error: ({ data, at }) => {
    const error = wordsIn(data, 'error') ?? wordsIn(data, 'message')
    if (error === null) throw badInput('data.error is missing; expected what went wrong, as a text')
    const report = { ...at, error, ...errorTypeIn(data) }
    const ends = data.fatal === true || FAILURE_WORDS.includes(word(data.status))
    return { reports: [ends ? { failure: report } : { error: report }], ends, begins: false }
  },
} satisfies { [Type in RelayType]: (reading: Reading) => Read }

/** A status tells an end by its word; any other is shown as what the training is doing. */
function statusReports({ data, at, warn }: Reading): Read {
  const status = wordsIn(data, 'status')
  const message = wordsIn(data, 'message')
  const named = word(data.status)
  const said: Report[] = message === null ? [] : [{ status: { ...at, status: 'RUNNING', message } }]
  if (SUCCESS_WORDS.includes(named)) {
    const result = (data.result ?? null) as Json
    return {
      reports: [...said, { success: { ...at, ...(result !== null && { result }) } }],
      ends: true,
      begins: false,
    }
  }
  if (FAILURE_WORDS.includes(named)) {
    const error = message ?? wordsIn(data, 'error') ?? named
    return { reports: [{ failure: { ...at, error, ...errorTypeIn(data) } }], ends: true, begins: false }
  }
  if (CANCELLED_WORDS.includes(named)) {
    const end = { ...at, status: 'CANCELLED' as const, ...(message !== null && { message }) }
    return { reports: [{ status: end }], ends: true, begins: false }
  }
  if (status === null && message === null)
    throw badInput('data has neither status nor message; expected one of them, as a text')
  const begins = STARTING_WORDS.includes(named)
  const progress = progressIn(data, warn)
  if (progress)
    return { reports: [{ progress: { ...at, ...progress, ...(message !== null && { message }) } }], begins }
  return { reports: [{ status: { ...at, status: 'RUNNING', message: message ?? status } }], begins }
}

/** As `metrics-messages.ts` writes it. */
function progressIn(data: Fields, warn: Warn): Omit<NonNullable<Report['progress']>, 'message'> | null {
  const current = finite(data.current)
  if (current === null || !isCount(Math.floor(current))) return null
  const epoch = finite(data.epoch)
  const stage = wordsIn(data, 'stage')
  const others = withoutNames(data, [...PLACES, 'status', 'message', 'current', 'total', 'progress', 'stage'])
  return {
    current: Math.floor(current),
    ...optionalCount(data, ['total'], 1, warn),
    ...optionalCount(data, ['step', 'global_step'], 0, warn, 'step'),
    ...(epoch !== null && epoch >= 0 && { epoch }),
    ...(stage !== null && isUsableText(stage) && { stage }),
    metrics: metricsIn(data, 'metrics', warn) ?? metricsOf(others, 'data', warn),
  }
}

/** Names in `data` that are no metrics, where metrics stand beside them. */
const PLACES: readonly string[] = [
  ...['epoch', 'total_epochs', 'step', 'global_step', 'phase', 'round', 'round_num', 'total_rounds'],
  ...['timestamp', 'task_id', 'run_id', 'client_id', 'fit_metrics', 'eval_metrics', 'metrics'],
]

const withoutNames = (data: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(data).filter(([name]) => !names.includes(name)))

function metricsIn(data: Fields, name: string, warn: Warn): Metrics | null {
  const metrics = data[name]
  if (metrics == null) return null
  return metricsOf(fieldsOf(metrics, `data.${name}`), `data.${name}`, warn)
}

/** A number that is not negative. */
function numberOf(data: Fields, name: string): number {
  const value = finite(data[name])
  if (value !== null && value >= 0) return value
  const found = data[name] === undefined ? 'missing' : quote(data[name])
  throw badInput(`data.${name} is ${found}; expected a number of 0 or more`)
}

function finite(value: unknown): number | null {
  const metric = typeof value === 'number' || typeof value === 'string' ? metricValue(value) : null
  return typeof metric === 'number' ? metric : null
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** The first of these names that is given, as a whole number; one that is none is left out. */
function optionalCount(
  data: Fields,
  names: readonly string[],
  min: number,
  warn: Warn,
  as = camelCase(names[0] as string),
): Record<string, number> {
  const name = names.find((one) => data[one] != null)
  if (name === undefined) return {}
  const value = Math.floor(finite(data[name]) ?? Number.NaN)
  if (isCount(value) && value >= min) return { [as]: value }
  warn(
    () =>
      `data.${name} is ${quote(data[name])}; expected a whole number of ${min} or more, so it was left out`,
  )
  return {}
}

const camelCase = (name: string): string =>
  name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** A text; what is none, by its JSON; null where it is missing or empty. */
function wordsIn(data: Fields, name: string): string | null {
  const value = data[name]
  if (value == null || value === '') return null
  return textOf(value)
}

/** A value that is too deep to be written must not take the message with it. */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (jsonText(value) ?? 'a value of very many levels')

function errorTypeIn(data: Fields): { errorType?: string } {
  const errorType = wordsIn(data, 'error_type')
  return errorType !== null && isUsableText(errorType) ? { errorType } : {}
}

const word = (value: unknown): string => (typeof value === 'string' ? value.trim().toLowerCase() : '')

/** The relay's own messages name the task in `data`; a number is an id of somebody's database. */
function taskIdIn(message: Fields, data: Fields): string | null {
  const id = message.task_id ?? data.task_id
  return id == null ? null : textOf(id)
}

const isType = (type: unknown): type is RelayType => TYPES.includes(type as RelayType)

function fieldsOf(value: unknown, what: string): Fields {
  if (isObject(value)) return value
  throw badInput(`${what} is ${quote(value)}; expected an object`)
}

const badInput = (message: string): EpochcastError => new EpochcastError('BAD_INPUT', message)

/** @throws EpochcastError BAD_REQUEST */
function parsed(text: string): unknown {
  for (const json of [() => text, () => quoteBareNumbers(text)]) {
    try {
      return parseText(json())
    } catch {
      // Which of them it was is for whoever reads the refusal.
    }
  }
  throw new EpochcastError(
    'BAD_REQUEST',
    'the message is not JSON; expected {"type": …, "timestamp": …, "data": {…}}',
  )
}
