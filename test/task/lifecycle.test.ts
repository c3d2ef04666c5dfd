import { describe, expect, it } from 'vitest'
import * as lifecycle from '../../src/task/lifecycle.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { TaskState } from '../../src/task/task.ts'
import { NOW, newState, progress, succeeded } from '../support/tasks.ts'

const END = { message: 'the trainer exited with code 3', type: 'ExitCode' }

const running = () => reduceAll(newState(), [...lifecycle.started(newState(), 1, NOW + 1), progress(30)])
const relaunched = (state: TaskState, attempt = 2) =>
  reduceAll(state, lifecycle.relaunched(state, attempt, NOW + 100))

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
