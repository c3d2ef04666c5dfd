import { quote } from './errors.ts'
import { LIMITS } from './limits.ts'
import { latestName } from './reducer.ts'
import type { Report } from './report.ts'
import type { Metrics, Phase, TaskState } from './task.ts'

type Maybe<T> = T | null | undefined

/** The names of metrics that a task has beyond its bound, newest last; null where there are none. */
export function namesBeyondBound({ metrics }: TaskState): ReadonlySet<string> | null {
  const names = Object.keys(metrics)
  if (names.length <= LIMITS.metricsPerTask) return null
  // The loss is taken even beside so many: a report of nothing else must not be empty.
  const beyond = names.filter((name) => name !== 'loss').slice(LIMITS.metricsPerTask)
  return beyond.length === 0 ? null : new Set(beyond)
}

/** What to tell whoever reported them. */
export const leftOut = (names: ReadonlySet<string>): string => {
  const [first] = names
  const others = names.size > 1 ? ` and ${names.size - 1} more` : ''
  return `metric ${quote(first)}${others} left out: the task has ${LIMITS.metricsPerTask} different metrics, and no more are taken`
}

/** A report without metrics of these names, which are those of the latest values. */
export function withoutMetrics(report: Report, names: ReadonlySet<string>): Report {
  const { progress, epochEnd, roundEnd } = report
  const filtered = (metrics: Maybe<Metrics>, phase: Phase | 'EVAL') =>
    Object.fromEntries(Object.entries(metrics ?? {}).filter(([name]) => !names.has(latestName(name, phase))))
  if (progress) return { progress: { ...progress, metrics: filtered(progress.metrics, 'TRAIN') } }
  if (epochEnd) return { epochEnd: { ...epochEnd, metrics: filtered(epochEnd.metrics, epochEnd.phase) } }
  if (!roundEnd) return report
  const { fitMetrics, evalMetrics } = roundEnd
  return {
    roundEnd: {
      ...roundEnd,
      fitMetrics: filtered(fitMetrics, 'TRAIN'),
      evalMetrics: filtered(evalMetrics, 'EVAL'),
    },
  }
}
