import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { relaunched, silence } from '../../src/task/lifecycle.ts'
import { planReports } from '../../src/task/plan-reports.ts'
import { etaSeconds } from '../../src/task/progress.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { Report } from '../../src/task/report.ts'
import { initialState, type TaskState } from '../../src/task/task.ts'
import { taskEvent } from '../support/task-events.ts'
import { NOW, newState, range, specOf } from '../support/tasks.ts'

const P = (current: number, total?: number | null): Report => ({ progress: { current, total } })
const B = (epoch: number): Report => ({ epochStart: { epoch, totalEpochs: 10 } })
const E = (epoch: number): Report => ({ epochEnd: { epoch, phase: 'TRAIN', metrics: {} } })
const R = (round: number): Report => ({ roundEnd: { round, totalRounds: 5 } })

/** A report, or several of one call, with the seconds since NOW at which they come. */
type Sent = readonly [seconds: number, ...reports: Report[]]

const send = (state: TaskState, [seconds, ...reports]: Sent, member: string | null = null): TaskState => {
  const batch = { reports, member, producer: null, firstSequence: null, attempt: null }
  return planReports(state, batch, NOW + seconds * 1000).state
}
const stateAfter = (state: TaskState, ...all: Sent[]): TaskState =>
  all.reduce((before, sent) => send(before, sent), state)

/** What is told after each of them. */
function told(state: TaskState, ...all: Sent[]): (number | null)[] {
  let last = state
  return all.map((sent) => {
    last = send(last, sent)
    const eta = etaSeconds(last)
    return eta === null ? null : Number(eta.toFixed(3))
  })
}

/** Steps of the same duration. */
const steps = (from: number, to: number, at: number, each: number, total?: number): Sent[] =>
  range(from, to).map((current, i) => [at + i * each, P(current, total)])

describe('the time left', () => {
  it('is unknown until there is progress after the first report', () => {
    expect(told(newState(), [0, P(1, 1000)], [1, P(1)], [2, P(2)])).toEqual([null, null, 1996])
  })

  it('of a training that resumes is told from what was seen of it', () => {
    expect(told(newState(), ...steps(90, 92, 0, 3, 100))).toEqual([null, 27, 24])
  })

  it('of a later attempt is told from that attempt', () => {
    const first = stateAfter(newState(), ...steps(1, 60, 0, 10, 100))
    const second = reduceAll(first, relaunched(first, 2, NOW + 700_000))
    expect(etaSeconds(second)).toBeNull()
    expect(told(second, ...steps(60, 62, 720, 1.5, 100))).toEqual([null, 58.5, 57])
  })

  it.each<[string, Sent[], (number | null)[]]>([
    [
      'epochs',
      [
        [0, B(1)],
        [60, E(1)],
        [61, B(2)],
        [120, E(2)],
      ],
      [null, 540, 539, 480],
    ],
    [
      'rounds',
      [
        [5, R(1)],
        [15, R(2)],
        [25, R(5)],
      ],
      [null, 30, 0],
    ],
  ])('is told from %s, too', (_, all, expected) => {
    expect(told(newState(), ...all)).toEqual(expected)
  })

  it('does not count what came with the first report', () => {
    expect(told(newState(), [0, P(1, 100), P(2), P(3)], [2, P(4), P(5)])).toEqual([null, 95])
  })

  it('counts reports that come together as it does those that come one by one', () => {
    const each = (minute: number): Sent => [
      60 * minute,
      ...range(1, 100).map((i) => P(100 * minute + i, 10_000)),
    ]
    const minutes = range(0, 9).map(each)
    expect(told(newState(), ...minutes).slice(1)).toEqual(range(2, 10).map((done) => (100 - done) * 60))
  })

  it('is as before when the total changes, of what is left then', () => {
    expect(told(newState(), ...steps(1, 3, 0, 2, 10), [4, P(3, 100)])).toEqual([null, 16, 14, 194])
  })

  it.each<[string, Sent, (number | null)[]]>([
    ['the trainer goes back', [60, P(10)], [null, 79]],
    ['the total is unknown again', [60, P(51, null)], [null, null]],
    ['epochs drive the progress', [60, P(51, null), B(4)], [null, null]],
  ])('begins again where %s', (_, change, expected) => {
    const state = stateAfter(newState(), ...steps(1, 50, 0, 1, 90))
    expect(told(state, change, [61, P(11)])).toEqual(expected)
  })

  it.each([
    ['a slow start', [[0, P(1, 10_000)], ...steps(2, 1200, 600, 1)]],
    ['a pause', [...steps(1, 600, 0, 1, 10_000), ...steps(601, 1800, 1800, 1)]],
  ] as [string, Sent[]][])('is right again some minutes after %s', (_, all) => {
    const last = stateAfter(newState(), ...all)
    const left = 10_000 - (last.current as number)
    const eta = etaSeconds(last) as number
    expect(eta).toBeGreaterThan(left * 0.95)
    expect(eta).toBeLessThan(left * 1.1)
  })

  it('follows a training that becomes faster', () => {
    const all = [...steps(1, 60, 0, 10, 2000), ...steps(61, 1260, 591, 0.5)]
    const eta = etaSeconds(stateAfter(newState(), ...all)) as number
    expect(eta).toBeGreaterThan(370)
    expect(eta).toBeLessThan(480)
  })

  it('goes by, and is no longer told while the trainer is silent or once the task has ended', () => {
    const state = stateAfter(newState(), ...steps(1, 11, 0, 1, 21))
    expect(etaSeconds(send(state, [13, { error: { error: 'one batch was skipped' } }]))).toBeCloseTo(7)
    expect(etaSeconds(send(state, [14, P(1, 2)], 'rank-1'))).toBeCloseTo(6)
    expect(etaSeconds(send(state, [99, P(11)]))).toBe(0)
    const windows = { stallMs: 5000, abandonMs: 60_000 }
    const stalled = reduceAll(state, silence(state, windows, true, NOW + 20_000))
    expect(etaSeconds(stalled)).toBeNull()
    expect(etaSeconds(send(stalled, [30, P(12)]))).toBeGreaterThan(9)
    expect(etaSeconds(send(state, [14, { success: {} }]))).toBeNull()
  })

  it("does not depend on the trainer's clock", () => {
    const at = (hours: number): Report => {
      const timestamp = new Date(NOW + hours * 3_600_000).toISOString()
      return { progress: { current: 2, total: 10, timestamp } }
    }
    for (const hours of [-1, 0, 1])
      expect(told(newState(), [0, P(1, 10)], [3, at(hours)])).toEqual([null, 24])
  })

  it('bears clocks of servers that differ a little, and begins again where one is set back', () => {
    const two: Sent[] = range(1, 100).map((i) => [i - (i % 2 ? 0.4 : 0), P(i, 1000)])
    const eta = etaSeconds(stateAfter(newState(), ...two)) as number
    expect(eta / 900).toBeCloseTo(1, 1)
    const state = stateAfter(newState(), ...steps(1, 10, 3600, 1, 100))
    expect(told(state, ...steps(11, 12, 0, 2))).toEqual([null, 176])
  })

  it('is told by a server that goes on with a state of an older version', () => {
    const { pace: _, ...stored } = stateAfter(newState(), ...steps(1, 10, 0, 1, 100))
    expect(etaSeconds(stored)).toBeNull()
    expect(told(stored, ...steps(11, 12, 10, 2))).toEqual([null, 176])
  })

  it('is never negative, nor endless, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(taskEvent, { maxLength: 30 }), (events) => {
        let state: TaskState = { ...initialState(specOf()), status: 'RUNNING' }
        for (const event of events) {
          state = reduceAll(state, [event])
          const eta = etaSeconds(state)
          expect(eta === null || (eta >= 0 && Number.isFinite(eta))).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})
