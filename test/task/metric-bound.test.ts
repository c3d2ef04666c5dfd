import fc from 'fast-check'
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

const named = (names: readonly string[]): Metrics => Object.fromEntries(names.map((name) => [name, 1]))

/** Names of which an object has some before others, whichever came first. */
const anyName = fc.oneof(
  fc.nat({ max: 3000 }).map(String),
  fc.nat({ max: 3000 }).map((i) => `m${i}`),
  fc.constantFrom('loss', '-1', '01', '1.5', '4294967294', '4294967295', 'constructor', 'toString'),
)

describe('the bound of names in a task', () => {
  it('keeps those that it has, and takes no more, whatever they are called', () => {
    const batch = fc.array(fc.uniqueArray(anyName, { minLength: 1, maxLength: 120 }), {
      minLength: 1,
      maxLength: 4,
    })
    const property = fc.property(fc.array(batch, { minLength: 8, maxLength: 24, size: 'max' }), (batches) => {
      let state = newState()
      for (const names of batches) {
        const reports = names.map((some): Report => ({ progress: { current: 1, metrics: named(some) } }))
        const before = new Set(Object.keys(state.metrics))
        const { state: after, warnings, accepted } = plan(state, reports)
        state = after
        expect(accepted).toBe(reports.length)
        const has = new Set(Object.keys(state.metrics).filter((name) => name !== 'loss'))
        expect(has.size).toBeLessThanOrEqual(LIMITS.metricsPerTask)
        for (const name of before) if (name !== 'loss') expect(has).toContain(name)
        // Left out are only names that were reported, and only where there is no room.
        const missing = new Set(names.flat().filter((name) => name !== 'loss' && !has.has(name)))
        if (missing.size > 0) expect(has.size).toBe(LIMITS.metricsPerTask)
        expect(warnings.length > 0).toBe(missing.size > 0)
      }
    })
    fc.assert(property, { numRuns: 30, interruptAfterTimeLimit: 20_000 })
  })

  it('leaves out new names that are whole numbers, which an object has before all others', () => {
    const quarters = range(0, 3).map((i) => named(range(256 * i, 256 * i + 255).map((n) => `m${n}`)))
    let state = newState()
    for (const metrics of quarters) state = plan(state, [{ progress: { current: 1, metrics } }]).state
    const more = plan(state, [
      { progress: { current: 2, metrics: { ...named(['0', '7', 'm1023']), m0: 5 } } },
    ])
    expect(more.warnings).toEqual([
      'metrics "0", "7" left out: the task has 1024 different metrics, and no more are taken',
    ])
    expect((more.events.at(-1) as { metrics: Metrics }).metrics).toEqual({ m0: 5, m1023: 1 })
    expect(Object.keys(more.state.metrics)).toHaveLength(1024)
  })
})
