import type { Curve } from '../../typescript/index.ts'
import type { Line } from '../charts/metric-groups.ts'
import type { Unit } from '../charts/unit.ts'
import { BYTES, BYTES_PER_SECOND, CELSIUS, COUNT, PERCENT, WATTS } from './units.ts'

/** What one chart of a machine shows: metrics of the same kind, of each node. */
export interface MachineGroup {
  readonly title: string
  readonly note: string | undefined
  readonly unit: Unit
  readonly lines: readonly Line[]
}

interface Panel {
  readonly title: string
  readonly note?: string
  readonly unit: Unit
  /** Finds its metrics, and what tells one from the others there; without their prefix. */
  readonly metrics: RegExp
  readonly label: (found: RegExpExecArray) => string
}

const PREFIX = 'system/'
/** Lines of one chart; of more, those of the first nodes. */
const MAX_LINES = 24
const gpu = ([, card]: RegExpExecArray) => `GPU ${card}`

/** In the order in which they are shown. */
const PANELS: readonly Panel[] = [
  { title: 'CPU', note: '100 % is one core', unit: PERCENT, metrics: /^cpu_percent$/, label: () => 'CPU' },
  { title: 'Memory', unit: BYTES, metrics: /^memory_bytes$/, label: () => 'resident' },
  { title: 'GPU', unit: PERCENT, metrics: /^gpu(\d+)_percent$/, label: gpu },
  { title: 'GPU memory', unit: BYTES, metrics: /^gpu(\d+)_memory_bytes$/, label: gpu },
  { title: 'GPU temperature', unit: CELSIUS, metrics: /^gpu(\d+)_temperature_celsius$/, label: gpu },
  { title: 'GPU power', unit: WATTS, metrics: /^gpu(\d+)_power_watts$/, label: gpu },
  {
    ...{ title: 'Disk', unit: BYTES_PER_SECOND, metrics: /^disk_(read|written)_bytes_per_second$/ },
    label: ([, what]) => what ?? '',
  },
  {
    ...{ title: 'Network', unit: BYTES_PER_SECOND, metrics: /^network_(received|sent)_bytes_per_second$/ },
    label: ([, what]) => what ?? '',
  },
  { title: 'Processes', unit: COUNT, metrics: /^processes$/, label: () => 'processes' },
]

/** Whether a curve is of a machine, and not of what is trained on it. */
export const isOfMachine = ({ name }: Pick<Curve, 'name'>): boolean => name.startsWith(PREFIX)

/** Curves of machines as charts; metrics that are known by no unit have one each, below the others. */
export function machineGroups(curves: readonly Curve[], startedAt: number): readonly MachineGroup[] {
  const nodes = new Set(curves.map(({ member }) => member))
  const groups = new Map<string, { panel: Panel; lines: Line[] }>()
  for (const curve of curves) {
    const name = curve.name.slice(PREFIX.length)
    const panel = PANELS.find(({ metrics }) => metrics.test(name)) ?? ownPanel(name)
    const group = groups.get(panel.title) ?? { panel, lines: [] }
    groups.set(panel.title, group)
    const found = panel.metrics.exec(name)
    const label = found ? panel.label(found) : name
    group.lines.push({
      key: JSON.stringify([curve.name, curve.member]),
      label: nodes.size > 1 && curve.member != null ? `${curve.member} · ${label}` : label,
      role: 'member',
      curve,
      startedAt,
    })
  }
  return [...groups.values()]
    .sort((a, b) => rank(a.panel) - rank(b.panel) || (a.panel.title < b.panel.title ? -1 : 1))
    .map(({ panel: { title, note, unit }, lines }) => ({
      ...{ title, note, unit },
      lines: lines.sort((a, b) => (a.label < b.label ? -1 : 1)).slice(0, MAX_LINES),
    }))
}

const ownPanel = (name: string): Panel => ({
  ...{ title: name, unit: COUNT, metrics: /^/, label: () => name },
})

function rank(panel: Panel): number {
  const index = PANELS.indexOf(panel)
  return index < 0 ? PANELS.length : index
}
