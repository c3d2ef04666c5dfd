import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/task/limits.ts'
import { planReports } from '../../src/task/plan-reports.ts'
import type { Report } from '../../src/task/report.ts'
import type { Metrics, TaskState } from '../../src/task/task.ts'
import { NOW, newState, range } from '../support/tasks.ts'

const MAX = LIMITS.metricsPerReport

const plan = (state: TaskState, reports: readonly Report[], member: string | null = null) =>
  planReports(state, { reports, member, producer: null, firstSequence: null, attempt: null }, NOW)
const metricsFrom = (from: number, to: number): Metrics =>
  Object.fromEntries(range(from, to).map((i) => [`m${i}`, i]))

/** Each kind of report that has metrics, with these in one of its maps; and where they are in its event. */
const KINDS: Record<string, { report: (metrics: Metrics) => Report; field: string }> = {
  'progress.metrics': { report: (metrics) => ({ progress: { current: 1, metrics } }), field: 'metrics' },
  'epochEnd.metrics': {
    report: (metrics) => ({ epochEnd: { epoch: 1, phase: 'TEST', metrics } }),
    field: 'metrics',
  },
  'roundEnd.fitMetrics': {
    report: (fitMetrics) => ({ roundEnd: { round: 1, fitMetrics } }),
    field: 'fitMetrics',
  },
  'roundEnd.evalMetrics': {
    report: (evalMetrics) => ({ roundEnd: { round: 1, evalMetrics } }),
    field: 'evalMetrics',
  },
}

describe.each(Object.entries(KINDS))('the bound of names in %s', (where, { report, field }) => {
  const taken = (event: unknown) => (event as Record<string, Metrics>)[field]

  describe.each([null, 'rank-1'])('of member %s', (member) => {
    it('takes as many, and of one more all but the last', () => {
      const full = plan(newState(), [report(metricsFrom(1, MAX))], member)
      expect(full.warnings).toEqual([])
      expect(taken(full.events[1])).toEqual(metricsFrom(1, MAX))
      const over = plan(newState(), [report(metricsFrom(1, MAX + 1))], member)
      expect(over.warnings).toEqual([
        `metric "m${MAX + 1}" left out: reports[0].${where} has ${MAX + 1} names; expected at most ${MAX}`,
      ])
      expect(taken(over.events[1])).toEqual(metricsFrom(1, MAX))
      expect(over.accepted).toBe(1)
    })

    it('leaves out new names, not those of curves that there are', () => {
      const { state } = plan(newState(), [report(metricsFrom(2, MAX))], member)
      const later = [report({ first: 1, loss: 0.5, ...metricsFrom(2, MAX) }), report(metricsFrom(1, MAX + 1))]
      const { events, warnings } = plan(state, later, member)
      expect(taken(events[0])).toEqual({ loss: 0.5, ...metricsFrom(2, MAX) })
      // The loss is one of the curves that there are, by now; in this report it is missing.
      expect(taken(events[1])).toEqual(metricsFrom(1, MAX))
      expect(warnings).toEqual([
        `metrics "first", "m${MAX + 1}" left out: reports[0].${where} has ${MAX + 1} names (and 1 more have too many); expected at most ${MAX}`,
      ])
    })
  })
})

it('one warning tells of a thousand reports with too many names', () => {
  const reports = range(1, 1000).map(
    (current): Report => ({
      progress: { current, metrics: metricsFrom(1, MAX + 7) },
    }),
  )
  const { warnings, accepted } = plan(newState(), reports)
  expect(accepted).toBe(1000)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain(`"m${MAX + 5}" and 2 more left out: reports[0]`)
  expect(warnings[0]).toContain('(and 999 more have too many)')
})
