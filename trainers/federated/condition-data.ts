import * as tf from '@tensorflow/tfjs-core'
import { type Reading, simulateMachine } from '../machine/process-model.ts'
import { Random, seedOf } from '../random.ts'
import { dirichletPartition } from './partition.ts'

/** What the classifier tells from the sensors; wear itself is not measured. */
export const conditions = ['idle', 'run', 'worn', 'overload'] as const

const features = [
  'load_pct',
  'speed_rpm',
  'temperature_c',
  'vibration_mm_s',
  'current_a',
  'power_kw',
] as const satisfies (keyof Reading)[]
export const featureCount = features.length

const testShare = 0.2

/** `x` is [examples, features], standardised; `y` is [examples, conditions], one-hot. */
export interface Examples {
  x: tf.Tensor2D
  y: tf.Tensor2D
  count: number
}

export interface FederatedData {
  /** Each client's own examples; their labels are distributed differently. */
  clients: Examples[]
  /** Held out over all conditions, seen by no client. */
  test: Examples
}

/** The scale is taken from all training examples, as clients would agree on from sums they exchange. */
export function generateConditionData(options: {
  machineId: string
  rows: number
  clients: number
  dirichletAlpha: number
  seed: number
}): FederatedData {
  const random = new Random(seedOf('federated', options.seed))
  const readings = random.shuffle(simulateMachine(options.machineId, options.rows, options.seed))
  const testCount = Math.round(options.rows * testShare)
  const test = readings.slice(0, testCount)
  const train = readings.slice(testCount)
  const scales = features.map((name) => scaleOf(train.map((reading) => reading[name])))
  const partition = dirichletPartition(
    train.map(conditionOf),
    options.clients,
    options.dirichletAlpha,
    random,
  )

  const examples = (part: readonly Reading[]): Examples => {
    const x = part.map((reading) =>
      features.map((name, index) => (reading[name] - (scales[index]?.mean ?? 0)) / (scales[index]?.std ?? 1)),
    )
    const y = part.map((reading) => conditions.map((_, index) => Number(index === conditionOf(reading))))
    return {
      x: tf.tensor2d(x, [part.length, features.length]),
      y: tf.tensor2d(y, [part.length, conditions.length]),
      count: part.length,
    }
  }
  return {
    clients: partition.map((indices) => examples(indices.map((index) => train[index] as Reading))),
    test: examples(test),
  }
}

/** Index into `conditions`. */
function conditionOf({ regime, tool_state }: Reading): number {
  return conditions.indexOf(regime === 'run' && tool_state === 'worn' ? 'worn' : regime)
}

function scaleOf(values: readonly number[]): { mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, std: Math.sqrt(variance) || 1 }
}
