import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TaskEvent } from '../../src/task/event.ts'
import { reduce, reduceAll } from '../../src/task/reducer.ts'
import { PHASES, TASK_STATUSES } from '../../src/task/task.ts'
import { NOW, newState, progress } from '../support/tasks.ts'

const name = fc.constantFrom('loss', 'val_loss', 'accuracy', 'eval_f1', 'constructor', '__proto__')
const metrics = fc
  .uniqueArray(fc.tuple(name, fc.constantFrom(0.5, 1, 'NaN' as const)), { selector: ([of]) => of })
  .map((entries) => Object.fromEntries(entries.filter(([of]) => of !== '__proto__')))
const count = fc.nat({ max: 20 })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const text = fc.constantFrom('warm-up', 'train', 'a message')
const times = fc.nat({ max: 1000 }).map((after) => ({
  timestamp: new Date(NOW + after).toISOString(),
  recordedAt: NOW + after,
}))
const origin = fc.oneof(
  fc.constant({}),
  fc.record({ producer: name, sequence: fc.integer({ min: 1, max: 99 }) }),
)

const body: fc.Arbitrary<object> = fc.oneof(
  fc.record({
    type: fc.constant('ProgressUpdate'),
    current: count,
    total: maybe(count),
    progress: maybe(count),
    stage: maybe(text),
    epoch: maybe(count),
    loss: maybe(fc.constantFrom(0.1, 'Infinity')),
    metrics,
    message: maybe(text),
  }),
  fc.record({ type: fc.constant('EpochStarted'), epoch: count, totalEpochs: maybe(count) }),
  fc.record({ type: fc.constant('EpochEnded'), epoch: count, phase: fc.constantFrom(...PHASES), metrics }),
  fc.record({
    type: fc.constant('RoundEnded'),
    round: count,
    totalRounds: maybe(count),
    fitMetrics: metrics,
    evalMetrics: metrics,
  }),
  fc.record(
    {
      type: fc.constant('StatusChanged'),
      status: fc.constantFrom(...TASK_STATUSES),
      message: maybe(text),
      attempt: fc.integer({ min: 1, max: 4 }),
      stopRequested: fc.constant(true),
      stopReason: maybe(text),
    },
    { requiredKeys: ['type', 'status', 'message'] },
  ),
  fc.record({ type: fc.constant('ErrorReported'), error: text, errorType: maybe(text) }),
  fc.record({ type: fc.constant('TrainingSucceeded'), result: fc.jsonValue({ maxDepth: 1 }) }),
  fc.record({ type: fc.constant('TrainingFailed'), error: text, errorType: maybe(text) }),
  fc.record({ type: fc.constant('TrainingCancelled'), reason: maybe(text) }),
)
const event = fc.tuple(body, times, origin).map((parts) => Object.assign({}, ...parts) as TaskEvent)

describe('the fold of events', () => {
  it('of many at once is that of one after the other, and harms neither state nor events', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), fc.array(event, { maxLength: 12 }), (before, after) => {
        const state = reduceAll(newState({ id: 'task' }), before)
        const given = JSON.stringify([state, after])
        const folded = reduceAll(state, after)
        expect(JSON.stringify([state, after])).toBe(given)
        // As text: what is stored, with every own name and in one order.
        expect(JSON.stringify(folded)).toBe(JSON.stringify(after.reduce(reduce, state)))
      }),
    )
  })

  it('keeps a producer of any name', () => {
    const report = { ...({ type: 'ErrorReported', error: 'x', errorType: null } as const), recordedAt: NOW }
    const state = reduceAll(
      newState(),
      ['__proto__', 'constructor'].map((producer, i) => ({
        ...report,
        timestamp: '',
        producer,
        sequence: i + 1,
      })),
    )
    expect(Object.entries(state.producers)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ])
  })
})

describe('rounds and progress', () => {
  const at = { timestamp: new Date(NOW).toISOString(), recordedAt: NOW }
  const round = (number: number): TaskEvent => ({
    type: 'RoundEnded',
    round: number,
    totalRounds: 10,
    fitMetrics: {},
    evalMetrics: {},
    ...at,
  })
  const step = (current: number, total: number | null): TaskEvent =>
    Object.assign(progress(current), { total, progress: total === null ? null : (100 * current) / total })
  const relaunch: TaskEvent = { type: 'StatusChanged', status: 'QUEUED', message: null, attempt: 2, ...at }
  const far = (...events: TaskEvent[]) => {
    const { current, total, progress, round } = reduceAll(newState(), events)
    return { current, total, progress, round }
  }

  it('a trainer that reports rounds only is as far as its rounds', () => {
    expect(far(round(1), round(2))).toEqual({ current: 2, total: 10, progress: 20, round: 2 })
  })

  it.each([
    ['after it', [step(30, 100), round(3)]],
    ['before it', [round(3), step(30, 100)]],
    ['around it', [round(2), step(30, 100), round(3)]],
    ['that have the same number', [step(30, 100), round(30), round(3)]],
  ])('progress is not overwritten by rounds %s', (_, events) => {
    expect(far(...events)).toEqual({ current: 30, total: 100, progress: 30, round: 3 })
  })

  it('progress without a total does not take that of rounds for its own', () => {
    expect(far(round(3), step(3, null))).toEqual({ current: 3, total: null, progress: null, round: 3 })
  })

  it('an attempt that reports rounds only is as far as its rounds, whatever the one before reported', () => {
    expect(far(step(30, 100), relaunch, round(1))).toEqual({ current: 1, total: 10, progress: 10, round: 1 })
  })
})
