import { describe, expect, it } from 'vitest'
import { happenedAt, type TaskEvent } from '../../src/task/event.ts'
import * as lifecycle from '../../src/task/lifecycle.ts'
import { LIMITS } from '../../src/task/limits.ts'
import { planReports } from '../../src/task/plan-reports.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { Report } from '../../src/task/report.ts'
import { delivered } from '../../src/task/stream-event.ts'
import type { TaskState } from '../../src/task/task.ts'
import { charactersIn } from '../../src/task/text.ts'
import { NOW, newState, progress, succeeded } from '../support/tasks.ts'

const END = { message: 'the trainer exited with code 3', type: 'ExitCode' }

const running = () => reduceAll(newState(), [...lifecycle.started(newState(), 1, NOW + 1), progress(30)])
const relaunched = (state: TaskState, attempt = 2) =>
  reduceAll(state, lifecycle.relaunched(state, attempt, NOW + 100))

describe('a change of status', () => {
  it('tells the attempt and whether it is to stop, as they are after it', () => {
    const told = (...events: TaskEvent[]) =>
      events.map((event) =>
        event.type === 'StatusChanged' ? [event.status, event.attempt, event.stopRequested] : [event.type],
      )
    const state = running()
    const asked = reduceAll(state, lifecycle.cancel(state, null, NOW + 50))
    const silent = { stallMs: 1000, abandonMs: 1e9 }
    expect(told(...lifecycle.queued(NOW), ...lifecycle.started(newState(), 1, NOW))).toEqual([
      ['QUEUED', 1, false],
      ['RUNNING', 1, false],
    ])
    expect(told(...lifecycle.cancel(state, null, NOW))).toEqual([['RUNNING', 1, true]])
    expect(told(...lifecycle.relaunched(state, 3, NOW))).toEqual([['QUEUED', 3, false]])
    expect(told(...lifecycle.silence(asked, silent, true, NOW + 9000))).toEqual([['STALLED', 1, true]])
    expect(told(...lifecycle.recreated(relaunched(state), NOW))).toEqual([['QUEUED', 2, false]])
  })

  it('is the wish to stop once: the silence after it is counted from what was heard before', () => {
    const state = running()
    const asked = reduceAll(state, lifecycle.cancel(state, 'wrong data', NOW + 50))
    expect(asked).toMatchObject({ stopRequested: true, stopReason: 'wrong data', heardAt: state.heardAt })
    const again = reduceAll(asked, lifecycle.recreated(asked, NOW + 60))
    expect(again).toMatchObject({ stopRequested: true, stopReason: 'wrong data', heardAt: NOW + 60 })
  })

  it('that version 0.1 stored, without either, is folded and delivered all the same', () => {
    const at = { timestamp: new Date(NOW).toISOString(), recordedAt: NOW }
    const stored = [
      { type: 'StatusChanged', status: 'RUNNING', message: null, ...at },
      { type: 'StatusChanged', status: 'QUEUED', message: 'attempt 2', attempt: 2, ...at },
      {
        type: 'StatusChanged',
        status: 'RUNNING',
        message: null,
        stopRequested: true,
        stopReason: 'x',
        ...at,
      },
    ] as unknown as TaskEvent[]
    expect(reduceAll(newState(), stored)).toMatchObject({ attempt: 2, stopRequested: true, stopReason: 'x' })
    const entries = stored.map((event, i) => ({ offset: i + 1, event: { ...event } }))
    expect(delivered({ channelPrefix: 'ml', id: 'a' }, 'g', entries)).toMatchObject([
      { attempt: 1, stopRequested: false },
      { attempt: 2, stopRequested: false },
      { attempt: 1, stopRequested: true },
    ])
  })
})

describe('a task that was asked to stop', () => {
  const ended = (reason: string | null, end: Report) => {
    const asked = reduceAll(running(), lifecycle.cancel(running(), reason, NOW + 50))
    const batch = { reports: [end], member: null, producer: null, firstSequence: null, attempt: null }
    return planReports(asked, batch, NOW + 60)
  }

  it.each<[string | null, Report, string | null]>([
    [null, { failure: { error: 'stopped', errorType: 'KeyboardInterrupt' } }, 'KeyboardInterrupt: stopped'],
    ['wrong data', { failure: { error: 'stopped' } }, 'wrong data; stopped'],
    ['wrong data', { status: { status: 'FAILURE' } }, 'wrong data; the trainer reported FAILURE'],
    [null, { status: { status: 'FAILURE', message: 'SIGTERM' } }, 'SIGTERM'],
    ['wrong data', { status: { status: 'CANCELLED' } }, 'wrong data'],
  ])('for %j and then reports %j is cancelled', (reason, end, expected) => {
    const { events, state } = ended(reason, end)
    expect(events).toMatchObject([{ type: 'TrainingCancelled', reason: expected }])
    expect(state).toMatchObject({
      status: 'CANCELLED',
      stopReason: expected,
      error: null,
      stopRequested: false,
    })
  })

  it('has succeeded all the same where it says so', () => {
    expect(ended(null, { success: { result: 1 } }).state).toMatchObject({ status: 'SUCCESS', result: 1 })
    expect(ended(null, { status: { status: 'SUCCESS' } }).state.status).toBe('SUCCESS')
  })

  it('keeps the end of a long traceback', () => {
    const { state } = ended('wrong data', { failure: { error: `${'🔥'.repeat(5000)}the cause` } })
    expect(state.stopReason).toMatch(/^wrong data; …🔥+the cause$/u)
    // Counted in characters, of which a flame is one.
    expect(charactersIn(state.stopReason ?? '')).toBe('wrong data; …'.length + LIMITS.reasonLength)
  })

  it('keeps all of an error of as many characters as a reason may have', () => {
    const error = '🔥'.repeat(LIMITS.reasonLength)
    expect(ended(null, { failure: { error } }).state.stopReason).toBe(error)
  })
})

it('a task that nobody asked to stop fails, whatever its error is called', () => {
  const batch = { member: null, producer: null, firstSequence: null, attempt: null }
  const reports: Report[] = [{ failure: { error: '', errorType: 'KeyboardInterrupt' } }]
  expect(planReports(running(), { reports, ...batch }, NOW).state).toMatchObject({ status: 'FAILURE' })
})

it('a task that has ended is no longer asked to stop', () => {
  const state = running()
  const asked = reduceAll(state, lifecycle.cancel(state, 'wrong data', NOW + 50))
  for (const end of [succeeded(), ...lifecycle.processEnded(asked, END, NOW + 60)]) {
    expect(reduceAll(asked, [end])).toMatchObject({ stopRequested: false, stopReason: 'wrong data' })
  }
  expect(() => lifecycle.cancel(reduceAll(asked, [succeeded()]), null, NOW + 70)).toThrow(/nothing to cancel/)
})

describe("the server's own words", () => {
  const report = (state: TaskState, reports: Report[], now: number) =>
    planReports(state, { reports, member: null, producer: null, firstSequence: null, attempt: null }, now)
  const said = (state: TaskState, message: string) =>
    report(state, [{ status: { status: 'RUNNING', message } }], NOW)

  it('are in their events, and the message of the task stays the trainer’s to its end', () => {
    let state = said(newState(), 'reading 3 tables').state
    expect(state.message).toBe('reading 3 tables')
    const words: (string | null)[] = []
    const happen = (events: readonly TaskEvent[]) => {
      for (const event of events) if (event.type === 'StatusChanged') words.push(event.message)
      state = reduceAll(state, events)
      expect(state.message).toBe('reading 3 tables')
    }
    happen(lifecycle.silence(state, { stallMs: 2000, abandonMs: 1e9 }, true, NOW + 2000))
    expect(state.status).toBe('STALLED')
    happen(report(state, [{ progress: { current: 1 } }], NOW + 3000).events)
    happen(lifecycle.cancel(state, 'wrong data', NOW + 4000))
    happen(report(state, [{ success: {} }], NOW + 5000).events)
    expect(state.status).toBe('SUCCESS')
    expect(words).toEqual(['no report for 2 s', 'the trainer reports again', 'stop requested: wrong data'])
  })

  it('do not hide what the trainer says in the same moment', () => {
    const stalled = reduceAll(
      running(),
      lifecycle.silence(running(), { stallMs: 1, abandonMs: 1e9 }, true, NOW + 9000),
    )
    expect(said(stalled, 'back').state).toMatchObject({ status: 'RUNNING', message: 'back' })
    const asked = reduceAll(running(), lifecycle.cancel(running(), null, NOW + 50))
    expect(said(asked, 'stopping').state).toMatchObject({ message: 'stopping', stopRequested: true })
  })
})

it('neither the error nor the message of an attempt stands in the state of the next', () => {
  const failing: TaskEvent = {
    type: 'ErrorReported',
    member: null,
    error: 'CUDA out of memory',
    errorType: null,
    ...happenedAt(NOW + 40),
  }
  const talking = { ...progress(31), message: 'a batch is slow' } as TaskEvent
  const state = reduceAll(running(), [talking, failing])
  expect(state).toMatchObject({ message: 'a batch is slow', error: { message: 'CUDA out of memory' } })
  for (const events of [lifecycle.relaunched(state, 2, NOW + 100), lifecycle.started(state, 2, NOW + 100)]) {
    expect(reduceAll(state, events)).toMatchObject({ attempt: 2, message: null, error: null })
  }
})

describe('a relaunch', () => {
  it('brings a running task back into the queue, at its next attempt', () => {
    const state = relaunched(running())
    expect(state).toMatchObject({ status: 'QUEUED', attempt: 2, startedAt: null, heardAt: NOW + 100 })
    expect(reduceAll(state, lifecycle.started(state, 2, NOW + 200))).toMatchObject({
      status: 'RUNNING',
      attempt: 2,
      startedAt: NOW + 200,
    })
  })

  it('that is told again, or late, changes nothing', () => {
    const state = relaunched(running())
    expect(lifecycle.relaunched(state, 2, NOW + 101)).toEqual([])
    expect(lifecycle.relaunched(relaunched(state, 3), 2, NOW + 101)).toEqual([])
  })

  it('is learned from the start of its trainer where nobody told of it', () => {
    const state = running()
    const after = reduceAll(state, lifecycle.started(state, 2, NOW + 100))
    expect(after).toMatchObject({ status: 'RUNNING', attempt: 2, startedAt: NOW + 100 })
    expect(lifecycle.relaunched(after, 2, NOW + 101)).toEqual([])
  })

  it('of a task that was asked to stop is its end', () => {
    const state = running()
    const asked = reduceAll(state, lifecycle.cancel(state, 'wrong data', NOW + 50))
    expect(relaunched(asked)).toMatchObject({ status: 'CANCELLED', stopReason: 'wrong data', attempt: 1 })
  })

  it('cannot bring back a task that has ended', () => {
    expect(lifecycle.relaunched(reduceAll(running(), [succeeded()]), 2, NOW)).toEqual([])
  })
})

it('neither the start nor the end of an older attempt decides anything', () => {
  const state = relaunched(running())
  expect(lifecycle.started(state, 1, NOW + 101)).toEqual([])
  expect(lifecycle.jobEnded(state, 1, END, NOW + 101)).toEqual([])
  expect(lifecycle.jobEnded(state, 2, END, NOW + 101)).toMatchObject([{ type: 'TrainingFailed' }])
})

describe('an end as a queue tells it', () => {
  const state = running()

  it('may be a success with a result', () => {
    const end = { ...END, isSuccess: true, result: { loss: 1 } }
    expect(lifecycle.processEnded(state, end, NOW)).toMatchObject([
      { type: 'TrainingSucceeded', result: { loss: 1 } },
    ])
  })

  it('may be that somebody told the queue to drop it', () => {
    expect(lifecycle.processEnded(state, { ...END, isCancelled: true }, NOW)).toMatchObject([
      { type: 'TrainingCancelled', reason: END.message },
    ])
  })

  it('may be presumed, and is then undone by a report', () => {
    const [failed] = lifecycle.processEnded(state, { ...END, isPresumed: true }, NOW)
    expect(failed).toMatchObject({ type: 'TrainingFailed', givenUp: true })
    expect(lifecycle.processEnded(state, END, NOW)[0]).not.toHaveProperty('givenUp')
  })
})
