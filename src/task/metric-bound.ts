import { quote } from './errors.ts'
import { LIMITS } from './limits.ts'
import { memberMetricName } from './members.ts'
import { latestName } from './reducer.ts'
import type { Report } from './report.ts'
import type { Metrics, Phase, TaskState } from './task.ts'

type Maybe<T> = T | null | undefined

/** The names of metrics that a task would have beyond its bound, of those it did not have before; null where there are none. */
export function namesBeyondBound(before: TaskState, after: TaskState): ReadonlySet<string> | null {
  const names = Object.keys(after.metrics)
  if (names.length <= LIMITS.metricsPerTask) return null
  // Which are new is not told by their order: an object has names that are whole numbers first. The loss is taken even
  // beside so many: a report of nothing else must not be empty.
  const isKnown = (name: string) => name === 'loss' || Object.hasOwn(before.metrics, name)
  const known = Object.keys(before.metrics).filter((name) => name !== 'loss').length
  const beyond = names.filter((name) => !isKnown(name)).slice(Math.max(0, LIMITS.metricsPerTask - known))
  return beyond.length === 0 ? null : new Set(beyond)
}

/** What to tell whoever reported them. */
export const leftOut = (names: ReadonlySet<string>): string =>
  `${named(names)} left out: the task has ${LIMITS.metricsPerTask} different metrics, and no more are taken`

const MAX_NAMED = 5

function named(names: ReadonlySet<string>): string {
  const first = [...names].slice(0, MAX_NAMED).map((name) => quote(name))
  const others = names.size > first.length ? ` and ${names.size - first.length} more` : ''
  return `${names.size > 1 ? 'metrics' : 'metric'} ${first.join(', ')}${others}`
}

/** A report without metrics of these names, which are those of the latest values. */
export function withoutMetrics(report: Report, names: ReadonlySet<string>): Report {
  return withMaps(report, (map, _, phase) =>
    Object.fromEntries(Object.entries(map).filter(([name]) => !names.has(latestName(name, phase)))),
  )
}

interface BoundMaps {
  readonly reports: readonly Report[]
  readonly warnings: readonly string[]
}

/**
 * Leaves out what a map of metrics has beyond the bound. The curves that there are go on: of the names, those that the task,
 * or its members, already have come first, then the others in their order.
 */
export function boundMaps(
  reports: readonly Report[],
  { metrics, memberMetrics = [] }: TaskState,
  member: string | null,
): BoundMaps {
  if (!reports.some(hasTooLargeMap)) return { reports, warnings: [] }
  const nameOf = member === null ? latestName : memberMetricName
  const known = new Set(member === null ? Object.keys(metrics) : memberMetrics)
  const beyond = new Set<string>()
  const large: string[] = []
  const bound = reports.map((report, i) =>
    withMaps(report, (map, field, phase) => {
      const names = Object.keys(map)
      const isKnown = (name: string) => name === 'loss' || known.has(nameOf(name, phase))
      const inOrder = [...names.filter(isKnown), ...names.filter((name) => !isKnown(name))]
      const taken = new Set(inOrder.splice(0, LIMITS.metricsPerReport))
      for (const name of taken) known.add(nameOf(name, phase))
      if (inOrder.length === 0) return map
      large.push(`reports[${i}].${field} has ${names.length}`)
      for (const name of inOrder) beyond.add(name)
      return Object.fromEntries(Object.entries(map).filter(([name]) => taken.has(name)))
    }),
  )
  const others = large.length > 1 ? ` (and ${large.length - 1} more have too many)` : ''
  const warning = `${named(beyond)} left out: ${large[0]} names${others}; expected at most ${LIMITS.metricsPerReport}`
  return { reports: bound, warnings: [warning] }
}

function hasTooLargeMap({ progress, epochEnd, roundEnd }: Report): boolean {
  if (progress) return isTooLarge(progress.metrics)
  if (epochEnd) return isTooLarge(epochEnd.metrics)
  return isTooLarge(roundEnd?.fitMetrics) || isTooLarge(roundEnd?.evalMetrics)
}

function isTooLarge(map: Maybe<Metrics>): boolean {
  let count = 0
  for (const _ in map) if (++count > LIMITS.metricsPerReport) return true
  return false
}

/** A report with other maps of metrics, empty ones where it has none. */
function withMaps(
  report: Report,
  change: (map: Metrics, field: string, phase: Phase | 'EVAL') => Metrics,
): Report {
  const { progress, epochEnd, roundEnd } = report
  if (progress)
    return { progress: { ...progress, metrics: change(progress.metrics ?? {}, 'progress.metrics', 'TRAIN') } }
  if (epochEnd)
    return {
      epochEnd: { ...epochEnd, metrics: change(epochEnd.metrics, 'epochEnd.metrics', epochEnd.phase) },
    }
  if (!roundEnd) return report
  const { fitMetrics, evalMetrics } = roundEnd
  return {
    roundEnd: {
      ...roundEnd,
      fitMetrics: change(fitMetrics ?? {}, 'roundEnd.fitMetrics', 'TRAIN'),
      evalMetrics: change(evalMetrics ?? {}, 'roundEnd.evalMetrics', 'EVAL'),
    },
  }
}
