import { describe, expect, it } from 'vitest'
import { relaunched, silence } from '../../src/task/lifecycle.ts'
import { planReports } from '../../src/task/plan-reports.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { Report } from '../../src/task/report.ts'
import type { TaskState } from '../../src/task/task.ts'
import { NOW, newState } from '../support/tasks.ts'

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
  expect(reduceAll(state, relaunched(state, 2, NOW))).toMatchObject({ epoch: 4.5, startedEpoch: null })
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
    expect(state).toEqual({ ...before, updatedAt: NOW + 500, heardAt: NOW + 500 })
    expect(reduceAll(before, events)).toEqual(state)
    // Its way to go is its own.
    expect(send(before, 'rank-3', [{ progress: { current: 50 } }]).events).toMatchObject([{ progress: null }])
  })

  it('is numbered by its producer as any report', () => {
    const batch = { reports, member: 'rank-3', producer: 'p3', firstSequence: 1, attempt: null }
    const { state } = planReports(newState(), batch, NOW)
    expect(state.producers).toEqual({ p3: [4, expect.any(Number), 3, expect.any(Number), 0] })
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
