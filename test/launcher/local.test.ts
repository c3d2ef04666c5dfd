import { describe, expect, it, onTestFinished } from 'vitest'
import type { Job, JobObserver, LocalTrainer, Submission } from '../../src/launcher/launcher.ts'
import { LocalLauncher } from '../../src/launcher/local.ts'
import type { ProcessEnd } from '../../src/task/lifecycle.ts'
import { TrainerEnv } from '../../src/trainer-env.ts'
import {
  type LauncherFactoryOptions,
  launcherContract,
  runningLauncherContract,
  type TrainerOf,
} from '../contract/launcher.ts'
import { until } from '../support/until.ts'

const open = async (observer: JobObserver, options: LauncherFactoryOptions & { queue?: number }) =>
  new LocalLauncher(
    {
      queue: 4,
      reportUrl: () => 'http://127.0.0.1:1/graphql',
      env: new TrainerEnv(process.env, []),
      watch: {
        output: { sinkOf: () => async () => {}, linesPerSecond: 1000 },
        system: { everyMs: null, onSample: async () => {} },
        onError: () => {},
      },
      ...options,
    },
    observer,
  )

const trainerOf = (command: LocalTrainer['command'], cwd: string): LocalTrainer => ({
  name: 'test',
  launcher: 'local',
  description: null,
  channelPrefix: null,
  command,
  cwd,
  env: {},
  passEnv: [],
  endsByExit: false,
  speaksKubeflow: false,
  hasSystemMetrics: true,
})

describe('the local launcher', () => {
  launcherContract(open, trainerOf satisfies TrainerOf)
  runningLauncherContract(open, trainerOf)
})

/** Only a queue of this process can be reserved in, and only its jobs end with it. */
describe('its queue', () => {
  const LIMITS = { concurrency: 1, queue: 1, stopGraceMs: 0, killGraceMs: 100 }
  const setUp = async () => {
    const ends: [id: string, type: string][] = []
    const started: string[] = []
    const launcher = await open(
      {
        started: ({ key }: Job) => started.push(key.id),
        relaunched: () => {},
        ended: ({ key }: Job, { type }: ProcessEnd) => ends.push([key.id, type]),
      },
      LIMITS,
    )
    onTestFinished(() => launcher.close())
    return { launcher, ends, started }
  }
  const job = (id: string): Submission<LocalTrainer> => ({
    key: { channelPrefix: 'gan:training', id },
    startId: `start of ${id}`,
    trainer: trainerOf(['/bin/sh', '-c', 'sleep 60'], '/'),
    attempt: 1,
    params: {},
    reportToken: null,
  })

  it('is full with those that run, those that wait and those that are reserved', async () => {
    const { launcher } = await setUp()
    await launcher.submit(job('first'))
    const place = launcher.reserve()
    expect(() => launcher.reserve()).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }))
    await expect(launcher.submit(job('second'))).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    await place.submit(job('second'))
    place.release()
    await expect(launcher.submit(job('third'))).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    // Not a place of its own: the job is known.
    await launcher.submit(job('second'))
  })

  it('gets a released place back, once', async () => {
    const { launcher } = await setUp()
    const places = [launcher.reserve(), launcher.reserve()]
    for (const place of places) {
      place.release()
      place.release()
    }
    expect([launcher.reserve(), launcher.reserve()]).toHaveLength(2)
    expect(() => launcher.reserve()).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }))
  })

  it('needs no place for a job that it has', async () => {
    const { launcher, started, ends } = await setUp()
    await launcher.reserve().submit(job('first'))
    await launcher.reserve().submit(job('first'))
    launcher.reserve().release()
    await until('it to run', () => started.length > 0)
    await launcher.close()
    expect([started, ends]).toEqual([['first'], [['first', 'ServerStopped']]])
  })

  it('ends with the server: jobs that run and jobs that wait, and none is taken in a reserved place', async () => {
    const { launcher, ends, started } = await setUp()
    const place = launcher.reserve()
    await launcher.submit(job('first'))
    await until('the first to run', () => started.length === 1)
    place.release()
    await launcher.submit(job('second'))
    await launcher.close()
    expect(ends.sort()).toEqual([
      ['first', 'ServerStopped'],
      ['second', 'ServerStopped'],
    ])
    expect(started).toEqual(['first'])
    expect(launcher.runningCount).toBe(0)
    expect(() => launcher.reserve()).toThrow(expect.objectContaining({ code: 'SHUTTING_DOWN' }))
  })

  it('takes no job in a place that was reserved before it was closed', async () => {
    const { launcher, ends } = await setUp()
    const place = launcher.reserve()
    await launcher.close()
    await expect(place.submit(job('late'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(ends).toEqual([])
  })
})
