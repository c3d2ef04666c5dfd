import type { Curve, Phase } from '../../typescript/index.ts'

/** One line of a chart, before it has points for an axis. */
export interface Line {
  /** The same as long as the chart shows the same metrics. */
  readonly key: string
  /** What tells it from the others of its chart. */
  readonly label: string
  readonly role: LineRole
  readonly curve: Curve
  /** Milliseconds since 1970 from which its time counts. */
  readonly startedAt: number
}

export type LineRole = 'value' | 'train' | 'val' | 'test' | 'member'

/** What one chart shows: a metric as it was trained, validated and tested. */
export interface MetricGroup {
  readonly name: string
  readonly lines: readonly Line[]
  /** Further members, which would only be a tangle. */
  readonly hiddenCount: number
}

const MAX_LINES = 24

const PHASES: Readonly<Record<Phase, { role: LineRole; label: string; roundLabel: string }>> = {
  TRAIN: { role: 'train', label: 'train', roundLabel: 'fit' },
  VAL: { role: 'val', label: 'validation', roundLabel: 'eval' },
  TEST: { role: 'test', label: 'test', roundLabel: 'test' },
}

/** As trainers without phases name what they do (`val_loss`, `train/loss`). */
const OF_PHASE = /^(train|val|valid|validation|eval|test)[_/](.+)$/
const PHASE_OF: Readonly<Record<string, Phase>> = { train: 'TRAIN', test: 'TEST' }

/** The metric and the phase that a name tells; null where it tells none. */
export function namedPhase(name: string): { readonly name: string; readonly phase: Phase } | null {
  const [, word, rest] = OF_PHASE.exec(name) ?? []
  return word === undefined || rest === undefined ? null : { name: rest, phase: PHASE_OF[word] ?? 'VAL' }
}

/**
 * Metrics by name, those of a loss first; each with all of its phases and members.
 *
 * @param beside curves of all runs that are shown, so that the same metric has the same place in each
 */
export function groupCurves(
  curves: readonly Curve[],
  startedAt: number,
  beside: readonly Curve[] = curves,
): MetricGroup[] {
  const phases = phasesOf(beside)
  const groups = new Map<string, Line[]>()
  for (const curve of curves) {
    const { name, phase } = placeOf(curve, phases)
    const lines = groups.get(name) ?? []
    groups.set(name, lines)
    lines.push({ ...lineOf(curve, phase), startedAt })
  }
  return [...groups]
    .map(([name, lines]) => ({
      name,
      lines: named(name, lines)
        .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role))
        .slice(0, MAX_LINES),
      hiddenCount: Math.max(0, lines.length - MAX_LINES),
    }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1))
}

/** Values without a phase are training's, where only validation stands beside them; alone they need no other name than the chart's. */
function named(name: string, lines: readonly Line[]): Line[] {
  const roles = new Set(lines.map(({ role }) => role))
  return lines.map((line) => {
    if (line.role !== 'value' || roles.has('train')) return line
    return { ...line, label: roles.size > 1 ? 'train' : name }
  })
}

const ROLES: readonly LineRole[] = ['value', 'train', 'val', 'test', 'member']

/** What there is of each metric, as names tell it. */
function phasesOf(curves: readonly Curve[]): ReadonlyMap<string, ReadonlySet<Phase | null>> {
  const phases = new Map<string, Set<Phase | null>>()
  for (const { name: own } of curves) {
    const told = namedPhase(own)
    for (const { name, phase } of [{ name: own, phase: null }, ...(told ? [told] : [])])
      phases.set(name, (phases.get(name) ?? new Set()).add(phase))
  }
  return phases
}

/** A phase that only the name tells is one where the same metric has another beside it. */
function placeOf(
  { name, phase = null }: Curve,
  phases: ReadonlyMap<string, ReadonlySet<Phase | null>>,
): { readonly name: string; readonly phase: Phase | null } {
  const told = phase === null ? namedPhase(name) : null
  return told && (phases.get(told.name)?.size ?? 0) > 1 ? told : { name, phase }
}

function lineOf(curve: Curve, phase: Phase | null): Omit<Line, 'startedAt'> {
  const { member = null, axis } = curve
  const of = phase === null ? null : PHASES[phase]
  const phaseLabel =
    of === null ? (axis === 'STEP' ? 'step' : 'value') : axis === 'ROUND' ? of.roundLabel : of.label
  return {
    key: JSON.stringify([curve.name, curve.phase, member, axis]),
    label: member === null ? phaseLabel : of === null ? member : `${member} · ${phaseLabel}`,
    role: member !== null ? 'member' : (of?.role ?? 'value'),
    curve,
  }
}

const rank = (name: string): number =>
  name === 'loss' ? 0 : name.includes('loss') ? 1 : name.includes('/') && !namedPhase(name) ? 3 : 2
