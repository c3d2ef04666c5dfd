import { z } from 'zod'
import { machineIdSchema } from '../machine/machine-id.ts'

const rounds = z.int().min(1).max(1000)

/** EPOCHCAST_PARAMS of this trainer; `trainers.json` states the same for the server. */
export const federatedParamsSchema = z.strictObject({
  machine_id: machineIdSchema.default('motor_siemens_001'),
  rounds: rounds.default(20),
  /** Where a caller gives `epochs`, as startTraining may, they are the rounds. */
  epochs: rounds.optional(),
  clients: z.int().min(2).max(50).default(8),
  client_fraction: z.number().min(0.01).max(1).default(1),
  local_epochs: z.int().min(1).max(50).default(2),
  batch_size: z.int().min(1).max(1000).default(32),
  learning_rate: z.number().min(0.00001).max(1).default(0.05),
  dirichlet_alpha: z.number().min(0.01).max(1000).default(0.5),
  rows: z.int().min(500).max(50_000).default(4000),
  seed: z.int().min(0).max(2_147_483_647).default(1),
})

export type FederatedParams = z.infer<typeof federatedParamsSchema>
