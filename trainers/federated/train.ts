import * as tf from '@tensorflow/tfjs-core'
import { atMostEvery, yieldToEventLoop } from '../event-loop.ts'
import { Random, seedOf } from '../random.ts'
import type { Reporter, TrainingOutcome } from '../report.ts'
import { useWasmBackend } from '../tensorflow.ts'
import { createClassifier, evaluate, type Score, trainLocally } from './classifier.ts'
import { generateConditionData } from './condition-data.ts'
import { averageWeights, type ClientUpdate } from './federated-averaging.ts'
import type { FederatedParams } from './params.ts'

const progressIntervalMs = 250

/**
 * Federated averaging (McMahan et al. 2017, arXiv:1602.05629) of a machine-condition classifier over
 * clients whose data are not identically distributed. In each round some clients start from the global
 * weights, train on their own examples, and the server averages what they send back.
 *
 * fitMetrics are the clients' training losses weighted by examples; evalMetrics are taken with the new
 * global weights on examples no client has seen. Everything but the times follows from `params`.
 */
export async function trainFederated(params: FederatedParams, reporter: Reporter): Promise<TrainingOutcome> {
  const startedMs = performance.now()
  await useWasmBackend()
  const totalRounds = params.epochs ?? params.rounds
  const clientsPerRound = Math.max(1, Math.round(params.clients * params.client_fraction))
  const total = totalRounds * clientsPerRound
  reporter.report({ progress: { current: 0, total, stage: 'generate', message: `${params.rows} readings` } })

  const data = generateConditionData({
    machineId: params.machine_id,
    rows: params.rows,
    clients: params.clients,
    dirichletAlpha: params.dirichlet_alpha,
    seed: params.seed,
  })
  const classifier = createClassifier(params.seed)
  const random = new Random(seedOf('rounds', params.seed))
  const localTraining = {
    epochs: params.local_epochs,
    batchSize: params.batch_size,
    learningRate: params.learning_rate,
  }
  const progressDue = atMostEvery(progressIntervalMs)
  let globalWeights = classifier.getWeights().map((weight) => tf.clone(weight))

  try {
    let current = 0
    let score: Score = evaluate(classifier, data.test)
    for (let round = 1; round <= totalRounds; round++) {
      const selected = random.shuffle([...data.clients]).slice(0, clientsPerRound)
      const updates: ClientUpdate[] = []
      let fitLoss = 0
      try {
        for (const examples of selected) {
          classifier.setWeights(globalWeights)
          let lossSum = 0
          let steps = 0
          for (const loss of trainLocally(classifier, examples, localTraining, random)) {
            lossSum += loss
            steps++
            if (progressDue()) {
              reporter.report({ progress: { current, total, stage: 'fit', loss, message: `round ${round}` } })
            }
            await yieldToEventLoop()
            if (reporter.stopRequested) return { kind: 'stopped', after: `round ${round - 1}` }
          }
          updates.push({
            weights: classifier.getWeights().map((weight) => tf.clone(weight)),
            examples: examples.count,
          })
          fitLoss += (lossSum / steps) * examples.count
          current++
        }
        const averaged = averageWeights(updates)
        tf.dispose(globalWeights)
        globalWeights = averaged
      } finally {
        for (const { weights } of updates) tf.dispose(weights)
      }

      classifier.setWeights(globalWeights)
      score = evaluate(classifier, data.test)
      const examples = selected.reduce((sum, { count }) => sum + count, 0)
      reporter.report({
        roundEnd: {
          round,
          totalRounds,
          fitMetrics: { loss: fitLoss / examples, clients: selected.length, examples },
          evalMetrics: { ...score },
        },
      })
      const { loss, accuracy } = score
      reporter.report({ progress: { current, total, stage: 'evaluate', loss, metrics: { accuracy } } })
    }
    return {
      kind: 'finished',
      result: {
        machine_id: params.machine_id,
        rounds_completed: totalRounds,
        clients: params.clients,
        client_examples: data.clients.map(({ count }) => count),
        training_time_seconds: Math.round(performance.now() - startedMs) / 1000,
        final_loss: score.loss,
        final_accuracy: score.accuracy,
        seed: params.seed,
      },
    }
  } finally {
    tf.dispose(globalWeights)
    for (const { x, y } of [...data.clients, data.test]) tf.dispose([x, y])
    classifier.dispose()
  }
}
