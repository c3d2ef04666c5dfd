import { isFinal, type WatchState } from '../watch-state.ts'
import { formatEpoch, formatMetric, formatSeconds, isNotFinite } from './format.ts'
import { sparkline } from './sparkline.ts'
import { paint, type Span, STATUS_STYLE } from './styles.ts'
import { printable } from './text.ts'

export interface Canvas {
  /** Columns of the terminal. */
  readonly width: number
  readonly colors: boolean
  /** Milliseconds since the epoch, by the server's clock. */
  readonly now: number
}

const MAX_BAR_WIDTH = 40
const MAX_SPARKLINE_WIDTH = 60
const MAX_METRICS = 8

/** The training as it stands, on a few lines that fit the terminal. */
export function liveView(state: WatchState, { width, colors, now }: Canvas): string[] {
  const lines = [
    titleLine(state),
    barLine(state, width),
    lossLine(state, width),
    metricsLine(state),
    timeLine(state, now),
    ...noticeLines(state, now),
  ]
  return lines.filter((spans) => spans.length > 0).map((spans) => paint(spans, width, colors))
}

function titleLine({ task }: WatchState): Span[] {
  const { status, trainer, machineId, id, stopRequested, attempt } = task
  return [
    {
      text: `${status}${stopRequested ? ' (stopping)' : ''}`,
      style: ['bold', STATUS_STYLE[status]] as Span['style'],
    },
    ...[trainer, machineId].filter(isGiven).map((name) => ({ text: `  ${printable(name)}` })),
    ...(attempt > 1 ? [{ text: `  attempt ${attempt}`, style: 'yellow' as const }] : []),
    { text: `  ${printable(id)}`, style: 'dim' as const },
  ]
}

function barLine({ task }: WatchState, width: number): Span[] {
  const percent = task.progress
  const place = [
    task.round !== null && counter('round', task.round, task.totalRounds),
    task.epoch !== null && counter('epoch', formatEpoch(task), null),
    // Where only rounds count, it is the round once more.
    task.current !== null &&
      (task.countsProgress || task.round === null) &&
      counter('', task.current, task.total),
    task.stage && printable(task.stage),
    task.step !== null && task.step !== task.current && counter('step', task.step, null),
  ].filter(isGiven)
  const spans: Span[] = []
  if (percent !== null) {
    const columns = Math.max(5, Math.min(MAX_BAR_WIDTH, Math.floor(width * 0.4)))
    const filled = Math.round((percent / 100) * columns)
    spans.push(
      { text: '█'.repeat(filled), style: STATUS_STYLE[task.status] },
      { text: '░'.repeat(columns - filled), style: 'dim' },
      { text: ` ${Math.floor(percent)} %`.padEnd(8) },
    )
  }
  if (place.length > 0) spans.push({ text: place.join(' · ') })
  return spans
}

const counter = (name: string, count: number | string, total: number | null): string =>
  `${name} ${count}${total ? `/${total}` : ''}`.trim()

function lossLine({ task: { loss }, losses }: WatchState, width: number): Span[] {
  if (loss === null) return []
  const value = formatMetric(loss)
  const spans: Span[] = [
    { text: 'loss ', style: 'dim' },
    { text: value, style: isNotFinite(loss) ? ['bold', 'red'] : 'bold' },
  ]
  const columns = Math.min(MAX_SPARKLINE_WIDTH, width - value.length - 7)
  if (losses.length > 1 && columns >= 5) {
    spans.push({ text: `  ${sparkline(losses, columns)}`, style: 'cyan' })
  }
  return spans
}

function metricsLine({ task: { metrics } }: WatchState): Span[] {
  const names = Object.keys(metrics).filter((name) => name !== 'loss')
  const shown = names.slice(0, MAX_METRICS).flatMap((name): Span[] => {
    const value = metrics[name] ?? 'NaN'
    return [
      { text: `${printable(name)} `, style: 'dim' },
      { text: `${formatMetric(value)}  `, style: isNotFinite(value) ? ['bold', 'red'] : undefined },
    ]
  })
  const more = names.length - MAX_METRICS
  return more > 0 ? [...shown, { text: `+${more}`, style: 'dim' }] : shown
}

function timeLine(state: WatchState, now: number): Span[] {
  const { status, attempt } = state.task
  const { startedAt, finishedAt, createdAt } = state.told
  if (status === 'QUEUED') return [{ text: `waiting for ${since(createdAt, now)}`, style: 'dim' }]
  // What was told of the attempt before is not true of this one.
  if (!startedAt || state.told.attempt !== attempt) return []
  const eta = etaSeconds(state, now)
  const spans: Span[] = [
    { text: 'elapsed ', style: 'dim' },
    { text: since(startedAt, finishedAt ? Date.parse(finishedAt) : now) },
  ]
  if (status === 'RUNNING' && eta !== null) {
    spans.push({ text: '  ETA ', style: 'dim' }, { text: formatSeconds(eta) })
  }
  return spans
}

/** As the server told it; counts down until it tells more. */
function etaSeconds({ told: { etaSeconds, updatedAt } }: WatchState, now: number): number | null {
  if (typeof etaSeconds !== 'number') return null
  return Math.max(0, etaSeconds - Math.max(0, now - Date.parse(updatedAt)) / 1000)
}

const since = (from: string, to: number): string => formatSeconds(Math.max(0, to - Date.parse(from)) / 1000)

function noticeLines(state: WatchState, now: number): Span[][] {
  const { task, heardAt, skipped, interruption, lost } = state
  const notices: Span[][] = []
  if (task.message && !isFinal(state)) notices.push([{ text: printable(task.message), style: 'dim' }])
  if (task.error && !isFinal(state)) {
    notices.push([{ text: `error ${errorText(task.error)}`, style: 'yellow' }])
  }
  if (task.status === 'STALLED') {
    const silent = since(heardAt, now)
    notices.push([{ text: `nothing heard from the trainer for ${silent}`, style: 'yellow' }])
  }
  if (skipped > 0) {
    notices.push([{ text: `${skipped} events can no longer be delivered`, style: 'yellow' }])
  }
  if (interruption !== null) {
    notices.push([
      { text: `the server's engine is out of reach: ${printable(interruption)}`, style: 'yellow' },
    ])
  }
  if (lost !== null) notices.push([{ text: lostText(lost), style: 'yellow' }])
  return notices
}

const errorText = ({ type, message }: { readonly type?: string | null; readonly message: string }): string =>
  printable(type ? `${type}: ${message}` : message)

/** `connection lost, retrying (2 of 12): …` */
export function lostText({ attempt, attempts, error }: NonNullable<WatchState['lost']>): string {
  return `connection lost, retrying (${attempt} of ${attempts}): ${printable(error.message)}`
}

const isGiven = (text: string | number | null | undefined | false): text is string =>
  typeof text === 'string' && text !== ''
