import { afterEach, describe, expect, it, vi } from 'vitest'
import { readEnvironment } from '../../trainers/environment.ts'
import { trainAndConclude } from '../../trainers/run-trainer.ts'
import { RecordingReporter } from './support/recording-reporter.ts'

const environment = readEnvironment({})

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the last report', () => {
  it('is success with the result, and the process exits with 0', async () => {
    const reporter = new RecordingReporter()
    const train = async () => ({ kind: 'finished', result: { final_loss: 0.1 } }) as const
    expect(await trainAndConclude(train, environment, reporter)).toBe(0)
    expect(reporter.reports).toEqual([{ success: { result: { final_loss: 0.1 } } }])
  })

  it('of a stopped training is CANCELLED with how far it came, and the process exits with 0', async () => {
    const reporter = new RecordingReporter()
    const train = async () => ({ kind: 'stopped', after: 'epoch 3' }) as const
    expect(await trainAndConclude(train, environment, reporter)).toBe(0)
    expect(reporter.reports).toEqual([{ status: { status: 'CANCELLED', message: 'stopped after epoch 3' } }])
  })

  it('of a crash is failure with its type, and the process exits with 1', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const reporter = new RecordingReporter()
    const train = async () => {
      throw new RangeError('no such sensor')
    }
    expect(await trainAndConclude(train, environment, reporter)).toBe(1)
    expect(reporter.reports).toEqual([{ failure: { error: 'no such sensor', errorType: 'RangeError' } }])
  })
})

describe('the environment', () => {
  it('names the task, and an empty token is no token', () => {
    const read = readEnvironment({
      EPOCHCAST_URL: 'http://127.0.0.1:4000/graphql',
      EPOCHCAST_TASK_ID: 'task-1',
      EPOCHCAST_CHANNEL_PREFIX: 'gan:training',
      EPOCHCAST_TOKEN: '',
      EPOCHCAST_ATTEMPT: '2',
      EPOCHCAST_PARAMS: '{"epochs":3}',
    })
    expect(read).toMatchObject({
      target: { url: 'http://127.0.0.1:4000/graphql', taskId: 'task-1', token: undefined, attempt: 2 },
      runName: 'task-1',
      params: { epochs: 3 },
      modelsDirectory: 'models',
    })
  })

  it('without a URL is a run by hand', () => {
    expect(environment).toMatchObject({ target: undefined, runName: 'local', params: {} })
  })

  it('with a URL and no task is refused', () => {
    expect(() => readEnvironment({ EPOCHCAST_URL: 'http://127.0.0.1:4000/graphql' })).toThrow(
      /EPOCHCAST_TASK_ID/,
    )
  })
})
