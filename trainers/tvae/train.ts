import * as tf from '@tensorflow/tfjs-core'
import { atMostEvery, yieldToEventLoop } from '../event-loop.ts'
import { regimes, simulateMachine, toolStates } from '../machine/process-model.ts'
import { Random, seedOf } from '../random.ts'
import type { Metrics, Reporter, TrainingOutcome } from '../report.ts'
import { useWasmBackend } from '../tensorflow.ts'
import { saveModel } from './model-file.ts'
import type { TvaeParams } from './params.ts'
import { encodedWidth, encodeRows, fitTableTransform, type Row } from './table-transform.ts'
import { VariationalAutoencoder } from './variational-autoencoder.ts'

const validationShare = 0.2
const progressIntervalMs = 250

const columns = {
  continuous: [
    'load_pct',
    'speed_rpm',
    'temperature_c',
    'vibration_mm_s',
    'current_a',
    'power_kw',
    'tool_wear',
  ],
  categorical: { regime: regimes, tool_state: toolStates },
}

/**
 * Trains a TVAE on a simulated machine's readings and saves it to `modelFile`.
 *
 * Reported losses are the negative ELBO in nats a row: TRAIN averages the epoch's batches, VAL is taken
 * after the epoch over held-out rows. Everything but the times follows from `params`.
 */
export async function trainTvae(
  params: TvaeParams,
  modelFile: string,
  reporter: Reporter,
): Promise<TrainingOutcome> {
  const startedMs = performance.now()
  await useWasmBackend()

  const total = params.epochs * batchesPerEpoch(params)
  reporter.report({ progress: { current: 0, total, stage: 'generate', message: `${params.rows} readings` } })
  const { transform, train, validation } = prepareData(params)
  const autoencoder = new VariationalAutoencoder(
    transform,
    { latentDim: params.latent_dim, hiddenDim: params.hidden_dim },
    params.seed,
  )
  const optimizer = tf.train.adam(params.learning_rate)
  const random = new Random(seedOf('tvae', params.seed))
  const progressDue = atMostEvery(progressIntervalMs)

  try {
    let current = 0
    let validationMetrics: Metrics = {}
    for (let epoch = 1; epoch <= params.epochs; epoch++) {
      reporter.report({ epochStart: { epoch, totalEpochs: params.epochs } })
      const sums = { reconstruction: 0, kl: 0 }
      for (const batch of shuffledBatches(train, params.batch_size, random)) {
        const noise = gaussianNoise(batch, params.latent_dim, random)
        const terms = trainingStep(autoencoder, optimizer, batch, noise)
        const share = batch.shape[0] / train.shape[0]
        tf.dispose([batch, noise])
        sums.reconstruction += share * terms.reconstruction
        sums.kl += share * terms.kl
        current++
        if (progressDue()) {
          const { loss = 0, ...metrics } = withLoss(terms)
          reporter.report({ progress: { current, total, stage: 'train', epoch, loss, metrics } })
        }
        await yieldToEventLoop()
        if (reporter.stopRequested) return { kind: 'stopped', after: `epoch ${epoch - 1}` }
      }
      reporter.report({ epochEnd: { epoch, step: current, phase: 'TRAIN', metrics: withLoss(sums) } })
      validationMetrics = withLoss(evaluate(autoencoder, validation, params))
      reporter.report({ epochEnd: { epoch, step: current, phase: 'VAL', metrics: validationMetrics } })
    }

    reporter.report({ progress: { current, total, stage: 'save', epoch: params.epochs } })
    await saveModel(modelFile, {
      machineId: params.machine_id,
      transform,
      architecture: { latentDim: params.latent_dim, hiddenDim: params.hidden_dim },
      autoencoder,
    })
    return {
      kind: 'finished',
      result: {
        machine_id: params.machine_id,
        epochs_completed: params.epochs,
        model_path: modelFile,
        training_time_seconds: Math.round(performance.now() - startedMs) / 1000,
        final_loss: validationMetrics.loss,
        rows: params.rows,
        seed: params.seed,
      },
    }
  } finally {
    tf.dispose([train, validation])
    autoencoder.dispose()
    optimizer.dispose()
  }
}

function prepareData({ machine_id, rows, seed }: TvaeParams) {
  const random = new Random(seedOf('split', seed))
  const readings: Row[] = random.shuffle(
    simulateMachine(machine_id, rows, seed).map((reading) => ({ ...reading })),
  )
  const trainRows = readings.slice(0, trainSize(rows))
  const transform = fitTableTransform(trainRows, columns)
  const tensor = (part: readonly Row[]) =>
    tf.tensor2d(encodeRows(part, transform, random), [part.length, encodedWidth(transform)])
  return { transform, train: tensor(trainRows), validation: tensor(readings.slice(trainRows.length)) }
}

function trainSize(rows: number): number {
  return rows - Math.round(rows * validationShare)
}

function batchesPerEpoch({ rows, batch_size }: TvaeParams): number {
  return Math.ceil(trainSize(rows) / batch_size)
}

function* shuffledBatches(rows: tf.Tensor2D, batchSize: number, random: Random): Generator<tf.Tensor2D> {
  const order = random.shuffle(Int32Array.from({ length: rows.shape[0] }, (_, index) => index))
  for (let start = 0; start < order.length; start += batchSize) {
    const indices = order.subarray(start, start + batchSize)
    yield tf.tidy(() => tf.gather(rows, tf.tensor1d(indices, 'int32')))
  }
}

function gaussianNoise(rows: tf.Tensor2D, latentDim: number, random: Random): tf.Tensor2D {
  return tf.randomNormal([rows.shape[0], latentDim], 0, 1, 'float32', random.integer(2 ** 31))
}

interface Terms {
  reconstruction: number
  kl: number
}

function trainingStep(
  autoencoder: VariationalAutoencoder,
  optimizer: tf.Optimizer,
  batch: tf.Tensor2D,
  noise: tf.Tensor2D,
): Terms {
  return tf.tidy(() => {
    let terms = { reconstruction: Number.NaN, kl: Number.NaN }
    const { grads } = tf.variableGrads(() => {
      const { reconstruction, kl } = autoencoder.elboTerms(batch, noise)
      terms = { reconstruction: reconstruction.dataSync()[0] as number, kl: kl.dataSync()[0] as number }
      return tf.add(reconstruction, kl)
    }, autoencoder.trainable)
    optimizer.applyGradients(grads)
    return terms
  })
}

/** With the same noise after every epoch, so that two epochs differ by what was learned only. */
function evaluate(autoencoder: VariationalAutoencoder, rows: tf.Tensor2D, params: TvaeParams): Terms {
  return tf.tidy(() => {
    const noise = gaussianNoise(rows, params.latent_dim, new Random(seedOf('validation', params.seed)))
    const { reconstruction, kl } = autoencoder.elboTerms(rows, noise)
    return { reconstruction: reconstruction.dataSync()[0] as number, kl: kl.dataSync()[0] as number }
  })
}

function withLoss({ reconstruction, kl }: Terms): Metrics {
  return { loss: reconstruction + kl, reconstruction, kl }
}
