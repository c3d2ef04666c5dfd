import { describe, expect, it } from 'vitest'
import { CANCEL, run } from '../support/graphql.ts'
import {
  inSecondEpoch,
  losses,
  startTraining,
  stepsOf,
  trainingProgram,
  valuesOf,
} from './support/lightning.ts'
import { NO_SERVER, taskWithSeries } from './support/python.ts'

const about = (value: number) => expect.closeTo(value, 5)

describe('a Lightning training with the callback', () => {
  it('succeeds, its curves of training and validation apart and as the module saw them, a NaN too', async () => {
    const { url, taskId, program } = await startTraining('--epochs', '4', '--nan-at-epoch', '2')
    expect(await program.ended, program.printed.err).toBe(0)
    const { batches, train, val } = losses(program)

    const task = await taskWithSeries(url, taskId)
    expect(task).toMatchObject({ status: 'SUCCESS', current: 32, total: 32, progress: 100, error: null })
    expect(task.series.map(({ name, phase }) => `${name} ${phase}`).sort()).toEqual([
      'loss TRAIN',
      'loss VAL',
      'loss null',
    ])
    const [trained, validated] = [task.points('loss', 'TRAIN'), task.points('loss', 'VAL')]
    expect(stepsOf(trained)).toEqual([8, 16, 24, 32])
    // Every second epoch; in the others callback_metrics still has the values of the last.
    expect(stepsOf(validated)).toEqual([16, 32])
    const batch = task.points('loss', null)
    expect(stepsOf(batch)).toEqual([3, 6, 11, 14, 19, 22, 27, 30])
    expect(valuesOf(batch)).toEqual(stepsOf(batch).map((step) => about(batches[step - 1] as number)))
    const [first, second, , fourth] = train as readonly [number, number, number, number]
    expect(valuesOf(trained)).toEqual([about(first), about(second), 'NaN', about(fourth)])
    expect(valuesOf(validated)).toEqual(val.map(about))
    expect(program.printed.err).not.toContain('epochcast:')
  })

  it('has no total where the data have no length, and no part in validations before and after it', async () => {
    const args = ['--epochs', '2', '--stream', '--accumulate', '--validate']
    const { url, taskId, program } = await startTraining(...args)
    expect(await program.ended, program.printed.err).toBe(0)
    const task = await taskWithSeries(url, taskId)
    expect(task).toMatchObject({ status: 'SUCCESS', current: 16, total: null })
    // Eight batches of a step each, then eight of half a step.
    expect(stepsOf(task.points('loss', 'TRAIN'))).toEqual([8, 12])
    const batch = task.points('loss', null)
    expect(stepsOf(batch)).toEqual([3, 6, 9, 11])
    const { batches } = losses(program)
    expect(valuesOf(batch)).toEqual([3, 6, 11, 14].map((nth) => about(batches[nth - 1] as number)))
    expect(stepsOf(task.points('loss', 'VAL'))).toEqual([12])
    expect(program.printed.err).not.toContain('epochcast:')
  })

  it('goes by its steps where these are limited', async () => {
    const { url, taskId, program } = await startTraining('--epochs', '-1', '--max-steps', '12')
    expect(await program.ended, program.printed.err).toBe(0)
    const task = await taskWithSeries(url, taskId)
    expect(task).toMatchObject({ status: 'SUCCESS', current: 12, total: 12, progress: 100 })
  })

  it('that raises ends as FAILURE, with the end of the traceback, and raises as it would without', async () => {
    const { url, taskId, program } = await startTraining('--fail-at-epoch', '1')
    expect(await program.ended).toBe(1)
    expect(program.printed.err).toContain('ValueError: the sensor is broken')
    const task = await taskWithSeries(url, taskId)
    expect(task).toMatchObject({ status: 'FAILURE', error: { type: 'ValueError' } })
    expect(task.error?.message).toMatch(
      /line \d+, in training_step\n[\s\S]*ValueError: the sensor is broken\n$/,
    )
  })

  it('that somebody cancels stops by itself and ends as CANCELLED', async () => {
    const training = await startTraining('--epochs', '100000')
    const { url, taskId, program } = training
    await inSecondEpoch(training)
    await run(url, CANCEL, { input: { taskId, reason: 'wrong data' } })
    expect(await program.ended, program.printed.err).toBe(0)
    const task = await taskWithSeries(url, taskId)
    expect(task).toMatchObject({ status: 'CANCELLED', error: null })
    expect(task.epoch).toBeLessThan(99_999)
  })

  it('that is interrupted at the keyboard ends as CANCELLED', async () => {
    const training = await startTraining('--epochs', '100000')
    const { url, taskId, program } = training
    await inSecondEpoch(training)
    program.child.kill('SIGINT')
    expect(await program.ended).toBe(1)
    expect(await taskWithSeries(url, taskId)).toMatchObject({ status: 'CANCELLED', error: null })
  })

  it('trains to its end where the server is away, and says so once', async () => {
    const program = trainingProgram(NO_SERVER, 'task-1')
    expect(await program.ended, program.printed.err).toBe(0)
    expect(losses(program).train).toHaveLength(3)
    expect(program.printed.err.match(/^epochcast: .*$/gm)).toEqual([expect.stringContaining('refused')])
  })
})
