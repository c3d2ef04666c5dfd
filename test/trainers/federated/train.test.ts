import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it, vi } from 'vitest'
import { averageWeights } from '../../../trainers/federated/federated-averaging.ts'
import { federatedParamsSchema } from '../../../trainers/federated/params.ts'
import { dirichletPartition } from '../../../trainers/federated/partition.ts'
import { trainFederated } from '../../../trainers/federated/train.ts'
import { Random } from '../../../trainers/random.ts'
import { useWasmBackend } from '../../../trainers/tensorflow.ts'
import { RecordingReporter } from '../support/recording-reporter.ts'

// Training takes seconds where other test files keep the cores busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const params = federatedParamsSchema.parse({ rounds: 6, clients: 4, rows: 1500, local_epochs: 1 })

describe('federated averaging', () => {
  it('raises the accuracy on examples no client has seen, and follows from the seed', async () => {
    const [first, again] = [new RecordingReporter(), new RecordingReporter()]
    const outcome = await trainFederated(params, first)
    const rounds = first.rounds()
    expect(rounds.map(({ round, totalRounds }) => [round, totalRounds])).toEqual(
      [1, 2, 3, 4, 5, 6].map((round) => [round, 6]),
    )
    const accuracies = rounds.map(({ evalMetrics }) => evalMetrics?.accuracy as number)
    expect(accuracies.at(-1)).toBeGreaterThan((accuracies[0] as number) + 0.05)
    expect(accuracies.at(-1)).toBeGreaterThan(0.8)
    expect(rounds.at(-1)?.fitMetrics?.loss).toBeLessThan(rounds[0]?.fitMetrics?.loss as number)
    expect(outcome).toMatchObject({
      kind: 'finished',
      result: { rounds_completed: 6, clients: 4, final_accuracy: accuracies.at(-1) },
    })

    const tensors = tf.memory().numTensors
    await trainFederated(params, again)
    expect(again.rounds()).toEqual(rounds)
    expect(tf.memory().numTensors).toBe(tensors)
  })

  it('takes `epochs` for rounds where a caller gives them', async () => {
    const reporter = new RecordingReporter()
    await trainFederated({ ...params, epochs: 2, rows: 500 }, reporter)
    expect(reporter.rounds()).toHaveLength(2)
  })

  it('stops within a batch when asked to, and says after which round', async () => {
    const reporter = new RecordingReporter((report) => 'roundEnd' in report)
    expect(await trainFederated(params, reporter)).toEqual({ kind: 'stopped', after: 'round 1' })
  })

  it('weighs each client by its number of examples', async () => {
    await useWasmBackend()
    const updates = [
      { weights: [tf.tensor1d([1, 10])], examples: 1 },
      { weights: [tf.tensor1d([5, 50])], examples: 3 },
    ]
    const [average] = averageWeights(updates)
    expect([...(average?.dataSync() ?? [])]).toEqual([4, 40])
    tf.dispose([average, updates])
  })
})

describe('the Dirichlet partition', () => {
  const labels = Array.from({ length: 1000 }, (_, index) => index % 4)
  /** The mean share that a label's richest client has of it. */
  const skew = (alpha: number) => {
    const parts = dirichletPartition(labels, 5, alpha, new Random(1))
    const shares = [0, 1, 2, 3].map(
      (label) =>
        Math.max(...parts.map((part) => part.filter((index) => labels[index] === label).length)) / 250,
    )
    return shares.reduce((sum, share) => sum + share, 0) / 4
  }

  it('gives each example to exactly one client, and every client one at least', () => {
    const parts = dirichletPartition(labels, 50, 0.01, new Random(1))
    expect(parts.flat().sort((a, b) => a - b)).toEqual(labels.map((_, index) => index))
    expect(Math.min(...parts.map((part) => part.length))).toBeGreaterThanOrEqual(1)
  })

  it('is skewed for a small alpha and even for a large one', () => {
    expect(skew(0.05)).toBeGreaterThan(0.7)
    expect(skew(1000)).toBeLessThan(0.3)
  })
})
