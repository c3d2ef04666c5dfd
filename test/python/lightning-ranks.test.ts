import { describe, expect, it } from 'vitest'
import { CANCEL, run } from '../support/graphql.ts'
import { inSecondEpoch, startTraining, stepsOf } from './support/lightning.ts'
import { eventKinds, taskWithSeries } from './support/python.ts'

describe('a Lightning training on two ranks', () => {
  it('reports each point once', async () => {
    const { url, taskId, program } = await startTraining('--ranks', '2', '--epochs', '2')
    expect(await program.ended, program.printed.err).toBe(0)
    expect(program.printed.err).toContain('2 processes')
    const task = await taskWithSeries(url, taskId)
    expect(task).toMatchObject({ status: 'SUCCESS', current: 8, total: 8, progress: 100 })
    expect(stepsOf(task.points('loss', 'TRAIN'))).toEqual([4, 8])
    expect(stepsOf(task.points('loss', 'VAL'))).toEqual([8])
    expect(await eventKinds(url, taskId)).toEqual([
      'StatusChanged',
      'StatusChanged',
      'ProgressUpdate', // after three batches
      'EpochEnded',
      'ProgressUpdate',
      'ProgressUpdate',
      'EpochEnded', // of the validation
      'EpochEnded',
      'ProgressUpdate',
      'TrainingSucceeded',
    ])
  })

  it('stops on both when it is cancelled', async () => {
    const training = await startTraining('--ranks', '2', '--epochs', '100000')
    const { url, taskId, program } = training
    await inSecondEpoch(training)
    await run(url, CANCEL, { input: { taskId } })
    expect(await program.ended, program.printed.err).toBe(0)
    // A rank that went on alone would have lost its connection to the other.
    expect(program.printed.err).not.toMatch(/Traceback|epochcast:/)
    expect(await taskWithSeries(url, taskId)).toMatchObject({ status: 'CANCELLED', error: null })
  })

  it('fails with the error of the rank on which it happened', async () => {
    const args = ['--ranks', '2', '--fail-at-epoch', '1', '--fail-on-rank', '1']
    const { url, taskId, program } = await startTraining(...args)
    expect(await program.ended).not.toBe(0)
    const task = await taskWithSeries(url, taskId)
    expect(task).toMatchObject({ status: 'FAILURE', error: { type: 'ValueError' } })
    expect(task.error?.message).toContain('the sensor is broken')
  })
})
