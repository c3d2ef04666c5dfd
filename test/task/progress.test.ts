import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { relaunched } from '../../src/task/lifecycle.ts'
import { planReports } from '../../src/task/plan-reports.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { Report } from '../../src/task/report.ts'
import type { TaskState } from '../../src/task/task.ts'
import { NOW, newState } from '../support/tasks.ts'

const P = (current: number, more: object = {}): Report => ({ progress: { current, ...more } })
const of = (current: number, total: number | null): Report => P(current, { total })
const R = (round: number, more: object = {}): Report => ({ roundEnd: { round, ...more } })
const B = (epoch: number, more: object = {}): Report => ({ epochStart: { epoch, ...more } })
const E = (epoch: number, phase: 'TRAIN' | 'VAL' = 'TRAIN'): Report => ({
  epochEnd: { epoch, phase, metrics: {} },
})

const send = (state: TaskState, reports: readonly Report[], now = NOW) =>
  planReports(state, { reports, member: null, producer: null, firstSequence: null, attempt: null }, now)
const stateAfter = (state: TaskState, ...reports: Report[]): TaskState => send(state, reports).state
const again = (state: TaskState): TaskState =>
  reduceAll(state, relaunched(state, state.attempt + 1, state.updatedAt))
const begun = (...reports: Report[]): TaskState => stateAfter(newState(), ...reports)

describe('steps, rounds and epochs', () => {
  it.each<[string, Report[], object]>([
    [
      'rounds without a total leave steps alone',
      [of(50, 100), R(1)],
      { current: 50, total: 100, progress: 50, round: 1 },
    ],
    [
      'rounds with a total leave steps alone',
      [of(400, 400), R(1, { totalRounds: 10 }), P(200)],
      { current: 200, total: 400, progress: 50, round: 1, totalRounds: 10 },
    ],
    [
      'epochs leave steps alone',
      [of(50, 100), B(1, { totalEpochs: 4 }), E(1)],
      { current: 50, total: 100, progress: 50, epoch: 1, totalEpochs: 4 },
    ],
    [
      'steps without a total leave it to epochs',
      [B(1, { totalEpochs: 4 }), E(1), P(700)],
      { current: 700, total: null, progress: 25 },
    ],
    [
      'steps and epochs without a total leave it to rounds',
      [B(1), P(700), R(2, { totalRounds: 8 }), E(1)],
      { current: 700, total: null, epoch: 1, round: 2, progress: 25 },
    ],
    [
      'epochs are finer than rounds',
      [R(1, { totalRounds: 2 }), B(1, { totalEpochs: 4 }), E(1)],
      { progress: 25, round: 1, current: 1, total: 2 },
    ],
    [
      'nothing has a total',
      [P(3), B(1), R(1)],
      { current: 3, total: null, progress: null, epoch: 1, round: 1 },
    ],
  ])('%s', (_, reports, expected) => {
    expect(begun(...reports)).toMatchObject(expected)
  })

  it('are told by each event as the state has them after it', () => {
    const reports = [B(1, { totalEpochs: 2 }), E(1), P(1), of(1, 10), P(2), R(1), B(2)]
    const { events } = send(newState(), reports)
    expect(events.slice(1)).toMatchObject([
      { progress: 0, totalEpochs: 2 },
      { progress: 50 },
      { progress: 50, total: null },
      { progress: 10, total: 10 },
      { progress: 20, total: 10 },
      { progress: 20, totalRounds: null },
      { progress: 20, totalEpochs: 2 },
    ])
  })

  it('of a member are in its events alone', () => {
    const before = begun(of(50, 100), R(1, { totalRounds: 4 }))
    const batch = { member: 'rank-1', producer: null, firstSequence: null, attempt: null }
    const { events, state } = planReports(before, { ...batch, reports: [of(1, 4), P(2), E(1), R(3)] }, NOW)
    expect(events).toMatchObject([
      { progress: 25 },
      { progress: null },
      { progress: null },
      { progress: null },
    ])
    expect(state).toMatchObject({ current: 50, total: 100, progress: 50, epoch: null, round: 1 })
  })
})

describe('a total', () => {
  it.each<[string, Report[], object]>([
    ['of steps', [of(5, 10), of(6, null)], { current: 6, total: null, progress: null }],
    ['of steps beside epochs', [B(1, { totalEpochs: 2 }), E(1), of(9, 10), of(9, null)], { progress: 50 }],
    ['of epochs', [B(2, { totalEpochs: 4 }), B(3, { totalEpochs: null })], { progress: null }],
    ['of rounds', [R(1, { totalRounds: 4 }), R(2, { totalRounds: null })], { total: null, progress: null }],
  ])('%s that is given as null is unknown again', (_, reports, expected) => {
    const state = begun(...reports)
    expect(state).toMatchObject(expected)
    expect(send(state, [P(9)]).events).toMatchObject([{ total: null, progress: state.progress }])
  })

  it.each<[string, Report[], number]>([
    ['of steps', [of(5, 10), P(6)], 60],
    ['of epochs', [B(1, { totalEpochs: 4 }), E(1), B(2)], 25],
    ['of rounds', [R(1, { totalRounds: 4 }), R(2)], 50],
  ])('%s that is not given stays', (_, reports, progress) => {
    expect(begun(...reports).progress).toBe(progress)
  })
})

describe('epochs', () => {
  const totalEpochs = 10
  const start = newState({ params: { epochs: totalEpochs } })

  it.each<[string, Report[], number]>([
    ['the first has begun', [B(1)], 0],
    ['the fifth has begun', [B(5)], 40],
    ['the fifth has ended', [B(5), E(5)], 50],
    ['the last has begun', [B(10)], 90],
    ['the last has ended', [B(10), E(10)], 100],
    ['epoch 0 has begun', [B(0)], 0],
    ['epoch 0 has ended', [B(0), E(0)], 10],
    ['epoch 9 of those from 0 has begun', [B(0), E(0), B(9)], 90],
    ['epoch 9 of those from 0 has ended', [B(0), E(0), B(9), E(9)], 100],
    ['a validation is told late', [B(1), E(1), B(2), E(2), B(3), E(1, 'VAL')], 20],
    ['an epoch has a second part', [B(1), E(1), B(1), E(1, 'VAL')], 10],
    ['the trainer has gone back', [B(1), E(1), B(2), E(2), B(3), E(3), B(2)], 10],
    ['a step tells of an epoch that has begun', [P(1, { epoch: 3 })], 20],
    ['a step tells of an epoch that has ended', [E(3), P(1, { epoch: 3 })], 30],
    ['a step tells of a fraction', [P(1, { epoch: 2.5 })], 25],
    ['a step tells of a whole number after fractions', [P(1, { epoch: 2.5 }), P(2, { epoch: 3 })], 30],
    ['an evaluation stands at a fraction', [P(1, { epoch: 0.25 }), E(0.5, 'VAL')], 5],
    ['fractions end in a whole number', [P(1, { epoch: 0.75 }), E(1)], 10],
    ['fractions of epoch 0 end with it', [B(0), P(1, { epoch: 0.75 }), E(0)], 10],
    ['fractions end in a whole number, from 0', [B(0), P(1, { epoch: 0.75 }), P(2, { epoch: 1 }), E(1)], 10],
    ['more have ended than there should be', [E(12)], 100],
  ])('%s: progress', (_, reports, progress) => {
    expect(stateAfter(start, ...reports).progress).toBe(progress)
  })

  it('are counted from where the trainer was known to begin, also by a later attempt', () => {
    const first = stateAfter(start, B(0), E(0), B(1))
    expect(first).toMatchObject({ firstEpoch: 0, epoch: 1, progress: 10 })
    const second = again(first)
    expect(second).toMatchObject({ firstEpoch: 0, epoch: null, progress: null })
    expect(stateAfter(second, B(5), E(5))).toMatchObject({ epoch: 5, progress: 60 })
  })

  it('go on in a state that an older version stored', () => {
    const { doneEpochs: _, firstEpoch: __, countsFractions: ___, pace: ____, ...rest } = start
    const stored: TaskState = { ...rest, status: 'RUNNING', epoch: 0 }
    expect(stateAfter(stored, B(1)).progress).toBe(10)
  })
})

const total = fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined })
const epoch = fc.oneof(fc.nat({ max: 12 }), fc.constantFrom(0.25, 2.5, 11.75))
/** What trainers may report; totals are told to be unknown only where `null` is asked for. */
const reports = (told: fc.Arbitrary<number | null | undefined>): fc.Arbitrary<Report> =>
  fc.oneof(
    fc
      .record({ current: fc.nat({ max: 40 }), total: told, epoch: fc.option(epoch) })
      .map((progress) => ({ progress })),
    fc.record({ epoch: fc.nat({ max: 12 }), totalEpochs: told }).map((epochStart) => ({ epochStart })),
    fc
      .record({ epoch, phase: fc.constantFrom('TRAIN' as const, 'VAL' as const), metrics: fc.constant({}) })
      .map((epochEnd) => ({ epochEnd })),
    fc.record({ round: fc.nat({ max: 12 }), totalRounds: told }).map((roundEnd) => ({ roundEnd })),
  )

describe('progress, whatever a trainer reports', () => {
  it('is between 0 and 100, and in the event as in the state', () => {
    const anything = fc.array(reports(fc.option(fc.nat({ max: 30 }), { nil: null })), { maxLength: 20 })
    fc.assert(
      fc.property(anything, (all) => {
        let state = newState()
        for (const report of all) {
          const plan = send(state, [report])
          state = plan.state
          const { progress } = state
          expect(progress === null || (progress >= 0 && progress <= 100)).toBe(true)
          expect(plan.events.at(-1)).toMatchObject({ progress })
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is never unknown again within an attempt, unless that was told', () => {
    fc.assert(
      fc.property(fc.array(reports(total), { maxLength: 20 }), (all) => {
        let state = newState()
        for (const report of all) {
          const known = state.progress !== null
          state = stateAfter(state, report)
          expect(known && state.progress === null).toBe(false)
        }
      }),
      { numRuns: 500 },
    )
  })
})
