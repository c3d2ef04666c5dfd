import { keptResult } from '../task/foreign-result.ts'
import { InexactNumber, jsonText, parseJson, quoteBareNumbers } from '../task/json.ts'
import { LIMITS } from '../task/limits.ts'
import type { Report } from '../task/report.ts'
import type { Json, MetricValue } from '../task/task.ts'
import { isUpTo } from '../task/text.ts'
import { timeOf } from './time.ts'

/** What a publisher said, as a report of its task. */
export interface BridgeMessage {
  readonly report: Report
  /** Known of the run beside its name; of use where it is registered. */
  readonly machineId: string | null
  /** Names of fields that could not be used and were left out. */
  readonly leftOut: readonly string[]
}

/** A text that says nothing of a training; `reason` is for the log, and repeats nothing of it. */
export interface Unreadable {
  readonly unreadable: string
}

/** The field `mirrored_by` of messages of a mirror (`mirror.ts`), which are no news to any bridge. */
export const MIRRORED_BY = 'epochcast'

type Fields = Readonly<Record<string, unknown>>

/**
 * What is published of a training on its channel becomes one report: `status` SUCCESS, FAILURE, REVOKED and CANCELLED are
 * ends, anything else is progress. A field that cannot be used is left out, so that a loss is not lost for the sake of a stage.
 */
export function readMessage(text: string): BridgeMessage | Unreadable | 'mirrored' {
  const value = parseLenient(text)
  if (value === undefined) return { unreadable: 'it is not JSON' }
  if (!isObject(value)) return { unreadable: 'it is not an object' }
  if (value.mirrored_by === MIRRORED_BY) return 'mirrored'
  const reader = new FieldReader(value)
  const report = reportOf(reader)
  if (!report) return { unreadable: 'it has no status, progress, metric or message' }
  return { report, machineId: reader.machineId(), leftOut: reader.leftOut }
}

function reportOf(reader: FieldReader): Report | null {
  const timestamp = reader.time('timestamp')
  const at = timestamp === null ? {} : { timestamp }
  const message = reader.text('message')
  switch (reader.status()) {
    case 'SUCCESS':
      return { success: { ...at, result: reader.result() } }
    case 'FAILURE': {
      const { error, errorType } = reader.error()
      return { failure: { ...at, error: error ?? message ?? 'the publisher told FAILURE', errorType } }
    }
    case 'REVOKED':
    case 'CANCELLED':
      return { status: { ...at, status: 'CANCELLED', message } }
  }
  const progress = progressOf(reader)
  if (progress) return { progress: { ...progress, ...at, message } }
  if (message === null && !reader.hasStatus()) return null
  return { status: { ...at, status: 'RUNNING', message } }
}

/** Null where there is nothing that counts or is measured. */
function progressOf(reader: FieldReader) {
  const epoch = reader.fraction('epoch')
  const loss = reader.metric('loss')
  const metrics = reader.metrics()
  const stage = reader.line('stage', 'current_stage')
  const step = reader.count('step', 'global_step')
  const counted = countedOf(reader, epoch)
  const isMeasured = loss !== null || Object.keys(metrics).length > 0
  if (!counted && !isMeasured && stage === null) return null
  return { current: 0, ...counted, epoch, step, loss, metrics, stage }
}

/** Of `current`, a percentage, or epochs, the first that there is. */
function countedOf(reader: FieldReader, epoch: number | null): { current: number; total?: number } | null {
  const current = reader.count('current')
  const total = reader.count('total')
  const percent = reader.fraction('progress')
  const epochs = reader.count('total_epochs', 'epochs')
  if (current !== null) return { current, ...(total ? { total } : {}) }
  if (percent !== null) return { current: Math.min(100, Math.round(percent)), total: 100 }
  if (epoch !== null) return { current: Math.floor(epoch), ...(epochs ? { total: epochs } : {}) }
  return null
}

const MAX_INT = 2 ** 31 - 1
const MACHINE_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
const UNUSABLE = /[\p{Cc}\p{Cs}]/u
/** Numbers in `metadata` that are told by fields of their own. */
const NOT_MEASURED: ReadonlySet<string> = new Set([
  ...['epoch', 'loss', 'step', 'global_step', 'current', 'total', 'progress', 'epochs', 'total_epochs'],
  ...['timestamp', '__proto__'],
])

/** Fields of a message, each looked for at its top and then in `metadata`. */
class FieldReader {
  readonly #fields: Fields
  readonly #metadata: Fields
  readonly leftOut: string[] = []

  constructor(fields: Fields) {
    this.#fields = fields
    this.#metadata = isObject(fields.metadata) ? fields.metadata : {}
  }

  hasStatus(): boolean {
    return typeof this.#fields.status === 'string'
  }

  status(): string | null {
    const { status } = this.#fields
    return typeof status === 'string' ? status.toUpperCase() : null
  }

  time(name: string): string | null {
    return this.#use([name], timeOf)
  }

  text(name: string): string | null {
    return this.#use([name], (value) => (typeof value === 'string' && value !== '' ? value : undefined))
  }

  /** Text without control characters, which are blanks instead. */
  line(...names: string[]): string | null {
    return this.#use(names, (value) => {
      const line = typeof value === 'string' ? value.replace(/[\p{Cc}\s]+/gu, ' ').trim() : ''
      return line === '' ? undefined : line
    })
  }

  count(...names: string[]): number | null {
    return this.#use(names, (value) => {
      const whole = typeof value === 'number' ? Math.floor(value) : -1
      return Number.isSafeInteger(whole) && whole >= 0 ? whole : undefined
    })
  }

  fraction(name: string): number | null {
    return this.#use([name], (value) =>
      typeof value === 'number' && value >= 0 && value <= MAX_INT ? value : undefined,
    )
  }

  metric(name: string): MetricValue | null {
    return this.#use([name], metricOf)
  }

  /** All numbers of `metrics` and `metadata`. */
  metrics(): Record<string, MetricValue> {
    const found: Record<string, MetricValue> = {}
    for (const [source, isMetrics] of [
      [this.#metadata, false],
      [this.#fields.metrics, true],
    ] as const) {
      if (!isObject(source)) continue
      for (const name of Object.keys(source)) {
        if (!isMetrics && NOT_MEASURED.has(name)) continue
        const value = metricOf(source[name])
        if (value !== undefined && isMetricName(name)) found[name] = value
        else if (isMetrics && source[name] != null) this.leftOut.push(`metrics.${name.slice(0, 40)}`)
      }
    }
    return found
  }

  /** One that is too large is left out: it must not keep its task from ending. */
  result(): Json {
    const kept = keptResult(this.#fields.result)
    if (kept !== undefined) return kept
    this.leftOut.push('result')
    return null
  }

  error(): { error: string | null; errorType: string | null } {
    const { error, error_type: given = null } = this.#fields
    const type = (value: unknown) =>
      typeof value === 'string' && value !== '' && !UNUSABLE.test(value) ? value : null
    if (typeof error === 'string') return { error: error || null, errorType: type(given) }
    if (!isObject(error)) return { error: error == null ? null : jsonText(error), errorType: type(given) }
    const words = [error.message, error.error, error.exc_message].find((one) => typeof one === 'string')
    return {
      error: words === undefined ? jsonText(error) : String(words),
      errorType: type(given ?? error.type ?? error.exc_type),
    }
  }

  machineId(): string | null {
    return this.#use(['machine_id'], (value) =>
      typeof value === 'string' && isUpTo(value, LIMITS.machineIdLength) && isMachineId(value)
        ? value
        : undefined,
    )
  }

  /** The first of the names that has a value; null where none has, or none that can be used. */
  #use<T>(names: readonly string[], read: (value: unknown) => T | undefined): T | null {
    for (const name of names) {
      for (const from of [this.#fields, this.#metadata]) {
        if (!Object.hasOwn(from, name) || from[name] === null) continue
        const value = read(exactless(from[name]))
        if (value !== undefined) return value
        this.leftOut.push(name)
      }
    }
    return null
  }
}

const isMachineId = (text: string): boolean => MACHINE_ID.test(text) && !text.includes('..')

const isMetricName = (name: string): boolean =>
  name !== '' && name !== '__proto__' && isUpTo(name, LIMITS.metricNameLength) && !UNUSABLE.test(name)

function metricOf(given: unknown): MetricValue | undefined {
  const value = exactless(given)
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value
    return value > 0 ? 'Infinity' : '-Infinity'
  }
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? value : undefined
}

/** A measured number is rounded, as a double was before. */
const exactless = (value: unknown): unknown => (value instanceof InexactNumber ? value.value : value)

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof InexactNumber)

/** As JSON, with NaN and the infinities of Python as texts; undefined where it is neither. */
function parseLenient(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    if (!/NaN|Infinity/.test(text)) return undefined
  }
  try {
    return parseJson(quoteBareNumbers(text))
  } catch {
    return undefined
  }
}
