import { parseParams } from '../environment.ts'
import { runTrainer } from '../run-trainer.ts'

// Loaded inside the run: where TensorFlow.js is not installed the task fails, and says why.
await runTrainer(async ({ params, modelsDirectory, runName }, reporter) => {
  const { tvaeParamsSchema } = await import('./params.ts')
  const { trainTvae } = await import('./train.ts')
  const { modelFilePath } = await import('./model-file.ts')
  const checked = parseParams(tvaeParamsSchema, params)
  return trainTvae(checked, modelFilePath(modelsDirectory, runName, checked.machine_id), reporter)
})
