import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Job, JobObserver, Launcher, Submission, Trainer } from '../../src/launcher/launcher.ts'
import type { ProcessEnd } from '../../src/task/lifecycle.ts'
import { until } from '../support/until.ts'

export interface LauncherFactoryOptions {
  /** Trainers that run at a time. */
  readonly concurrency: number
  readonly stopGraceMs: number
  readonly killGraceMs: number
}

export type OpenLauncher = (observer: JobObserver, options: LauncherFactoryOptions) => Promise<Launcher>

/** What every launcher promises, even one that runs nothing. */
export function launcherContract(open: OpenLauncher, trainerOf: TrainerOf): void {
  const { submission, launcherWith, told } = setUp(open, trainerOf)

  it('leaves a job alone that it does not know', async () => {
    const launcher = await launcherWith()
    await launcher.stop(submission('exit 0'))
    await launcher.stop(submission('exit 0'))
    expect(told()).toEqual([])
  })

  it('takes a job that it has taken already, and runs it once', async () => {
    const launcher = await launcherWith()
    const job = submission('echo run >> runs; touch ready; sleep 60')
    await Promise.all([launcher.submit(job), launcher.submit(job)])
    await launcher.submit(job)
    await Promise.all([launcher.stop(job), launcher.stop(job)])
    await launcher.close()
    expect(told().filter(([what]) => what === 'started').length).toBeLessThanOrEqual(1)
  })

  it('tells an end once, however many stop a job at a time', async () => {
    const launcher = await launcherWith({ concurrency: 1 })
    // That no call is made twice is looked at after each test.
    for (const job of Array.from({ length: 20 }, () => submission('sleep 60'))) {
      await launcher.submit(job)
      const stops: Promise<void>[] = []
      for (let i = 0; i < 50; i++) {
        stops.push(launcher.stop(job))
        await eventLoopTurn()
      }
      await Promise.all(stops)
    }
  })

  it('takes a job of another start under the same key for another job', async () => {
    const launcher = await launcherWith()
    const first = submission('sleep 60')
    const second = { ...submission('sleep 60'), key: first.key }
    for (const job of [first, second]) await launcher.submit(job)
    for (const job of [first, second]) await launcher.stop(job)
  })

  it('can be closed twice, and tells nothing afterwards', async () => {
    const launcher = await launcherWith()
    await launcher.submit(submission('sleep 60'))
    await launcher.close()
    const before = told().length
    await launcher.close()
    expect(told()).toHaveLength(before)
  })
}

/** What a launcher promises that runs trainers and sees what becomes of them. */
export function runningLauncherContract(open: OpenLauncher, trainerOf: TrainerOf): void {
  const { submission, launcherWith, told, file, endOf } = setUp(open, trainerOf)
  const untilReady = () => until('the trainer to be ready', () => existsSync(file('ready')))

  describe('tells the start and then the end', () => {
    it.each([
      ['exit 0 without a result', 'echo done', 'NoResult', /code 0 without.*done/s],
      ['another exit', 'echo no data >&2; exit 3', 'ExitCode', /code 3.*no data/s],
      ['a signal', 'kill -KILL $$', 'Signal', /SIGKILL/],
    ])('of %s', async (_, script, type, message) => {
      const launcher = await launcherWith()
      const job = submission(script)
      await launcher.submit(job)
      const end = await endOf(job)
      expect(end).toMatchObject({ type, message: expect.stringMatching(message) })
      expect(told()).toEqual([
        ['started', job.key.id, 1],
        ['ended', job.key.id, 1],
      ])
    })

    it('of a trainer that cannot be started only the end', async () => {
      const launcher = await launcherWith()
      const job = submission('exit 0', ['/no/such/program'])
      await launcher.submit(job)
      expect(await endOf(job)).toMatchObject({
        type: 'SpawnFailed',
        message: expect.stringMatching(/\/no\/such\/program/),
      })
      expect(told()).toEqual([['ended', job.key.id, 1]])
    })
  })

  it('gives a trainer its task, attempt and parameters', async () => {
    const launcher = await launcherWith()
    const job = submission('echo "$EPOCHCAST_TASK_ID/$EPOCHCAST_ATTEMPT/$EPOCHCAST_PARAMS" > given')
    await launcher.submit({ ...job, attempt: 2, params: { rate: 0.5 } })
    await endOf(job)
    expect(readFileSync(file('given'), 'utf8')).toBe(`${job.key.id}/2/{"rate":0.5}\n`)
    expect(told()).toEqual([
      ['started', job.key.id, 2],
      ['ended', job.key.id, 2],
    ])
  })

  it('runs a job once that is submitted again because an answer was lost', async () => {
    const launcher = await launcherWith()
    const job = submission('echo run >> runs; touch ready; until [ -e asked ]; do sleep 0.02; done')
    await Promise.all([launcher.submit(job), launcher.submit(job)])
    await untilReady()
    await launcher.submit(job)
    writeFileSync(file('asked'), '')
    await endOf(job)
    expect(readFileSync(file('runs'), 'utf8')).toBe('run\n')
  })

  it('runs a job of another start beside one under the same key that still ends, and tells each end of its own', async () => {
    const launcher = await launcherWith({ stopGraceMs: 60_000 })
    const first = submission('touch ready; until [ -e asked ]; do sleep 0.02; done; exit 3')
    const second = { ...submission('exit 4'), key: first.key }
    await launcher.submit(first)
    await untilReady()
    await launcher.stop(first)
    await launcher.submit(second)
    expect(await endOf(second)).toMatchObject({ message: expect.stringMatching(/code 4/) })
    expect(told().filter(([what]) => what === 'ended')).toHaveLength(1)
    writeFileSync(file('asked'), '')
    expect(await endOf(first)).toMatchObject({ message: expect.stringMatching(/code 3/) })
  })

  describe('stops a job', () => {
    it('and none of another start under the same key', async () => {
      const launcher = await launcherWith()
      const first = submission('sleep 60')
      const second = {
        ...submission('touch ready; until [ -e asked ]; do sleep 0.02; done; exit 4'),
        key: first.key,
      }
      for (const job of [first, second]) await launcher.submit(job)
      await untilReady()
      await launcher.stop(first)
      expect(await endOf(first)).toMatchObject({ type: 'Signal' })
      writeFileSync(file('asked'), '')
      expect(await endOf(second)).toMatchObject({ message: expect.stringMatching(/code 4/) })
    })

    it('that waits before it was started', async () => {
      const launcher = await launcherWith({ concurrency: 1, stopGraceMs: 0 })
      const [first, second, third] = [
        submission('touch ready; sleep 60'),
        submission('touch second'),
        submission('touch third'),
      ]
      for (const job of [first, second, third]) await launcher.submit(job)
      await untilReady()
      await launcher.stop(second)
      await launcher.stop(second)
      expect(await endOf(second)).toMatchObject({ type: 'Cancelled' })
      await launcher.stop(first)
      await endOf(third)
      expect([existsSync(file('second')), existsSync(file('third'))]).toEqual([false, true])
      expect(told().filter(([, id]) => id === second.key.id)).toEqual([['ended', second.key.id, 1]])
    })

    it('that runs by first letting it stop by itself', async () => {
      const launcher = await launcherWith({ stopGraceMs: 60_000 })
      const job = submission('touch ready; until [ -e asked ]; do sleep 0.02; done; echo stopped by itself')
      await launcher.submit(job)
      await untilReady()
      await launcher.stop(job)
      writeFileSync(file('asked'), '')
      expect(await endOf(job)).toMatchObject({
        type: 'NoResult',
        message: expect.stringMatching(/stopped by itself/),
      })
    })

    it('then by SIGTERM, upon which it can clean up', async () => {
      const launcher = await launcherWith({ stopGraceMs: 50, killGraceMs: 60_000 })
      const job = submission("trap 'echo cleaned up; exit 7' TERM; touch ready; while :; do sleep 0.02; done")
      await launcher.submit(job)
      await untilReady()
      await launcher.stop(job)
      await launcher.stop(job)
      expect(await endOf(job)).toMatchObject({
        type: 'ExitCode',
        message: expect.stringMatching(/code 7.*cleaned up/s),
      })
    })

    it('at last by SIGKILL', async () => {
      const launcher = await launcherWith({ stopGraceMs: 0, killGraceMs: 100 })
      const job = submission("trap '' TERM; touch ready; while :; do sleep 0.02; done")
      await launcher.submit(job)
      await untilReady()
      await launcher.stop(job)
      expect(await endOf(job)).toMatchObject({
        type: 'Signal',
        message: expect.stringMatching(/SIGKILL/),
      })
    })

    it('that is over without telling its end again', async () => {
      const launcher = await launcherWith()
      const job = submission('exit 3')
      await launcher.submit(job)
      await endOf(job)
      await launcher.stop(job)
      expect(told()).toHaveLength(2)
    })
  })

  it('refuses jobs once it is closed, and tells nothing of them', async () => {
    const launcher = await launcherWith()
    await launcher.close()
    await expect(launcher.submit(submission('exit 0'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(told()).toEqual([])
  })
}

/** A trainer of the launcher's kind that runs a command in a folder. */
export type TrainerOf = (command: readonly [string, ...string[]], cwd: string) => Trainer

type Call = readonly [what: keyof JobObserver, id: string, attempt: number]

class Recorder implements JobObserver {
  readonly calls: Call[] = []
  /** Of each call, the start that it is about. */
  readonly startIds: string[] = []
  /** By start. */
  readonly ends = new Map<string, ProcessEnd>()

  started = (job: Job) => this.#add('started', job)
  relaunched = (job: Job) => this.#add('relaunched', job)
  ended = (job: Job, end: ProcessEnd) => {
    this.#add('ended', job)
    this.ends.set(job.startId, end)
  }

  #add(what: keyof JobObserver, { key, startId, attempt }: Job): void {
    this.calls.push([what, key.id, attempt])
    this.startIds.push(startId)
  }
}

/** A folder and an observer for each test; after it, the launcher is closed and no call was made twice. */
function setUp(open: OpenLauncher, trainerOf: TrainerOf) {
  let recorder: Recorder
  let folder: string
  let opened: Launcher | undefined
  beforeEach(() => {
    recorder = new Recorder()
    folder = mkdtempSync(join(tmpdir(), 'epochcast-launcher-'))
  })
  afterEach(async () => {
    await opened?.close()
    opened = undefined
    rmSync(folder, { recursive: true })
    const { startIds } = recorder
    const calls = recorder.calls.map(([what, , attempt], i) => [what, `${startIds[i]} ${attempt}`] as const)
    expect(calls.map((call) => call.join(' '))).toEqual([...new Set(calls.map((call) => call.join(' ')))])
    for (const [i, [what, attempt]] of calls.entries()) {
      const isLast = !calls.slice(i + 1).some(([, other]) => other === attempt)
      if (what === 'ended') expect(isLast).toBe(true)
    }
  })
  return {
    file: (name: string) => join(folder, name),
    told: () => recorder.calls,
    launcherWith: async (options: Partial<LauncherFactoryOptions> = {}) => {
      opened = await open(recorder, { concurrency: 4, stopGraceMs: 0, killGraceMs: 1000, ...options })
      return opened
    },
    submission: (
      script: string,
      command: readonly [string, ...string[]] = ['/bin/sh', '-c', script],
    ): Submission => ({
      key: { channelPrefix: 'gan:training', id: randomUUID() },
      startId: randomUUID(),
      trainer: trainerOf(command, folder),
      attempt: 1,
      params: {},
      reportToken: null,
    }),
    endOf: ({ startId }: Job): Promise<ProcessEnd> => until('the end', () => recorder.ends.get(startId)),
  }
}
