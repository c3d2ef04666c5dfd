import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TaskEvent } from '../../src/task/event.ts'
import { reduce, reduceAll } from '../../src/task/reducer.ts'
import { taskEvent } from '../support/task-events.ts'
import { NOW, newState, progress } from '../support/tasks.ts'

describe('the fold of events', () => {
  it('of many at once is that of one after the other, and harms neither state nor events', () => {
    fc.assert(
      fc.property(
        fc.array(taskEvent, { maxLength: 12 }),
        fc.array(taskEvent, { maxLength: 12 }),
        (before, after) => {
          const state = reduceAll(newState({ id: 'task' }), before)
          const given = JSON.stringify([state, after])
          const folded = reduceAll(state, after)
          expect(JSON.stringify([state, after])).toBe(given)
          // As text: what is stored, with every own name and in one order.
          expect(JSON.stringify(folded)).toBe(JSON.stringify(after.reduce(reduce, state)))
        },
      ),
    )
  })

  it('keeps a producer of any name', () => {
    const report = {
      ...({ type: 'ErrorReported', error: 'x', errorType: null, member: null } as const),
      recordedAt: NOW,
    }
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
    progress: null,
    step: null,
    member: null,
    fitMetrics: {},
    evalMetrics: {},
    ...at,
  })
  const step = (current: number, total: number | null): TaskEvent =>
    Object.assign(progress(current), { total, progress: total === null ? null : (100 * current) / total })
  const relaunch: TaskEvent = {
    type: 'StatusChanged',
    status: 'QUEUED',
    message: null,
    attempt: 2,
    stopRequested: false,
    ...at,
  }
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

  it('progress without a total does not take that of rounds for its own, which goes on to drive', () => {
    expect(far(round(3), step(4, null))).toEqual({ current: 4, total: null, progress: 30, round: 3 })
  })

  it('an attempt begins with nothing done, whatever the one before reported', () => {
    const nothing = { current: null, total: null, progress: null, round: null }
    expect(far(step(30, 100), round(3), relaunch)).toEqual(nothing)
  })

  it('an attempt that reports rounds only is as far as its rounds, whatever the one before reported', () => {
    expect(far(step(30, 100), relaunch, round(1))).toEqual({ current: 1, total: 10, progress: 10, round: 1 })
  })
})
