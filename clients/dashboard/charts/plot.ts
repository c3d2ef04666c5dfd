import uPlot from 'uplot'
import { AXES, type Axis } from './axis.ts'
import type { ChartData, Mark } from './chart-data.ts'
import { followFingers } from './fingers.ts'
import type { Unit } from './unit.ts'
import { clamped, pinched, scaled, type Zoom } from './zoom.ts'

export interface PlotOptions {
  readonly axis: Axis
  readonly isLog: boolean
  readonly isSmoothed: boolean
  readonly colors: readonly string[]
  readonly isDashed: readonly boolean[]
  /** Of each step, where the means of them are drawn as well. */
  readonly isFaint: readonly boolean[]
  /** Of y. */
  readonly unit: Unit
  readonly inks: {
    readonly text: string
    readonly grid: string
    readonly danger: string
    readonly ground: string
  }
  /** Charts with the same have one crosshair. */
  readonly syncKey: string
  readonly onZoom: (zoom: Zoom | null) => void
  /** The index of each series at the crosshair; null where there is none. */
  readonly onCursor: (indexes: readonly (number | null | undefined)[] | null) => void
}

const FONT = '11px system-ui, sans-serif'

/** Of its digits, about. */
const CHARACTER = 6.4
/** Between two labels. */
const SPACE = 28
/** So many that are about as long as those of a usual chart. */
const TICKS = 5

const widthOf = (labels: readonly (string | null)[]) =>
  CHARACTER * Math.max(0, ...labels.map((label) => label?.length ?? 0))

/** One chart, drawn on a canvas; React only tells it what is new. */
export class Plot {
  readonly #plot: uPlot
  readonly #onZoom: PlotOptions['onZoom']
  #zoom: Zoom | null = null
  #marks: readonly Mark[] = []

  constructor(target: HTMLElement, options: PlotOptions, data: ChartData, zoom: Zoom | null) {
    this.#zoom = zoom
    this.#onZoom = options.onZoom
    this.#marks = data.marks
    this.#plot = new uPlot(this.#options(target, options), data.aligned, target)
    this.#followFingers()
  }

  setData({ aligned, marks }: ChartData): void {
    this.#marks = marks
    this.#plot.setData(aligned)
  }

  setZoom(zoom: Zoom | null): void {
    if (zoom === this.#zoom) return
    this.#zoom = zoom
    this.#plot.setData(this.#plot.data)
  }

  setSize(width: number, height: number): void {
    this.#plot.setSize({ width, height })
  }

  get data(): uPlot.AlignedData {
    return this.#plot.data
  }

  /** To the point before or after the crosshair, which begins at the newest. */
  moveCursor(by: number): void {
    const [xs] = this.#plot.data
    const index = (this.#plot.cursor.idx ?? xs.length) + by
    const x = xs[Math.min(xs.length - 1, Math.max(0, index))]
    if (x !== undefined) this.#setCursor(this.#plot.valToPos(x, 'x'))
  }

  #setCursor(left: number): void {
    // Its types leave out the last argument, by which the other charts are told.
    const setCursor: (at: { left: number; top: number }, fires: boolean, tells: boolean) => void =
      this.#plot.setCursor
    setCursor({ left, top: 0 }, true, true)
  }

  /** Shows so many times as much, around the crosshair where that is to be seen. */
  zoomBy(factor: number): void {
    const { min, max } = this.#zoom ?? this.#whole
    const x = this.#plot.data[0][this.#plot.cursor.idx ?? -1] ?? Number.NaN
    const at = x >= min && x <= max ? x : (min + max) / 2
    this.#onZoom(clamped(scaled({ min, max }, at, factor), this.#whole))
  }

  get #whole(): Zoom {
    const [xs] = this.#plot.data
    return { min: xs[0] ?? 0, max: xs.at(-1) ?? 0 }
  }

  /** One shows the values where it is; two stretch what is between them, in all charts once they let go. */
  #followFingers(): void {
    const { over } = this.#plot
    let held: readonly [number, number] = [0, 0]
    followFingers(over, {
      onPoint: (left) => this.#setCursor(left),
      onHold: ([left, right]) => {
        held = [this.#plot.posToVal(left, 'x'), this.#plot.posToVal(right, 'x')]
      },
      onMove: (lefts) => {
        const zoom = pinched(held, lefts, over.clientWidth)
        if (zoom) this.setZoom(clamped(zoom, this.#whole))
      },
      onEnd: () => this.#onZoom(this.#zoom),
    })
  }

  destroy(): void {
    this.#plot.destroy()
  }

  #options(target: HTMLElement, options: PlotOptions): uPlot.Options {
    const { axis, isLog, inks, syncKey, unit, onZoom, onCursor } = options
    const labelsOf = (min: number, max: number) => AXES[axis].ticks([min, min + (max - min) / TICKS, max])
    const line = {
      stroke: inks.text,
      font: FONT,
      ticks: { show: false },
      grid: { stroke: inks.grid, width: 1 },
    }
    return {
      width: target.clientWidth,
      height: target.clientHeight,
      legend: { show: false },
      // The last label may be in the middle of the right edge.
      padding: [8, ({ scales: { x } }) => 4 + widthOf(labelsOf(x?.min ?? 0, x?.max ?? 1)) / 2, 0, 0],
      scales: {
        x: { time: false, range: (_, min, max) => this.#rangeOfX(min, max) },
        y: isLog ? { distr: 3 } : { range: { min: { pad: 0.06 }, max: { pad: 0.06 } } },
      },
      axes: [
        {
          ...line,
          size: 26,
          space: (_, __, min, max) => SPACE + widthOf(labelsOf(min, max)),
          grid: { show: false },
          values: (_, ticks) => AXES[axis].ticks(ticks),
        },
        {
          ...line,
          size: (_, values) => 14 + Math.max(4 * CHARACTER, widthOf(values ?? [])),
          // On a logarithmic axis each has its own size, and those that have no label are null.
          values: (_, ticks) =>
            isLog ? ticks.map((y) => (y === null ? null : unit.format(y))) : unit.ticks(ticks),
          ...(unit.steps && !isLog && { incrs: [...unit.steps] }),
        },
      ],
      series: [{}, ...series(options)],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 7, width: 2 },
        sync: {
          key: syncKey,
          setSeries: false,
          scales: ['x', null],
          filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
        },
        bind: {
          dblclick: () => () => {
            onZoom(null)
            return null
          },
        },
      },
      hooks: {
        setSelect: [
          (plot) => {
            const { left, width } = plot.select
            if (width > 0) onZoom({ min: plot.posToVal(left, 'x'), max: plot.posToVal(left + width, 'x') })
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          },
        ],
        // uPlot has one array for all of its places, which React would take for the same state.
        setCursor: [({ cursor: { left = -1, idxs } }) => onCursor(left < 0 || !idxs ? null : [...idxs])],
        draw: [(plot) => this.#drawMarks(plot, inks)],
      },
    }
  }

  #rangeOfX(min: number | null, max: number | null): [number, number] {
    if (this.#zoom) return [this.#zoom.min, this.#zoom.max]
    if (min === null || max === null) return [0, 1]
    return min === max ? [min - 1, max + 1] : [min, max]
  }

  /** At the edge that a value would be beyond; NaN is at the lower, with its name. */
  #drawMarks(plot: uPlot, { danger, ground }: PlotOptions['inks']): void {
    const { ctx, bbox } = plot
    const ratio = devicePixelRatio
    const [left, right] = [bbox.left, bbox.left + bbox.width]
    const names: { readonly text: string; readonly x: number; readonly y: number }[] = []
    ctx.save()
    ctx.fillStyle = danger
    const before = new Map<Mark['kind'], number>()
    for (const { x, kind } of this.#marks) {
      const at = plot.valToPos(x, 'x', true)
      if (at < left || at > right) continue
      const isAbove = kind === 'Infinity'
      const edge = isAbove ? bbox.top : bbox.top + bbox.height
      const size = (isAbove ? 6 : -6) * ratio
      ctx.globalAlpha = 0.25
      ctx.fillRect(at - 0.5 * ratio, bbox.top, ratio, bbox.height)
      ctx.globalAlpha = 1
      ctx.beginPath()
      ctx.moveTo(at, edge)
      ctx.lineTo(at - size * 0.7, edge + size)
      ctx.lineTo(at + size * 0.7, edge + size)
      ctx.fill()
      // Of many of a kind that follow each other, the first is named.
      const isFirst = at - (before.get(kind) ?? Number.NEGATIVE_INFINITY) > 34 * ratio
      before.set(kind, at)
      if (!isFirst) continue
      names.push({
        text: kind === 'NaN' ? 'NaN' : isAbove ? '∞' : '−∞',
        x: Math.min(Math.max(at, left + 12 * ratio), right - 12 * ratio),
        y: edge + size * (isAbove ? 3 : 1.8),
      })
    }
    // Above all marks, and on a ground of their own, as the next marks are closer than a name is wide.
    ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`
    ctx.textAlign = 'center'
    ctx.textBaseline = 'alphabetic'
    ctx.strokeStyle = ground
    ctx.lineJoin = 'round'
    ctx.lineWidth = 5 * ratio
    for (const { text, x, y } of names) {
      ctx.strokeText(text, x, y)
      ctx.fillText(text, x, y)
    }
    ctx.restore()
  }
}

function series({ colors, isDashed, isFaint, isSmoothed }: PlotOptions): uPlot.Series[] {
  return colors.flatMap((color, index) => {
    const dash = isDashed[index] ? { dash: [6, 4] } : {}
    const own: uPlot.Series = { stroke: color, width: 1.75, points: { size: 4 }, ...dash }
    if (!isSmoothed) return [isFaint[index] ? { ...own, width: 1, alpha: 0.55 } : own]
    return [
      { ...own, width: 2 },
      { ...own, width: 1, alpha: 0.3 },
    ]
  })
}
