import fc from 'fast-check'
import { execute } from 'graphql'
import { describe, expect, it } from 'vitest'
import {
  foldEvent,
  initialView,
  type TaskView,
  TrainingProgressDocument,
  type TrainingProgressEvent,
  type TrainingProgressSubscription,
} from '../../clients/typescript/index.ts'
import { schema } from '../../src/schema/index.ts'
import { happenedAt, isFinalEvent, type StatusChanged, type TaskEvent } from '../../src/task/event.ts'
import { encodeCursor } from '../../src/task/position.ts'
import { reduce } from '../../src/task/reducer.ts'
import { delivered, type TrainingEvent } from '../../src/task/stream-event.ts'
import type { TaskState } from '../../src/task/task.ts'
import { taskEvent } from '../support/task-events.ts'
import { NOW, newState } from '../support/tasks.ts'

const generation = 'g1'
const start = newState({ id: 'task', params: { epochs: 20 } })
const { spec } = start

/** An event as a client gets it: executed by the schema, with the operation that `follow` sends. */
function received(event: TrainingEvent): TrainingProgressEvent {
  const document = TrainingProgressDocument
  const request = {
    schema,
    document,
    rootValue: event,
    variableValues: { taskId: spec.id },
    contextValue: {},
  }
  const { data, errors } = execute(request) as { data?: TrainingProgressSubscription; errors?: unknown }
  if (!data) throw new Error(JSON.stringify(errors))
  return JSON.parse(JSON.stringify(data.trainingProgress))
}

/** @param from where the stream stands: behind the task where events are replayed */
const opened = (state: TaskState, offset: number, from = offset): TrainingProgressEvent =>
  received({
    type: 'StreamOpened',
    taskId: spec.id,
    timestamp: new Date(NOW).toISOString(),
    cursor: encodeCursor(spec, { generation, offset: from }),
    channel: 'gan:training:task',
    message: 'watching',
    task: { state, top: { generation, offset } },
  })

interface Log {
  /** The state before each event, and after the last. */
  readonly states: readonly TaskState[]
  readonly events: readonly TrainingProgressEvent[]
}

/**
 * A log of these events, as far as a server appends them: launches count up, who is asked to stop stays asked, and
 * nothing follows the end.
 */
function logOf(candidates: readonly TaskEvent[]): Log {
  const states = [start]
  const events: TrainingProgressEvent[] = []
  let state = start
  for (const [i, candidate] of candidates.entries()) {
    const isLast = i === candidates.length - 1
    // Nothing but the return of a task that was given up follows an end.
    if (isFinalEvent(candidate) && candidate.type !== 'TrainingFailed' && !isLast) continue
    const event = candidate.type === 'StatusChanged' ? after(state, candidate) : candidate
    const isGivenUp = event.type === 'TrainingFailed' && !isLast
    for (const change of isGivenUp ? [{ ...event, givenUp: true } as const, runningAgain(state)] : [event]) {
      state = reduce(state, change)
      const told = toldProgress(change, state)
      states.push(state)
      const [sent] = delivered(spec, generation, [{ offset: states.length - 1, event: { ...told } }])
      events.push(received(sent as TrainingEvent))
    }
  }
  return { states, events }
}

const runningAgain = ({ attempt }: TaskState): StatusChanged => ({
  type: 'StatusChanged',
  status: 'RUNNING',
  message: 'the trainer reports again',
  attempt,
  stopRequested: false,
  ...happenedAt(NOW + 2000),
})

const after = ({ attempt, stopRequested }: TaskState, change: StatusChanged): StatusChanged => ({
  ...change,
  attempt: Math.max(attempt, change.attempt),
  stopRequested: stopRequested || change.stopRequested,
  // No client learns of it from the event.
  stopReason: null,
})

/** As `planReports` completes it. */
function toldProgress(event: TaskEvent, { progress }: TaskState): TaskEvent {
  const isOfTask = 'progress' in event && (!('member' in event) || event.member === null)
  return isOfTask ? { ...event, progress } : event
}

/** What a view is held against: the state as it is fetched, and what the server knows beyond it. */
function viewOf(state: TaskState, offset: number): TaskView {
  const event = opened(state, offset)
  if (event.__typename !== 'StreamOpened') throw new Error(event.__typename)
  return { ...initialView(event.task), countsProgress: state.countsProgress === true }
}

const viewAt = ({ states }: Log, offset: number): TaskView => viewOf(states[offset] as TaskState, offset)

const sequence = fc.array(taskEvent, { maxLength: 12 })

describe('the view of a task', () => {
  it('is the state of the server after each event', () => {
    fc.assert(
      fc.property(sequence, (candidates) => {
        const log = logOf(candidates)
        let view = foldEvent(initialView(viewAt(log, 0)), opened(start, 0))
        expect(view).toEqual(viewAt(log, 0))
        log.events.forEach((event, i) => {
          view = foldEvent(view, event)
          expect(view).toEqual(viewAt(log, i + 1))
        })
      }),
    )
  })

  it('comes to the state of the server from wherever its stream opens, whatever is replayed', () => {
    fc.assert(
      fc.property(sequence, fc.nat(), fc.nat(), (candidates, opens, replays) => {
        const log = logOf(candidates)
        const top = opens % log.states.length
        const from = top - (replays % (top + 1))
        const first = foldEvent(viewAt(log, 0), opened(log.states[top] as TaskState, top, from))
        const last = log.events.slice(from).reduce(foldEvent, first)
        const expected = viewAt(log, log.states.length - 1)
        // Where the task's own fields do not tell how its trainer counts, neither can the view.
        const known = first.countsProgress === (log.states[top] as TaskState).countsProgress
        const { current, total, countsProgress } = expected
        expect(known ? last : { ...last, current, total, countsProgress }).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  it('is left as it is by events of a kind that this client does not know', () => {
    const view = viewOf(start, 0)
    const event = { __typename: 'CheckpointSaved', taskId: spec.id, cursor: 'c', timestamp: '' }
    expect(foldEvent(view, event as unknown as TrainingProgressEvent)).toBe(view)
  })

  it('harms neither the view nor the event', () => {
    fc.assert(
      fc.property(sequence, (candidates) => {
        const { events } = logOf(candidates)
        const view = viewOf(start, 0)
        const given = JSON.stringify([view, events])
        events.reduce(foldEvent, view)
        expect(JSON.stringify([view, events])).toBe(given)
      }),
      { numRuns: 20 },
    )
  })
})
