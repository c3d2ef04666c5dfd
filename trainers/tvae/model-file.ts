import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { machineIdSchema } from '../machine/machine-id.ts'
import { type TableTransform, tableTransformSchema } from './table-transform.ts'
import { type Architecture, VariationalAutoencoder } from './variational-autoencoder.ts'

const modelFileSchema = z.object({
  format: z.literal('epochcast-tvae/1'),
  machine_id: z.string(),
  latent_dim: z.int().positive(),
  hidden_dim: z.int().positive(),
  transform: tableTransformSchema,
  /** Encoder, decoder, log standard deviations; float32, little-endian, base64. */
  weights: z.array(z.object({ shape: z.array(z.int().positive()), data: z.base64() })),
})

export interface Model {
  machineId: string
  transform: TableTransform
  architecture: Architecture
  autoencoder: VariationalAutoencoder
}

/** `<directory>/<run>/tvae-<machine id>.json`; neither a run nor a machine can name a file elsewhere. */
export function modelFilePath(directory: string, runName: string, machineId: string): string {
  return join(directory, safeName(runName), `tvae-${machineIdSchema.parse(machineId)}.json`)
}

/** Task ids are the caller's choice: other characters are replaced, and a digest keeps two such ids apart. */
function safeName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(name)) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12)
  return `${name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 80)}-${digest}`
}

/** A reader sees the old file or the whole new one. */
export async function saveModel(file: string, model: Model): Promise<void> {
  const content: z.infer<typeof modelFileSchema> = {
    format: 'epochcast-tvae/1',
    machine_id: model.machineId,
    latent_dim: model.architecture.latentDim,
    hidden_dim: model.architecture.hiddenDim,
    transform: model.transform,
    weights: model.autoencoder.getWeights().map((weight) => ({
      shape: weight.shape,
      data: Buffer.from(Float32Array.from(weight.dataSync()).buffer).toString('base64'),
    })),
  }
  await mkdir(dirname(file), { recursive: true })
  const unfinished = `${file}.${process.pid}.tmp`
  await writeFile(unfinished, `${JSON.stringify(content)}\n`)
  await rename(unfinished, file)
}

/** Needs a TensorFlow.js backend (`useWasmBackend`); the caller disposes of the autoencoder. */
export async function loadModel(file: string): Promise<Model> {
  const content = modelFileSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  const architecture = { latentDim: content.latent_dim, hiddenDim: content.hidden_dim }
  const autoencoder = new VariationalAutoencoder(content.transform, architecture, 0)
  tf.tidy(() => {
    autoencoder.setWeights(
      content.weights.map(({ shape, data }) => {
        const bytes = Uint8Array.from(Buffer.from(data, 'base64'))
        return tf.tensor(new Float32Array(bytes.buffer), shape)
      }),
    )
  })
  return { machineId: content.machine_id, transform: content.transform, architecture, autoencoder }
}
