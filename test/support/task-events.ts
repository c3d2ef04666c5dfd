import fc from 'fast-check'
import type { TaskEvent } from '../../src/task/event.ts'
import { PHASES, TASK_STATUSES } from '../../src/task/task.ts'
import { NOW } from './tasks.ts'

const name = fc.constantFrom('loss', 'val_loss', 'accuracy', 'eval_f1', 'constructor', '__proto__')
const metrics = fc
  .uniqueArray(fc.tuple(name, fc.constantFrom(0.5, 1, 'NaN' as const)), { selector: ([of]) => of })
  .map((entries) => Object.fromEntries(entries.filter(([of]) => of !== '__proto__')))
const count = fc.nat({ max: 20 })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const text = fc.constantFrom('warm-up', 'train', 'a message')
const member = maybe(fc.constantFrom('rank-0', 'rank-1'))
const step = maybe(fc.oneof(count, fc.maxSafeNat()))
const times = fc.nat({ max: 1000 }).map((after) => ({
  timestamp: new Date(NOW + after).toISOString(),
  recordedAt: NOW + after,
}))
const origin = fc.oneof(
  fc.constant({}),
  fc.record({ producer: name, sequence: fc.integer({ min: 1, max: 99 }) }),
)

const body: fc.Arbitrary<object> = fc.oneof(
  fc.record({
    type: fc.constant('ProgressUpdate'),
    current: count,
    total: maybe(count),
    progress: maybe(count),
    status: fc.constant('RUNNING'),
    machineId: fc.constant(null),
    stage: maybe(text),
    epoch: maybe(fc.constantFrom(0, 0.5, 3)),
    step,
    member,
    loss: maybe(fc.constantFrom(0.1, 'Infinity')),
    metrics,
    message: maybe(text),
  }),
  fc.record({
    type: fc.constant('EpochStarted'),
    epoch: count,
    totalEpochs: maybe(count),
    progress: fc.constant(null),
  }),
  fc.record({
    type: fc.constant('EpochEnded'),
    epoch: fc.oneof(count, fc.constantFrom(0.5, 1.25)),
    progress: fc.constant(null),
    step,
    member,
    phase: fc.constantFrom(...PHASES),
    metrics,
  }),
  fc.record({
    type: fc.constant('RoundEnded'),
    round: count,
    totalRounds: maybe(count),
    progress: fc.constant(null),
    step,
    member,
    fitMetrics: metrics,
    evalMetrics: metrics,
  }),
  fc.record(
    {
      type: fc.constant('StatusChanged'),
      status: fc.constantFrom(...TASK_STATUSES),
      message: maybe(text),
      attempt: fc.integer({ min: 1, max: 4 }),
      stopRequested: fc.boolean(),
      stopReason: maybe(text),
    },
    { requiredKeys: ['type', 'status', 'message', 'attempt', 'stopRequested'] },
  ),
  fc.record({ type: fc.constant('ErrorReported'), member, error: text, errorType: maybe(text) }),
  fc.record({ type: fc.constant('SystemSampled'), member: fc.constantFrom('node-1', 'node-2'), metrics }),
  fc.record({ type: fc.constant('TrainingSucceeded'), result: fc.jsonValue({ maxDepth: 1 }) }),
  fc.record({ type: fc.constant('TrainingFailed'), error: text, errorType: maybe(text) }),
  fc.record({ type: fc.constant('TrainingCancelled'), reason: maybe(text) }),
)
/** Any event of a log, also where no rule would bring it about. */
export const taskEvent = fc
  .tuple(body, times, origin)
  .map((parts) => Object.assign({}, ...parts) as TaskEvent)
