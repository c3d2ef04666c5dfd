import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createFolder, removeFolder } from '../processes/lifetime.ts'
import { CANCEL, run, START, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { EXAMPLES, eventKinds, startProgram, taskWithSeries } from './support/python.ts'

describe('printing.sh, with printing.py', () => {
  it('reports what a script prints, passes on its other lines, and ends with its exit code', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const { ended, printed } = startProgram('bash', ['examples/printing.sh', taskId], { EPOCHCAST_URL: url })
    expect(await ended, printed.err).toBe(0)
    expect(printed.out).toContain('the model is in model.bin\n')
    const task = await taskWithSeries(url, taskId)
    expect(task).toMatchObject({ status: 'SUCCESS', current: 10, total: 10, progress: 100 })
    expect(task.points('loss', null).map(({ value }) => value)).toEqual(
      Array.from({ length: 10 }, (_, epoch) => 0.5 ** (epoch + 1)),
    )
  })
})

describe('printing.sh, with a script that crashes', () => {
  it('reports the failure and ends with its exit code', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const folder = createFolder()
    onTestFinished(() => removeFolder(folder))
    const crash = '#!/bin/sh\necho \'{"progress": {"current": 1}}\'\nexit 3\n'
    writeFileSync(join(folder, 'python3'), crash, { mode: 0o755 })
    const env = { EPOCHCAST_URL: url, PATH: `${folder}:${process.env.PATH}` }
    const { ended, printed } = startProgram('bash', ['examples/printing.sh', taskId], env)
    expect(await ended, printed.err).toBe(3)
    expect(await taskWithSeries(url, taskId)).toMatchObject({
      status: 'FAILURE',
      current: 1,
      error: { message: 'printing.py exited with 3' },
    })
  })
})

describe('train.py, started by Epochcast', () => {
  const config = { EPOCHCAST_TRAINERS: join(EXAMPLES, 'trainers.json') }
  const START_SLOPE = { trainer: 'slope', epochs: 20, params: { learning_rate: 0.05 } }

  it('learns, reports and succeeds', async () => {
    const { url } = await testServer(config)
    const { task } = (await run(url, START, { input: START_SLOPE })).startTraining
    const ended = await until('its end', async () => {
      const now = await taskWithSeries(url, task.id)
      return ['SUCCESS', 'FAILURE'].includes(now.status) ? now : null
    })
    expect(ended).toMatchObject({ status: 'SUCCESS', current: 20, progress: 100, error: null })
    const losses = ended.points('loss', null).map(({ value }) => Number(value))
    expect(losses).toHaveLength(20)
    expect(losses.at(-1)).toBeLessThan(losses[0] as number)
  })

  it('stops when it is cancelled', async () => {
    const { url } = await testServer(config)
    const { task } = (await run(url, START, { input: { ...START_SLOPE, epochs: 500 } })).startTraining
    await until('an epoch', async () => (await taskWithSeries(url, task.id)).current >= 1)
    await run(url, CANCEL, { input: { taskId: task.id, reason: 'enough' } })
    const ended = await until('its end', async () => {
      const now = await taskWithSeries(url, task.id)
      return now.status === 'CANCELLED' ? now : null
    })
    expect(ended.current).toBeLessThan(500)
    expect((await eventKinds(url, task.id)).at(-1)).not.toBe('TrainingFailed')
  })
})
