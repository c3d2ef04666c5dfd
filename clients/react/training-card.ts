import { type CSSProperties, createElement as h, type ReactNode } from 'react'
import type { Curve, CurvePoint } from '../typescript/curve-set.ts'
import type { TaskView } from '../typescript/task-view.ts'
import { useCurves } from './hooks.ts'

export interface TrainingCardProps {
  readonly taskId: string | null | undefined
  readonly channelPrefix?: string | undefined
  /** Whose curve is shown; `loss` by default. Its validation is drawn beside it. */
  readonly metric?: string | undefined
  readonly className?: string | undefined
  readonly style?: CSSProperties | undefined
}

const MAX_POINTS = 300
const WIDTH = 400
const HEIGHT = 120
const PAD = 4

const COLORS: Readonly<Record<TaskView['status'], string>> = {
  QUEUED: '#6b7280',
  RUNNING: '#4353d8',
  STALLED: '#a66300',
  SUCCESS: '#15803d',
  FAILURE: '#c62828',
  CANCELLED: '#6b7280',
}

/**
 * One run in somebody's page: its name, its bar and a curve, live. It takes the page's font and colour of text; the curve is
 * `currentColor` where `--epochcast-line` and `--epochcast-line-val` are not set. Without a library for charts.
 */
export function TrainingCard({
  taskId,
  channelPrefix,
  metric = 'loss',
  className,
  style,
}: TrainingCardProps): ReactNode {
  const options = { channelPrefix, names: [metric, `val_${metric}`, `eval_${metric}`], maxPoints: MAX_POINTS }
  const { task, curves, state, error } = useCurves(taskId, options)
  if (!task) {
    const words = error ? error.message : state.kind === 'reconnecting' ? 'Reconnecting' : 'Loading'
    return h('div', { className, style: { ...card, ...style }, role: error ? 'alert' : 'status' }, words)
  }
  const { status, progress } = task
  const name = task.name ?? `${task.trainer ?? 'run'} ${task.id.slice(0, 8)}`
  const value = task.metrics[metric] ?? (metric === 'loss' ? task.loss : null)
  return h(
    'div',
    { className, style: { ...card, ...style } },
    h(
      'div',
      { style: line },
      h('strong', { style: { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' } }, name),
      h(
        'span',
        { style: { color: `var(--epochcast-${status.toLowerCase()}, ${COLORS[status]})` } },
        status.toLowerCase(),
      ),
    ),
    h(
      'div',
      {
        style: track,
        role: 'progressbar',
        'aria-label': `Progress of ${name}`,
        'aria-valuemin': 0,
        'aria-valuemax': 100,
        ...(progress != null && { 'aria-valuenow': Math.round(progress) }),
      },
      h('div', {
        style: { ...bar, background: COLORS[status], transform: `scaleX(${(progress ?? 0) / 100})` },
      }),
    ),
    h(CurvePicture, { curves, metric }),
    h(
      'div',
      { style: { ...line, opacity: 0.8 } },
      h('span', null, placeOf(task)),
      h('span', null, value === undefined || value === null ? '' : `${metric} ${textOf(value)}`),
    ),
  )
}

function CurvePicture({ curves, metric }: { readonly curves: readonly Curve[]; readonly metric: string }) {
  const shown = curves.filter(({ member }) => member == null)
  const points = shown.flatMap(({ points }) => points)
  const finite = points.flatMap(({ value }) => (typeof value === 'number' ? [value] : []))
  const place = placesOf(shown)
  const places = points.map(place)
  const [start, end] = [Math.min(...places), Math.max(...places)]
  const [low, high] = [Math.min(...finite), Math.max(...finite)]
  const x = (point: CurvePoint) => PAD + ((place(point) - start) / (end - start || 1)) * (WIDTH - 2 * PAD)
  const y = (value: number) => HEIGHT - PAD - ((value - low) / (high - low || 1)) * (HEIGHT - 2 * PAD)
  const paths = shown.map((curve) => {
    const isVal = curve.phase === 'VAL' || /^(val|eval)_/.test(curve.name)
    let isDrawing = false
    const d = curve.points
      .map((point) => {
        const { value } = point
        if (typeof value !== 'number') {
          isDrawing = false
          return ''
        }
        const command = `${isDrawing ? 'L' : 'M'}${x(point).toFixed(1)} ${y(value).toFixed(1)}`
        isDrawing = true
        return command
      })
      .join('')
    const stroke = isVal ? 'var(--epochcast-line-val, currentColor)' : 'var(--epochcast-line, currentColor)'
    return h('path', {
      key: JSON.stringify([curve.name, curve.phase, curve.axis]),
      d,
      fill: 'none',
      strokeWidth: 2,
      vectorEffect: 'non-scaling-stroke',
      style: { stroke },
      ...(isVal && { strokeDasharray: '4 3' }),
    })
  })
  const label =
    finite.length > 0 ? `${metric} from ${textOf(low)} to ${textOf(high)}` : `${metric}: no values yet`
  return h(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': label,
      style: picture,
    },
    ...paths,
  )
}

/** What all of these curves are counted by: their steps, where those are of one kind; else epochs, else time. */
function placesOf(curves: readonly Curve[]): (point: CurvePoint) => number {
  if (new Set(curves.map(({ axis }) => axis)).size <= 1) return ({ step }) => step
  const haveEpochs = curves.every(({ points }) => points.every(({ epoch }) => epoch != null))
  return haveEpochs ? ({ epoch }) => epoch as number : ({ timestamp }) => Date.parse(timestamp)
}

const textOf = (value: number | string): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(4))) : value

function placeOf({ epoch, totalEpochs, round, totalRounds, current, total, progress }: TaskView): string {
  const of = (count: number | null) => (count === null ? '' : ` of ${count}`)
  const place =
    round !== null
      ? `round ${round}${of(totalRounds)}`
      : epoch !== null
        ? `epoch ${textOf(epoch)}${of(totalEpochs)}`
        : current !== null
          ? `step ${current}${of(total)}`
          : ''
  return [place, progress === null ? '' : `${progress.toFixed(1)} %`].filter(Boolean).join(' · ')
}

const card: CSSProperties = { display: 'grid', gap: 8, minWidth: 0, fontVariantNumeric: 'tabular-nums' }
const line: CSSProperties = { display: 'flex', justifyContent: 'space-between', gap: 12, minWidth: 0 }
const track: CSSProperties = {
  height: 6,
  borderRadius: 3,
  overflow: 'hidden',
  background: 'color-mix(in srgb, currentColor 14%, transparent)',
}
const bar: CSSProperties = { height: '100%', transformOrigin: '0 0', transition: 'transform 0.3s' }
const picture: CSSProperties = { width: '100%', height: HEIGHT, display: 'block' }
