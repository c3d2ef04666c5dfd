import { z } from 'zod'
import { machineIdSchema } from '../machine/machine-id.ts'

/** EPOCHCAST_PARAMS of this trainer; `trainers.json` states the same for the server. */
export const tvaeParamsSchema = z.strictObject({
  machine_id: machineIdSchema.default('motor_siemens_001'),
  epochs: z.int().min(1).max(1000).default(50),
  seed: z.int().min(0).max(2_147_483_647).default(1),
  rows: z.int().min(100).max(50_000).default(2000),
  batch_size: z.int().min(8).max(1000).default(100),
  latent_dim: z.int().min(1).max(128).default(16),
  hidden_dim: z.int().min(4).max(512).default(64),
  learning_rate: z.number().min(0.00001).max(0.1).default(0.003),
})

export type TvaeParams = z.infer<typeof tvaeParamsSchema>
