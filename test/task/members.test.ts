import { describe, expect, it } from 'vitest'
import { relaunched, silence } from '../../src/task/lifecycle.ts'
import { LIMITS } from '../../src/task/limits.ts'
import { planReports } from '../../src/task/plan-reports.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { Report } from '../../src/task/report.ts'
import type { TaskState } from '../../src/task/task.ts'
import { NOW, newState, range } from '../support/tasks.ts'

const send = (state: TaskState, member: string | null, reports: readonly Report[], now = NOW) =>
  planReports(state, { reports, member, producer: null, firstSequence: null, attempt: null }, now)
const stateAfter = (state: TaskState, ...reports: Report[]) => send(state, null, reports).state

describe('the step of a task', () => {
  it('is the highest that its present attempt reported, of any kind of report', () => {
    let state = stateAfter(newState(), { progress: { current: 1 } })
    expect(state.step).toBeNull()
    state = stateAfter(state, { progress: { current: 2, step: 64 } }, { progress: { current: 3, step: 32 } })
    expect(state.step).toBe(64)
    state = stateAfter(state, { epochEnd: { epoch: 1, step: 2 ** 40, phase: 'VAL', metrics: {} } })
    expect(state.step).toBe(2 ** 40)
    state = stateAfter(state, { roundEnd: { round: 1, step: 2 ** 41 } }, { progress: { current: 4 } })
    expect(state.step).toBe(2 ** 41)
    const again = reduceAll(state, relaunched(state, 2, NOW))
    expect(again.step).toBeNull()
    expect(stateAfter(again, { progress: { current: 1, step: 0 } }).step).toBe(0)
  })

  it('is in the events as it was reported', () => {
    const { events } = send(newState(), null, [
      { progress: { current: 1, step: 8 } },
      { epochEnd: { epoch: 0.5, phase: 'TRAIN', metrics: {} } },
      { roundEnd: { round: 1, step: 9 } },
    ])
    expect(events.slice(1)).toMatchObject([{ step: 8 }, { epoch: 0.5, step: null }, { step: 9 }])
  })

  it('is counted on in a state that version 0.1 stored', () => {
    const { step: _, startedEpoch: __, ...stored } = newState()
    expect(stateAfter(stored as TaskState, { progress: { current: 1, step: 3 } }).step).toBe(3)
  })
})

it('the epoch that has started is that of the present attempt', () => {
  const state = stateAfter(newState(), { epochStart: { epoch: 4 } }, { progress: { current: 1, epoch: 4.5 } })
  expect(state).toMatchObject({ epoch: 4.5, startedEpoch: 4 })
  expect(reduceAll(state, relaunched(state, 2, NOW))).toMatchObject({ epoch: null, startedEpoch: null })
})

describe('what a member reports', () => {
  const reports: Report[] = [
    { progress: { current: 9, total: 10, stage: 'x', epoch: 3, step: 999, loss: 7, message: 'mine' } },
    { epochEnd: { epoch: 3, phase: 'TRAIN', metrics: { loss: 8 } } },
    { roundEnd: { round: 3, totalRounds: 4, fitMetrics: { loss: 9 }, evalMetrics: { f1: 1 } } },
    { error: { error: 'one batch was skipped' } },
  ]

  it('is in the events under its name, and leaves the task alone but for when it was heard', () => {
    const before = stateAfter(
      newState(),
      { epochStart: { epoch: 1, totalEpochs: 9 } },
      {
        progress: {
          current: 1,
          total: 100,
          stage: 'train',
          step: 5,
          loss: 0.5,
          metrics: { lr: 0.1 },
          message: 'm',
        },
      },
    )
    const { events, state } = send(before, 'rank-3', reports, NOW + 500)
    expect(events.map(({ type }) => type)).toEqual([
      'ProgressUpdate',
      'EpochEnded',
      'RoundEnded',
      'ErrorReported',
    ])
    for (const event of events) expect(event).toMatchObject({ member: 'rank-3' })
    expect(events[0]).toMatchObject({ progress: 90, loss: 7 })
    expect(state).toEqual({
      ...before,
      updatedAt: NOW + 500,
      heardAt: NOW + 500,
      members: ['rank-3'],
      memberMetrics: ['loss', 'eval f1'],
    })
    expect(reduceAll(before, events)).toEqual(state)
    // Its way to go is its own.
    expect(send(before, 'rank-3', [{ progress: { current: 50 } }]).events).toMatchObject([{ progress: null }])
  })

  it('is numbered by its producer as any report', () => {
    const batch = { reports, member: 'rank-3', producer: 'p3', firstSequence: 1, attempt: null }
    const { state } = planReports(newState(), batch, NOW)
    expect(state.producers).toEqual({ p3: expect.stringMatching(/^4\.\w+\.3\.\w+\.0$/) })
    expect(planReports(state, batch, NOW)).toMatchObject({ accepted: 0, duplicates: 4 })
  })

  it('shows that the training goes on', () => {
    const running = stateAfter(newState(), { progress: { current: 1 } })
    const windows = { stallMs: 1000, abandonMs: 1e9 }
    const stalled = reduceAll(running, silence(running, windows, true, NOW + 5000))
    expect(stalled.status).toBe('STALLED')
    expect(send(stalled, 'rank-3', reports.slice(0, 1)).state).toMatchObject({
      status: 'RUNNING',
      current: 1,
    })
    expect(send(newState(), 'rank-3', reports.slice(0, 1)).state).toMatchObject({
      status: 'RUNNING',
      current: null,
    })
  })

  it.each<[string, Report]>([
    ['success', { success: {} }],
    ['failure', { failure: { error: 'x' } }],
    ['status', { status: { status: 'SUCCESS' } }],
    ['status', { status: { status: 'RUNNING' } }],
    ['epochStart', { epochStart: { epoch: 1 } }],
  ])('is refused where it is %s', (kind, report) => {
    expect(() => send(newState(), 'rank-3', [...reports, report])).toThrow(
      expect.objectContaining({
        code: 'BAD_INPUT',
        message: `reports[4] is ${kind} of member "rank-3"; expected progress, epochEnd, roundEnd or error: starts and ends are not a member's to report`,
      }),
    )
  })
})

describe('of members and their series there are only so many', () => {
  const metricsOf = (count: number, prefix = 'm') =>
    Object.fromEntries(range(1, count).map((i) => [`${prefix}${i}`, i]))
  const of = (state: TaskState, member: string | null, metrics: Record<string, number>) =>
    send(state, member, [{ progress: { current: 1, metrics } }]).state
  const ranks = (count: number, metrics: Record<string, number>) =>
    range(1, count).reduce((state, i) => of(state, `rank-${i}`, metrics), newState())
  const refused = (plan: () => unknown, code: string, message: RegExp, details: object) =>
    expect(plan).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message), details }))

  it('512 ranks fit, each with 32 metrics, each its own producer', () => {
    let state = newState()
    for (const i of range(0, 511)) {
      const batch = { producer: `host-${i >> 3}-${i}-9f3c2a`, firstSequence: 1, attempt: null }
      const reports = [{ progress: { current: 1, metrics: metricsOf(32) } }]
      state = planReports(state, { reports, member: `rank-${i}`, ...batch }, NOW).state
    }
    expect(Object.keys(state.producers)).toHaveLength(512)
    expect(state.members).toHaveLength(512)
    expect(state.memberMetrics).toHaveLength(32)
    refused(() => of(state, 'rank-0', { one_more: 1 }), 'TOO_MANY_SERIES', /metric "one_more"/, {
      metric: 'one_more',
    })
    refused(() => of(state, 'rank-512', {}), 'TOO_MANY_SERIES', /member "rank-512"/, { member: 'rank-512' })
    // Who was there goes on, and so does the task itself.
    expect(of(state, 'rank-511', { m1: 2 }).members).toBe(state.members)
    expect(of(state, null, metricsOf(100, 'own')).metrics).toMatchObject({ own100: 100 })
    // Rewritten at every append.
    expect(JSON.stringify(state).length).toBeLessThan(512 * 100)
  })

  it('refuses one member too many by its name', () => {
    const state = ranks(LIMITS.membersPerTask, { loss: 1 })
    expect(of(state, 'rank-7', { loss: 2 }).members).toHaveLength(LIMITS.membersPerTask)
    refused(() => of(state, 'one more', { loss: 1 }), 'TOO_MANY_MEMBERS', /"one more" rejected/, {
      member: 'one more',
    })
  })

  it('refuses one metric too many by its name', () => {
    const full = ranks(1, metricsOf(200))
    refused(() => of(ranks(100, metricsOf(163)), 'rank-1', { x: 1 }), 'TOO_MANY_SERIES', /metric "x"/, {
      metric: 'x',
    })
    expect(full.metrics).toEqual({})
  })

  it('refuses a call of a thousand reports as soon as there are too many metrics', () => {
    const metrics = (report: number) => metricsOf(256, `m${report}_`)
    const reports = range(1, 1000).map((i): Report => ({ progress: { current: i, metrics: metrics(i) } }))
    refused(
      () => send(newState(), 'rank-1', reports),
      'TOO_MANY_SERIES',
      /1 members and 16640 metrics of theirs, the last of them metric "m65_256"/,
      { metric: 'm65_256' },
    )
    const { state } = send(newState(), 'rank-1', reports.slice(0, 64))
    expect(state.memberMetrics).toEqual(range(1, 64).flatMap((i) => Object.keys(metrics(i))))
    const samples = range(1, 1000).map(
      (i): Report => ({ system: { metrics: metricsOf(200, `system/${i}_`) } }),
    )
    refused(() => send(newState(), 'host', samples), 'TOO_MANY_SERIES', /"system\/2_200" rejected/, {})
  })

  it('finds out what two calls would add to one list, whichever is taken', () => {
    const before = ranks(1, metricsOf(3))
    expect(of(before, 'rank-1', { x: 1, m1: 1 }).memberMetrics).toEqual(['m1', 'm2', 'm3', 'x'])
    expect(of(before, 'rank-1', { y: 1, x: 1, m3: 1 }).memberMetrics).toEqual(['m1', 'm2', 'm3', 'y', 'x'])
    expect(of(before, 'rank-1', { m2: 1 }).memberMetrics).toBe(before.memberMetrics)
    expect(of(newState(), 'rank-1', { m2: 1 }).memberMetrics).toEqual(['m2'])
    expect(of(newState(), 'rank-1', { m1: 1 }).memberMetrics).toEqual(['m1'])
  })

  it('counts a metric of each phase, and knows what it counts from the events alone', () => {
    const { events, state } = send(newState(), 'rank-1', [
      { epochEnd: { epoch: 1, phase: 'TRAIN', metrics: { loss: 1 } } },
      { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 1 } } },
      { error: { error: 'x' } },
    ])
    expect(state.memberMetrics).toEqual(['loss', 'VAL loss'])
    expect(reduceAll(newState(), events)).toMatchObject({
      members: ['rank-1'],
      memberMetrics: state.memberMetrics,
    })
  })
})
