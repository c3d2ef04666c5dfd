import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTheme } from '../shell/theme.ts'
import { formatNumber } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { AXES, xOf } from './axis.ts'
import { type ChartView, chartData, type Mark, visibleDistance } from './chart-data.ts'
import { Legend } from './legend.tsx'
import type { Line } from './metric-groups.ts'
import { resolveColors } from './palette.ts'
import { Plot } from './plot.ts'
import { useSameArray, useThrottled } from './steady.ts'
import { NUMBERS, type Unit } from './unit.ts'
import type { Zoom } from './zoom.ts'

interface ChartProps {
  readonly title: string
  readonly lines: readonly Line[]
  /** Custom properties, one a line. */
  readonly colors: readonly string[]
  readonly isDashed?: readonly boolean[]
  readonly view: ChartView
  readonly zoom: Zoom | null
  readonly onZoom: (zoom: Zoom | null) => void
  readonly syncKey: string
  readonly note?: string | undefined
  /** Of its values; one that stays the same object. */
  readonly unit?: Unit
}

const SOLID: readonly boolean[] = []
/** From so many on, a chart is drawn anew a few times a second only. */
const MANY_POINTS = 20_000
const CALM_MS = 250
const STEPS_OF_KEYS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -20,
  PageDown: 20,
}
const ZOOMS_OF_KEYS: Readonly<Record<string, number>> = { '+': 1 / 2, '=': 1 / 2, '-': 2 }

/** One metric over what it is counted by. Lines without a place on the axis are named, not drawn. */
export function Chart(props: ChartProps) {
  const { title, lines: all, colors: allColors, isDashed = SOLID, view, zoom, onZoom, syncKey, note } = props
  const { axis } = view
  const { unit = NUMBERS } = props
  const has = (line: Line) => line.curve.points.some((point) => xOf(point, line.curve, axis, 0) !== null)
  const shown = all.map((line, index) => ({
    line,
    color: allColors[index] as string,
    isDashed: isDashed[index] ?? false,
  }))
  const placed = shown.filter(({ line }) => has(line))
  const lines = placed.map(({ line }) => line)
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | null>(null)
  const [indexes, setIndexes] = useState<readonly (number | null | undefined)[] | null>(null)
  const isNear = useIsNear(box)
  const { shown: theme } = useTheme()

  const points = useSameArray(lines.map(({ curve }) => curve.points))
  const count = points.reduce((sum, { length }) => sum + length, 0)
  // Another line is drawn at once: data and plot must have the same.
  const keys = lines.map(({ key }) => key).join()
  const drawn = useThrottled(points, count > MANY_POINTS ? CALM_MS : 0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines are others at each rendering, and their points the same
  const data = useMemo(
    () => (isNear && lines.length > 0 ? chartData(lines, view) : null),
    [isNear, view.axis, view.smoothing, view.isLog, drawn, keys],
  )
  const structure = JSON.stringify([
    placed.map(({ line, color, isDashed }) => [line.key, color, isDashed]),
    [view.axis, view.isLog, view.smoothing > 0, theme, data !== null],
  ])
  const newest = useRef({ data, zoom, onZoom })
  newest.current = { data, zoom, onZoom }

  // biome-ignore lint/correctness/useExhaustiveDependencies: everything that it depends on is in the structure
  useLayoutEffect(() => {
    const target = box.current
    const { data, zoom } = newest.current
    if (!target || !data) return
    const [text = '', grid = '', danger = '', ground = ''] = resolveColors(target, [
      '--chart-text',
      '--chart-grid',
      '--danger',
      '--surface',
    ])
    const colors = resolveColors(
      target,
      placed.map(({ color }) => color),
    )
    const options = {
      ...{
        axis,
        isLog: view.isLog,
        isSmoothed: view.smoothing > 0,
        colors,
        syncKey,
        inks: { text, grid, danger, ground },
      },
      unit,
      isDashed: placed.map(({ isDashed }) => isDashed),
      isFaint: lines.map(({ role }) => role === 'value' && lines.some(({ role }) => role === 'train')),
      onZoom: (zoom: Zoom | null) => newest.current.onZoom(zoom),
      onCursor: setIndexes,
    }
    const made = new Plot(target, options, data, zoom)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize(target.clientWidth, target.clientHeight))
    observer.observe(target)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [structure])

  useLayoutEffect(() => {
    if (data && plot.current && plot.current.data !== data.aligned) plot.current.setData(data)
  }, [data])
  useLayoutEffect(() => plot.current?.setZoom(zoom), [zoom])

  const distance = useMemo(
    () => (data ? visibleDistance(data.aligned, zoom) : Number.POSITIVE_INFINITY),
    [data, zoom],
  )
  const marks = data?.marks ?? []
  return (
    <figure className="chart card">
      <figcaption className="chart-head">
        <h2 title={title}>{title}</h2>
        <MarkNotes marks={marks} axis={axis} />
        {note && <span className="muted">{note}</span>}
      </figcaption>
      <div
        ref={box}
        className="chart-plot"
        role="img"
        aria-label={describe(
          title,
          placed.map(({ line }) => line),
          marks,
          AXES[axis].label.toLowerCase(),
          unit,
        )}
        tabIndex={0}
        onKeyDown={(event) => {
          // Those are the browser's.
          if (event.ctrlKey || event.metaKey || event.altKey) return
          const by = STEPS_OF_KEYS[event.key]
          const factor = ZOOMS_OF_KEYS[event.key]
          if (by !== undefined) plot.current?.moveCursor(by)
          else if (factor !== undefined) plot.current?.zoomBy(factor)
          else if (event.key === '0') onZoom(null)
          else return
          event.preventDefault()
        }}
      >
        {lines.length === 0 && (
          <p className="chart-none muted">Not counted by {AXES[axis].label.toLowerCase()}</p>
        )}
      </div>
      <Legend
        items={placed.map(({ line, color, isDashed }) => ({ line, color, isDashed }))}
        aligned={data?.aligned ?? null}
        indexes={indexes}
        isSmoothed={view.smoothing > 0}
        axis={axis}
        unit={unit}
        distance={distance}
      />
    </figure>
  )
}

function MarkNotes({ marks, axis }: { marks: readonly Mark[]; axis: ChartView['axis'] }) {
  const [first] = marks
  if (!first) return null
  return (
    <span className="mark-note">
      <Icon name="warning" />
      {formatNumber(first.kind)} from {AXES[axis].label.toLowerCase()} {AXES[axis].format(first.x)}
    </span>
  )
}

/** For who cannot see it. */
function describe(
  title: string,
  lines: readonly Line[],
  marks: readonly Mark[],
  axis: string,
  unit: Unit,
): string {
  const parts = lines.slice(0, 6).map(({ label, curve }) => {
    const last = curve.points.at(-1)
    return `${label}: ${curve.points.length} points, newest ${unit.format(last?.value)}`
  })
  const bad = marks.length > 0 ? [`${marks.length} values that are not finite`] : []
  return `${title} by ${axis}. ${[...parts, ...bad].join('; ')}`
}

/** Charts far from view are not drawn. */
function useIsNear(box: { readonly current: HTMLElement | null }): boolean {
  const [isNear, setNear] = useState(false)
  useEffect(() => {
    if (!box.current) return
    const observer = new IntersectionObserver(([entry]) => setNear(entry?.isIntersecting ?? false), {
      rootMargin: '200px',
    })
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [box])
  return isNear
}
