import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planReports, type ReportPlan } from '../../src/task/plan-reports.ts'
import { digestOf } from '../../src/task/producers.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { Report } from '../../src/task/report.ts'
import type { TaskState } from '../../src/task/task.ts'
import { NOW, newState, range } from '../support/tasks.ts'

const losses = (from: number, to: number, loss = 0.5): Report[] =>
  range(from, to).map((current) => ({ progress: { current, total: 100, loss, metrics: { lr: 0.1 } } }))

const call = (
  state: TaskState,
  firstSequence: number,
  reports: readonly Report[],
  { member = null as string | null, now = NOW } = {},
): ReportPlan => planReports(state, { reports, member, producer: 'p', firstSequence, attempt: null }, now)

const refused = (plan: () => unknown, details: object = {}) =>
  expect(plan).toThrow(expect.objectContaining({ code: 'SEQUENCE_CONFLICT', ...details }))

/** After the calls 1–3 and 4–5. */
const known = () =>
  [losses(1, 3), losses(4, 5)].reduce(
    (state, reports) => call(state, (reports[0]?.progress?.current ?? 0) as number, reports).state,
    newState(),
  )

describe('a process that takes the name of another', () => {
  it.each<[string, Report[]]>([
    ['one report', losses(1, 1, 0.9)],
    ['a call as long as the first', losses(1, 3, 0.9)],
    ['the first reports alike, another at the end', [...losses(1, 2), ...losses(3, 3, 0.9)]],
    ['the first reports alike, another in between', [...losses(1, 1), ...losses(2, 2, 0.9), ...losses(3, 3)]],
    ['more than was ever reported', losses(1, 20, 0.9)],
    ['another kind of report', [{ status: { status: 'RUNNING' } }]],
  ])('and counts from 1 again is refused: %s', (_, reports) => {
    refused(() => call(known(), 1, reports), {
      message: expect.stringMatching(/^producer "p" has already made other reports from 1 on.*random part/),
      details: { expected: 6 },
    })
  })

  it('is refused, too, where it began so long ago that its content is not known any more', () => {
    let state = newState()
    for (const i of range(1, 5)) state = call(state, i, losses(i, i)).state
    for (const i of range(2, 5)) expect(call(state, i, losses(i, i)).duplicates).toBe(1)
    refused(() => call(state, 1, losses(1, 1)))
  })

  it('is told of the end where the task has ended', () => {
    const { state } = call(known(), 6, [{ success: { result: 1 } }])
    expect(() => call(state, 1, losses(1, 1, 0.9))).toThrow(expect.objectContaining({ code: 'TASK_ENDED' }))
    expect(call(state, 6, [{ success: { result: 1 } }])).toMatchObject({ accepted: 0, duplicates: 1 })
    expect(() => call(state, 6, [{ success: { result: 2 } }])).toThrow(
      expect.objectContaining({ code: 'TASK_ENDED' }),
    )
  })

  it('is free to count from 1 in a new attempt', () => {
    const batch = { reports: losses(1, 1, 0.9), member: null, producer: 'p', firstSequence: 1 }
    expect(planReports(known(), { ...batch, attempt: 2 }, NOW).accepted).toBe(1)
  })
})

describe('a call that its producer repeats', () => {
  it.each<[string, number, Report[], number]>([
    ['the last one', 4, losses(4, 5), 2],
    ['the one before', 1, losses(1, 3), 3],
    ['both as one', 1, losses(1, 5), 5],
    ['from within a call on', 2, losses(2, 5), 4],
    ['the last report with more behind it', 5, losses(5, 9), 1],
    ['the last one with more behind it', 4, losses(4, 9), 2],
    ['all with more behind it', 1, losses(1, 9), 5],
  ])('counts once: %s', (_, firstSequence, reports, duplicates) => {
    const plan = call(known(), firstSequence, reports)
    expect(plan).toMatchObject({ duplicates, accepted: reports.length - duplicates })
    // What it added can be repeated in turn.
    if (plan.accepted > 0) expect(call(plan.state, 6, losses(6, 9)).duplicates).toBe(4)
  })

  it('is recognised by its last report, too, where that is all that is repeated', () => {
    const { state } = call(newState(), 1, losses(1, 3))
    expect(call(state, 3, losses(3, 5))).toMatchObject({ duplicates: 1, accepted: 2 })
    refused(() => call(state, 3, [...losses(3, 3, 0.9), ...losses(4, 5)]))
    refused(() => call(state, 2, losses(2, 2)))
  })

  it('is none where one of its calls is another', () => {
    refused(() => call(known(), 1, [...losses(1, 3), ...losses(4, 5, 0.9)]))
    refused(() => call(known(), 4, losses(4, 5), { member: 'rank-1' }))
  })

  it('is one whenever it comes, whatever the order of its fields, with null or without', () => {
    const { state } = call(newState(), 1, [
      { progress: { current: 1, loss: 'NaN', metrics: { a: 1, b: 0.5 }, message: null } },
    ])
    const again: Report = { progress: { metrics: { b: 0.5, a: 1 }, loss: 'NaN', current: 1 } }
    expect(call(state, 1, [again], { now: NOW + 60_000 }).duplicates).toBe(1)
  })

  it('of a state that was stored before there were digests is believed', () => {
    const state: TaskState = { ...known(), producers: { p: 5 } }
    expect(call(state, 1, losses(1, 1, 0.9)).duplicates).toBe(1)
    const { state: after } = call(state, 5, losses(5, 7))
    expect(after.producers).toEqual({ p: expect.stringMatching(/^7\.\w+\.6\.\w+\.5$/) })
    refused(() => call(after, 6, losses(6, 7, 0.9)))
  })
})

it('what is known of producers is the fold of the events', () => {
  const { events, state } = call(newState(), 1, losses(1, 3))
  expect(events.filter(({ producer }) => producer !== undefined)).toHaveLength(2)
  expect(reduceAll(newState(), events).producers).toEqual(state.producers)
})

it('two reports have the same digest where their JSON is the same, and hardly ever else', () => {
  const report = fc.record({
    current: fc.maxSafeNat(),
    loss: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom('NaN', 'Infinity')),
    metrics: fc.dictionary(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    message: fc.string(),
  })
  const digest = (progress: object) => digestOf([{ progress } as Report], 0, 1, null)
  fc.assert(
    fc.property(report, report, (a, b) => {
      const copy = JSON.parse(JSON.stringify(a))
      const isSame = JSON.stringify(copy) === JSON.stringify(JSON.parse(JSON.stringify(b)))
      expect(digest(copy)).toBe(digest(JSON.parse(JSON.stringify(a))))
      if (!isSame) expect(digest(a)).not.toBe(digest(b))
    }),
    { numRuns: 2000 },
  )
})
