import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { simulateMachine } from '../../../trainers/machine/process-model.ts'
import { Random } from '../../../trainers/random.ts'
import { loadModel, modelFilePath } from '../../../trainers/tvae/model-file.ts'
import { tvaeParamsSchema } from '../../../trainers/tvae/params.ts'
import { trainTvae } from '../../../trainers/tvae/train.ts'
import { RecordingReporter } from '../support/recording-reporter.ts'

// Training takes seconds where other test files keep the cores busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const params = tvaeParamsSchema.parse({
  epochs: 10,
  rows: 600,
  batch_size: 60,
  hidden_dim: 32,
  learning_rate: 0.01,
})
let directory: string
let modelFile: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tvae-'))
  modelFile = modelFilePath(directory, 'run', params.machine_id)
})

afterAll(() => rm(directory, { recursive: true }))

describe('training', () => {
  const first = new RecordingReporter()
  let outcome: Awaited<ReturnType<typeof trainTvae>>

  beforeAll(async () => {
    outcome = await trainTvae(params, modelFile, first)
  })

  it('lowers the loss on rows it has not seen', () => {
    const losses = first.epochMetrics('VAL').map(({ loss }) => loss as number)
    expect(losses).toHaveLength(params.epochs)
    expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] as number))
  })

  it('reports the two terms of the ELBO, which add up to the loss', () => {
    for (const { loss, reconstruction, kl } of [
      ...first.epochMetrics('TRAIN'),
      ...first.epochMetrics('VAL'),
    ]) {
      expect((reconstruction as number) + (kl as number)).toBeCloseTo(loss as number, 4)
      expect(kl).toBeGreaterThan(0)
    }
  })

  it('reports every epoch: start, TRAIN, VAL; and every stage', () => {
    const epochs = first.reports.filter((report) => 'epochStart' in report || 'epochEnd' in report)
    expect(epochs.slice(0, 3).map((report) => Object.keys(report)[0])).toEqual([
      'epochStart',
      'epochEnd',
      'epochEnd',
    ])
    const stages = first.reports.flatMap((report) => ('progress' in report ? [report.progress.stage] : []))
    expect(new Set(stages)).toEqual(new Set(['generate', 'train', 'save']))
  })

  it('ends with a result', () => {
    expect(outcome).toMatchObject({
      kind: 'finished',
      result: {
        machine_id: 'motor_siemens_001',
        epochs_completed: params.epochs,
        model_path: modelFile,
        training_time_seconds: expect.any(Number),
        final_loss: first.epochMetrics('VAL').at(-1)?.loss,
      },
    })
  })

  it('follows from the seed alone, and leaves no tensors behind', async () => {
    const tensors = tf.memory().numTensors
    const [again, other] = [new RecordingReporter(), new RecordingReporter()]
    await trainTvae(params, modelFilePath(directory, 'again', params.machine_id), again)
    await trainTvae({ ...params, seed: 2 }, modelFilePath(directory, 'other', params.machine_id), other)
    expect(again.epochMetrics('VAL')).toEqual(first.epochMetrics('VAL'))
    expect(other.epochMetrics('VAL')).not.toEqual(first.epochMetrics('VAL'))
    expect(tf.memory().numTensors).toBe(tensors)
  })

  it('saves a model that draws rows like those it learned from', async () => {
    const { autoencoder, machineId } = await loadModel(modelFile)
    const rows = autoencoder.sample(500, new Random(1))
    const readings = simulateMachine(machineId, params.rows, params.seed)
    expect(rows).toHaveLength(500)
    expect(autoencoder.sample(500, new Random(1))).toEqual(rows)
    for (const name of ['load_pct', 'speed_rpm', 'temperature_c', 'current_a', 'power_kw'] as const) {
      const real = readings.map((reading) => reading[name])
      const drawn = rows.map((row) => row[name] as number)
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(Math.min(...real))
      expect(Math.max(...drawn)).toBeLessThanOrEqual(Math.max(...real))
      expect(Math.abs(mean(drawn) - mean(real))).toBeLessThan(0.25 * (Math.max(...real) - Math.min(...real)))
    }
    expect(new Set(rows.map(({ regime }) => regime))).toEqual(new Set(['idle', 'run', 'overload']))
    autoencoder.dispose()
  })
})

it('a training that is asked to stop does so within a batch, and says after which epoch', async () => {
  const reporter = new RecordingReporter((report) => 'epochStart' in report && report.epochStart.epoch === 3)
  const file = modelFilePath(directory, 'stopped', params.machine_id)
  const tensors = tf.memory().numTensors
  expect(await trainTvae(params, file, reporter)).toEqual({ kind: 'stopped', after: 'epoch 2' })
  expect(reporter.epochMetrics('TRAIN')).toHaveLength(2)
  expect(await readdir(directory)).not.toContain('stopped')
  expect(tf.memory().numTensors).toBe(tensors)
})

it.each(['../../etc', '/tmp/x', '..', 'a/../../b', 'task 1', ''])(
  'the model of a task named %j stays in the models directory',
  (runName) => {
    const path = relative(directory, modelFilePath(directory, runName, 'motor_siemens_001'))
    expect(path).toMatch(/^[A-Za-z0-9_-]+\/tvae-motor_siemens_001\.json$/)
  },
)

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
