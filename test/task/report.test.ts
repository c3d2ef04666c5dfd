import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../src/task/errors.ts'
import { LIMITS } from '../../src/task/limits.ts'
import { planReports, type ReportBatch } from '../../src/task/plan-reports.ts'
import { reduceAll } from '../../src/task/reducer.ts'
import type { Report } from '../../src/task/report.ts'
import type { TaskState } from '../../src/task/task.ts'
import { NOW, newState, range } from '../support/tasks.ts'

const batch = (reports: readonly Report[], more: Partial<ReportBatch> = {}): ReportBatch => ({
  reports,
  member: null,
  producer: null,
  firstSequence: null,
  attempt: null,
  ...more,
})
const progressOf = (current: number): Report => ({ progress: { current, total: 100 } })
const stateAfter = (state: TaskState, ...reports: Report[]) => planReports(state, batch(reports), NOW).state
const refusing = (code: ErrorCode, plan: () => unknown) =>
  expect(plan).toThrow(expect.objectContaining({ code }))

describe('a batch of reports', () => {
  it('starts a queued task, once', () => {
    const { events } = planReports(newState(), batch([progressOf(1), progressOf(2)]), NOW)
    expect(events.map(({ type }) => type)).toEqual(['StatusChanged', 'ProgressUpdate', 'ProgressUpdate'])
    expect(
      planReports(stateAfter(newState(), progressOf(1)), batch([progressOf(2)]), NOW).events,
    ).toHaveLength(1)
  })

  it('leads to the state that folding its events leads to', () => {
    const state = newState()
    const { events, state: planned } = planReports(
      state,
      batch([
        { epochStart: { epoch: 1, totalEpochs: 3 } },
        { progress: { current: 1, total: 4, stage: 'train', loss: 0.5, metrics: { lr: 0.1 } } },
        { epochEnd: { epoch: 1, phase: 'TRAIN', metrics: { loss: 0.4 } } },
        { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 0.6, val_auc: 0.7 } } },
        { error: { error: 'a batch was skipped' } },
        { success: { result: { ok: true } } },
      ]),
      NOW,
    )
    expect(reduceAll(state, events)).toEqual(planned)
    expect(planned).toMatchObject({
      status: 'SUCCESS',
      stage: 'train',
      epoch: 1,
      totalEpochs: 3,
      progress: 100,
      loss: 0.4,
      metrics: { lr: 0.1, loss: 0.4, val_loss: 0.6, val_auc: 0.7 },
      result: { ok: true },
      error: null,
    })
  })

  it.each<[string, object, object]>([
    ['loss', { loss: 0.5 }, { loss: 0.5 }],
    ['metrics.loss', { metrics: { lr: 1, loss: 0.5 } }, { lr: 1, loss: 0.5 }],
    ['both', { loss: 0.5, metrics: { loss: 0.5 } }, { loss: 0.5 }],
    ['both that differ', { loss: 0.5, metrics: { loss: 9, lr: 1 } }, { loss: 0.5, lr: 1 }],
    ['loss beside other metrics', { loss: 0.5, metrics: { lr: 1 } }, { lr: 1, loss: 0.5 }],
  ])('has one loss, in the event and in the state, whether it gives %s', (_, given, metrics) => {
    const report = { progress: { current: 1, ...given } }
    const before = JSON.stringify(report)
    const { events, state } = planReports(newState(), batch([report]), NOW)
    expect(events.at(-1)).toMatchObject({ loss: 0.5, metrics })
    expect(state).toMatchObject({ loss: 0.5, metrics })
    expect(JSON.stringify(report)).toBe(before)
  })

  it('without a loss has none in its metrics either', () => {
    const { events } = planReports(newState(), batch([progressOf(1)]), NOW)
    expect(events.at(-1)).toMatchObject({ loss: null, metrics: {} })
    const state = stateAfter(newState(), { epochEnd: { epoch: 1, phase: 'TRAIN', metrics: { loss: 0.5 } } })
    expect(state).toMatchObject({ loss: 0.5, metrics: { loss: 0.5 } })
  })

  it('of rounds counts as progress', () => {
    const state = stateAfter(newState(), {
      roundEnd: { round: 3, totalRounds: 12, fitMetrics: { loss: 0.3 }, evalMetrics: { accuracy: 0.9 } },
    })
    expect(state).toMatchObject({
      round: 3,
      totalRounds: 12,
      progress: 25,
      loss: 0.3,
      metrics: { loss: 0.3, eval_accuracy: 0.9 },
    })
  })

  it.each([
    ['SUCCESS', 'TrainingSucceeded'],
    ['FAILURE', 'TrainingFailed'],
    ['CANCELLED', 'TrainingCancelled'],
  ] as const)('ends the task with the bare status %s', (status, type) => {
    const { events, state } = planReports(newState(), batch([{ status: { status, message: 'why' } }]), NOW)
    expect(events.at(-1)?.type).toBe(type)
    expect(state.status).toBe(status)
  })

  it('of a newer attempt begins that attempt and fences the older one off', () => {
    const first = planReports(
      newState(),
      batch([progressOf(9)], { producer: 'p', firstSequence: 1 }),
      NOW,
    ).state
    const second = planReports(
      first,
      batch([progressOf(1)], { producer: 'p', firstSequence: 1, attempt: 2 }),
      NOW,
    )
    expect(second).toMatchObject({
      accepted: 1,
      state: { attempt: 2, producers: { p: expect.stringMatching(/^1\.\w+\.0$/) } },
    })
    refusing('STALE_ATTEMPT', () => planReports(second.state, batch([progressOf(2)], { attempt: 1 }), NOW))
  })

  it('names of producers are only names', () => {
    for (const producer of ['__proto__', 'constructor', 'toString']) {
      const { state, accepted } = planReports(
        newState(),
        batch([progressOf(1)], { producer, firstSequence: 1 }),
        NOW,
      )
      expect(accepted).toBe(1)
      expect(planReports(state, batch([progressOf(1)], { producer, firstSequence: 1 }), NOW).duplicates).toBe(
        1,
      )
    }
  })

  it('of one producer too many is refused', () => {
    let state = newState()
    const send = (producer: string) =>
      planReports(state, batch([progressOf(1)], { producer, firstSequence: 1 }), NOW)
    for (const i of range(1, LIMITS.producersPerAttempt)) state = send(`p${i}`).state
    refusing('TOO_MANY_PRODUCERS', () => send('one more'))
    expect(send('p1').duplicates).toBe(1)
  })

  it('repeated in any way a trainer can repeat it, is in the log once and in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.boolean()),
        (sizes, repeats) => {
          let state = newState()
          const logged: number[] = []
          let next = 1
          const repeat = repeats[Symbol.iterator]()
          for (const size of sizes) {
            const reports = range(next, next + size - 1).map(progressOf)
            // An answer that got lost makes the trainer send the same batch again.
            do {
              const plan = planReports(state, batch(reports, { producer: 'p', firstSequence: next }), NOW)
              expect(plan.accepted + plan.duplicates).toBe(size)
              for (const event of plan.events) if (event.type === 'ProgressUpdate') logged.push(event.current)
              state = plan.state
            } while (repeat.next().value)
            next += size
          }
          expect(logged).toEqual(range(1, next - 1))
        },
      ),
    )
  })
})
