import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CurveDraft, FIRST_CONTEXT } from '../../../src/task/curves/draft.ts'
import type { MetricSeries } from '../../../src/task/curves/point.ts'
import { decodeSegment } from '../../../src/task/curves/segment.ts'
import { type SeriesQuery, seriesOf } from '../../../src/task/curves/series.ts'
import { SeriesNumbers } from '../../../src/task/curves/series-numbers.ts'
import type { TaskEvent } from '../../../src/task/event.ts'
import { relaunched } from '../../../src/task/lifecycle.ts'
import { planReports } from '../../../src/task/plan-reports.ts'
import { reduceAll } from '../../../src/task/reducer.ts'
import type { Report } from '../../../src/task/report.ts'
import { PHASES } from '../../../src/task/task.ts'
import { NOW, newState } from '../../support/tasks.ts'

const value = fc.oneof(fc.integer({ min: 0, max: 99 }), fc.constantFrom(-1e308, 'NaN' as const))
const metrics = fc.dictionary(fc.constantFrom('loss', 'val_loss', 'accuracy', 'eval_f1'), value, {
  noNullPrototype: true,
})
const count = fc.nat({ max: 9 })
const step = fc.option(count)
const ofSteps: fc.Arbitrary<Report> = fc
  .record({ current: count, loss: fc.option(value), step, metrics })
  .map((progress) => ({ progress }))
const ofEpochs: fc.Arbitrary<Report> = fc
  .record({ epoch: count, step, phase: fc.constantFrom(...PHASES), metrics })
  .map((epochEnd) => ({ epochEnd }))
const ofRounds: fc.Arbitrary<Report> = fc
  .record({ round: count, step, fitMetrics: metrics, evalMetrics: metrics })
  .map((roundEnd) => ({ roundEnd }))
const sent = (report: fc.Arbitrary<Report>) =>
  fc.record({ report, member: fc.option(fc.constant('rank-1')), relaunches: fc.boolean() })

/** The events of these reports, a second apart, and the state after them. */
function reported(all: readonly { report: Report; member: string | null; relaunches: boolean }[]) {
  let state = newState()
  const events: TaskEvent[] = []
  for (const [i, { report, member, relaunches }] of all.entries()) {
    const now = NOW + i * 1000
    const launches = relaunches && i % 4 === 3 ? relaunched(state, state.attempt + 1, now - 500) : []
    state = reduceAll(state, launches)
    const batch = { reports: [report], member, producer: null, firstSequence: null, attempt: null }
    const plan = planReports(state, batch, now)
    state = plan.state
    events.push(...launches, ...plan.events)
  }
  return { state, events }
}

/** The name in `metrics` of what a series holds. */
function latestName({ name, phase }: MetricSeries, prefixes: { VAL: string; TEST: string }): string {
  const prefix = phase === 'VAL' || phase === 'TEST' ? prefixes[phase] : ''
  return name.startsWith(prefix) ? name : prefix + name
}

const ALL: Omit<SeriesQuery, 'names'> = { phase: null, member: null, from: null, to: null, maxPoints: 500 }

it.each([
  ['epochs', ofEpochs, { VAL: 'val_', TEST: 'test_' }],
  ['rounds', ofRounds, { VAL: 'eval_', TEST: 'test_' }],
])(
  'the latest value of every metric, of steps and %s, is the newest of its series',
  (_, coarse, prefixes) => {
    fc.assert(
      fc.property(fc.array(sent(fc.oneof(ofSteps, coarse)), { maxLength: 20 }), (all) => {
        const { state, events } = reported(all)
        const numbers = new SeriesNumbers([])
        const draft = new CurveDraft(0, FIRST_CONTEXT)
        for (const event of events) draft.add(event)
        const segment = decodeSegment(draft.encode(numbers))
        expect(state.loss).toBe(state.metrics.loss ?? null)
        for (const [name, latest] of Object.entries(state.metrics)) {
          const query = { ...ALL, names: new Set([name]) }
          const points = [...seriesOf([segment], numbers.keys, events.length, query)]
            .filter(({ series }) => series.member === null && latestName(series, prefixes) === name)
            .flatMap(({ series }) => series.points)
          const newest = Math.max(...points.map(({ timestamp }) => timestamp))
          // One event may give it under two names: `loss` and `val_loss` of a validation.
          const values = points.filter(({ timestamp }) => timestamp === newest).map((point) => point.value)
          expect(values).toContain(latest)
        }
      }),
      { numRuns: 300 },
    )
  },
)
