import { createReporter } from '../../../clients/typescript/index.ts'

/* Of a page: a training in the browser. */

const page = globalThis as unknown as { serverUrl: string }

Object.assign(globalThis, {
  train: (steps: number) =>
    createReporter({ url: page.serverUrl, run: { name: 'in a page' } }).track(async (reporter) => {
      for (let step = 1; step <= steps; step++) reporter.log({ loss: 1 / step, odd: Number.NaN }, { step })
      await reporter.flush()
      return { steps, task: reporter.taskId }
    }),
})
