import { describe, expect, it } from 'vitest'
import { CANCEL, run } from '../support/graphql.ts'
import { inSecondEpoch, losses, startTraining, stepsOf, trainingProgram } from './support/lightning.ts'
import { NO_SERVER, taskWithSeries } from './support/python.ts'

const about = (value: number) => expect.closeTo(value, 5)

describe('a Lightning training with the callback', () => {
  it('succeeds, its curves of training and validation apart and as the module saw them, a NaN too', async () => {
    const { url, taskId, program } = await startTraining('--epochs', '4', '--nan-at-epoch', '2')
    expect(await program.ended, program.printed.err).toBe(0)
    const { train, val } = losses(program)

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
    const [first, second, , fourth] = train as [number, number, number, number]
    expect(trained.map(({ value }) => value)).toEqual([about(first), about(second), 'NaN', about(fourth)])
    expect(validated.map(({ value }) => value)).toEqual(val.map(about))
    expect(program.printed.err).not.toContain('epochcast:')
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
