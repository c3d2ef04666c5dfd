import { describe, expect, it } from 'vitest'
import * as lifecycle from '../../src/task/lifecycle.ts'
import { planReports, type ReportBatch } from '../../src/task/plan-reports.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { Report } from '../../src/task/report.ts'
import { hasEnded, type TaskState } from '../../src/task/task.ts'
import { NOW, newState } from '../support/tasks.ts'

const DAY = 86_400_000
const LATER = NOW + 3 * DAY
const WINDOWS = { stallMs: 1000, abandonMs: DAY }

const report = (state: TaskState, reports: Report[], now = LATER, more: Partial<ReportBatch> = {}) =>
  planReports(
    state,
    { reports, member: null, producer: null, firstSequence: null, attempt: null, ...more },
    now,
  )

const numbered = { producer: 'p', firstSequence: 1 }
const running = () =>
  report(newState(), [{ progress: { current: 30, total: 100, message: 'slow' } }], NOW, numbered).state

/** After a day and more without a word. */
function abandoned(state = running()): TaskState {
  const after = reduceAll(state, lifecycle.silence(state, WINDOWS, false, NOW + 2 * DAY))
  expect(after).toMatchObject({ status: 'FAILURE', error: { type: 'Abandoned' }, finishedAt: NOW + 2 * DAY })
  return after
}

describe('a task that was only given up', () => {
  it('comes back by a report of its trainer: no error, no end, everything else as it was', () => {
    const before = abandoned()
    const { events, state, accepted } = report(before, [{ progress: { current: 31, total: 100 } }])
    expect(accepted).toBe(1)
    expect(events).toMatchObject([
      { type: 'StatusChanged', status: 'RUNNING', attempt: 1, message: expect.stringMatching(/goes on$/) },
      { type: 'ProgressUpdate', current: 31 },
    ])
    const { message, startedAt } = running()
    expect(state).toMatchObject({
      status: 'RUNNING',
      error: null,
      finishedAt: null,
      current: 31,
      message,
      startedAt,
    })
    expect(hasEnded(state)).toBe(false)
    expect(reduceAll(before, events)).toEqual(state)
    // Liveness goes on from here.
    expect(lifecycle.silence(state, WINDOWS, false, LATER + 500)).toEqual([])
    expect(lifecycle.silence(state, WINDOWS, false, LATER + DAY)).toMatchObject([{ errorType: 'Abandoned' }])
  })

  it('knows its producers still: what was repeated is a repeat, what was not heard is taken', () => {
    const lost: Report[] = [{ progress: { current: 30, total: 100, message: 'slow' } }]
    expect(report(abandoned(), lost, LATER, numbered)).toMatchObject({ events: [], duplicates: 1 })
    const both = [...lost, { progress: { current: 31 } }]
    const plan = report(abandoned(), both, LATER, numbered)
    expect(plan).toMatchObject({ duplicates: 1, accepted: 1, state: { status: 'RUNNING', current: 31 } })
  })

  it.each<[string, Report[], Partial<ReportBatch>, object]>([
    ['its end', [{ success: { result: 1 } }], {}, { status: 'SUCCESS', result: 1, error: null }],
    [
      'a failure of its own',
      [{ failure: { error: 'x' } }],
      {},
      { status: 'FAILURE', error: { message: 'x' } },
    ],
    [
      'a bare status',
      [{ status: { status: 'RUNNING', message: 'back' } }],
      {},
      { status: 'RUNNING', message: 'back' },
    ],
    ['a member', [{ progress: { current: 1 } }], { member: 'rank-1' }, { status: 'RUNNING', current: 30 }],
    ['a newer attempt', [{ progress: { current: 1 } }], { attempt: 2 }, { status: 'RUNNING', attempt: 2 }],
  ])('takes any report of it: %s', (_, reports, more, expected) => {
    const { events, state } = report(abandoned(), reports, LATER, more)
    expect(events[0]).toMatchObject({ type: 'StatusChanged', status: 'RUNNING' })
    expect(state).toMatchObject(expected)
  })

  it('comes back before it has ever run, too', () => {
    const { state } = report(abandoned(newState()), [{ progress: { current: 1 } }])
    expect(state).toMatchObject({ status: 'RUNNING', startedAt: LATER })
  })

  it('stays as it is where somebody only asks, where it is launched, and where its process ends', () => {
    const state = abandoned()
    expect(report(state, [])).toMatchObject({ events: [], state })
    expect(lifecycle.started(state, 2, LATER)).toEqual([])
    expect(lifecycle.processEnded(state, { message: 'gone', type: 'ExitCode' }, LATER)).toEqual([])
    expect(() => lifecycle.cancel(state, null, LATER)).toThrow(/nothing to cancel/)
    expect(() => report(state, [{ progress: { current: 1 } }], LATER, { attempt: 0 })).toThrow(/attempt/)
  })

  it('has ended for good by the word that follows its return', () => {
    const { state } = report(abandoned(), [{ progress: { current: 31 } }, { failure: { error: 'x' } }])
    expect(() => report(state, [{ progress: { current: 32 } }])).toThrow(
      expect.objectContaining({ code: 'TASK_ENDED' }),
    )
    expect(() => report(abandoned(), [{ success: {} }, { progress: { current: 1 } }])).toThrow(
      expect.objectContaining({ code: 'TASK_ENDED' }),
    )
  })
})

it.each<[string, (state: TaskState) => TaskState]>([
  [
    'its trainer, with the same words',
    (state) => report(state, [{ failure: { error: 'x', errorType: 'Abandoned' } }]).state,
  ],
  ['its trainer', (state) => report(state, [{ success: {} }]).state],
  [
    'its launcher',
    (state) => reduceAll(state, lifecycle.processEnded(state, { message: 'x', type: 'ServerLost' }, LATER)),
  ],
  [
    'whoever cancelled it',
    (state) => {
      const asked = reduceAll(state, lifecycle.cancel(state, null, NOW))
      return reduceAll(asked, lifecycle.silence(asked, WINDOWS, false, LATER))
    },
  ],
])('a task that was ended by %s stays finished', (_, end) => {
  const state = end(running())
  expect(hasEnded(state)).toBe(true)
  for (const member of [null, 'rank-7']) {
    expect(() => report(state, [{ progress: { current: 1 } }], LATER, { member })).toThrow(
      expect.objectContaining({ code: 'TASK_ENDED' }),
    )
  }
})
