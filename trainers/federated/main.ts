import { parseParams } from '../environment.ts'
import { runTrainer } from '../run-trainer.ts'

// Loaded inside the run: where TensorFlow.js is not installed the task fails, and says why.
await runTrainer(async ({ params }, reporter) => {
  const { federatedParamsSchema } = await import('./params.ts')
  const { trainFederated } = await import('./train.ts')
  return trainFederated(parseParams(federatedParamsSchema, params), reporter)
})
