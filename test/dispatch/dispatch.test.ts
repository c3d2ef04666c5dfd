import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Dispatch } from '../../src/dispatch/dispatch.ts'
import { StartBounds } from '../../src/dispatch/start-bounds.ts'
import { Trainers } from '../../src/dispatch/trainers.ts'
import type { Snapshot } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import type {
  AdoptingLauncher,
  Job,
  Reservation,
  ReservingLauncher,
  Submission,
} from '../../src/launcher/launcher.ts'
import { ANYONE } from '../../src/repository/access.ts'
import { TaskCatalog } from '../../src/repository/task-catalog.ts'
import { EpochcastError, type ErrorCode } from '../../src/task/errors.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { append, createTask, givenUp, range, runningAgain, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { taskWriter } from '../support/writer.ts'

/** A launcher with a bounded queue; `refusals` and `stopFailures` are what its next calls reject with. */
class FakeLauncher implements ReservingLauncher {
  readonly name = 'external'
  readonly jobsOutliveServer: boolean = false
  readonly submitted: Submission[] = []
  readonly stopped: Job[] = []
  readonly refusals: unknown[] = []
  readonly stopFailures: unknown[] = []
  places = 0

  reserve(): Reservation {
    this.places++
    let isReserved = true
    const release = () => {
      if (isReserved) this.places--
      isReserved = false
    }
    const submit = async (job: Submission) => {
      if (this.refusals.length > 0) throw this.refusals.shift()
      release()
      this.submitted.push(job)
    }
    return { submit, release }
  }

  submit(job: Submission): Promise<void> {
    return this.reserve().submit(job)
  }

  async stop(job: Job): Promise<void> {
    if (this.stopFailures.length > 0) throw this.stopFailures.shift()
    this.stopped.push(job)
  }

  async close(): Promise<void> {}
}

let log: MemoryStore
let dispatch: Dispatch
let launcher: FakeLauncher
let errors: unknown[]
beforeEach(() => {
  log = new MemoryStore({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })
  errors = []
  dispatch = new Dispatch(log, taskWriter(log), Trainers.load(null, []), {
    channelPrefixes: ['gan:training'],
    serverId: 'this',
    maxBackground: 20,
    onError: (error) => errors.push(error),
  })
  launcher = new FakeLauncher()
  dispatch.use(launcher)
})
afterEach(async () => {
  await dispatch.close()
  await log.close()
  expect(errors).toEqual([])
})

const request = (idempotencyKey: string | null) => ({
  trainer: null,
  name: null,
  channelPrefix: null,
  machineId: null,
  epochs: null,
  params: {},
  labels: null,
  retryOf: null,
  idempotencyKey,
})

/** The next call of a method has its effect, and fails all the same. */
function loseAnswer(method: 'create' | 'append', code: ErrorCode, isApplied: boolean): void {
  const real = log[method].bind(log) as (...args: unknown[]) => Promise<never>
  vi.spyOn(log, method).mockImplementationOnce(async (...args: unknown[]) => {
    if (isApplied) await real(...args)
    throw new EpochcastError(code, 'the answer was lost')
  })
}

describe('a start whose answer is lost', () => {
  it('is launched all the same where its caller can come back for it', async () => {
    loseAnswer('create', 'ENGINE_UNAVAILABLE', true)
    await expect(dispatch.start(ANYONE, request('key'))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    await until('the launch', () => launcher.submitted.length === 1)
    const again = await dispatch.start(ANYONE, request('key'))
    expect(again.snapshot.state.spec.id).toBe(launcher.submitted[0]?.key.id)
    expect([launcher.submitted.length, launcher.places]).toEqual([1, 0])
  })

  it('ends where nobody knows of it', async () => {
    loseAnswer('create', 'ENGINE_UNAVAILABLE', true)
    await expect(dispatch.start(ANYONE, request(null))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    await until('its end', async () => (await log.list('unfinished', null, 1)).snapshots.length === 0)
    const [snapshot] = (await log.list('all', null, 1)).snapshots
    expect(snapshot?.state.error?.type).toBe('NotStarted')
    await until('its place to be given back', () => launcher.places === 0)
    expect(launcher.submitted).toEqual([])
  })

  it('takes no place where it had no effect', async () => {
    loseAnswer('create', 'ENGINE_UNAVAILABLE', false)
    await expect(dispatch.start(ANYONE, request('key'))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    await until('its place to be given back', () => launcher.places === 0)
    await dispatch.start(ANYONE, request('key'))
    expect(launcher.submitted).toHaveLength(1)
  })
})

it.each(['ENGINE_UNAVAILABLE', 'STORE_FULL', 'CONTENDED'] as const)(
  'the end of a process is recorded, if only after %s',
  async (code) => {
    const { snapshot } = await dispatch.start(ANYONE, request(null))
    loseAnswer('append', code, false)
    dispatch.jobs.ended(launcher.submitted[0] as Job, { message: 'it exited with code 3', type: 'ExitCode' })
    await until('the end', async () => (await log.snapshot(snapshot.state.spec))?.state.status === 'FAILURE')
  },
)

describe('a job that cannot be submitted', () => {
  const away = () => new EpochcastError('ENGINE_UNAVAILABLE', 'the broker is away')
  const start = async () => (await dispatch.start(ANYONE, request(null))).snapshot.state.spec
  const stateOf = async (key: TaskKey) => (await log.snapshot(key))?.state

  it('at first is submitted again', async () => {
    launcher.refusals.push(away(), away())
    const key = await start()
    await until('the job', () => launcher.submitted.length === 1)
    expect(await stateOf(key)).toMatchObject({ status: 'QUEUED' })
    expect(launcher.places).toBe(0)
  })

  it('for good fails its task, and says why', async () => {
    launcher.refusals.push(new EpochcastError('BAD_PARAMS', 'the message has 2000000 bytes'))
    const key = await start()
    await until('the end', async () => (await stateOf(key))?.status === 'FAILURE')
    expect((await stateOf(key))?.error).toEqual({
      message: 'the external launcher did not take the job: the message has 2000000 bytes',
      type: 'SubmitFailed',
    })
    expect([launcher.submitted, launcher.places]).toEqual([[], 0])
  })

  it('because of a bug fails its task without showing the inside', async () => {
    const bug = new TypeError('amqp://user:secret@broker')
    launcher.refusals.push(bug)
    const key = await start()
    await until('the end', async () => (await stateOf(key))?.status === 'FAILURE')
    expect((await stateOf(key))?.error?.message).not.toContain('secret')
    expect(errors.splice(0)).toEqual([bug])
  })

  it('is not submitted once its task was cancelled', async () => {
    launcher.refusals.push(away())
    const key = await start()
    await dispatch.cancel(ANYONE, key.id, null, null)
    await until('its place to be given back', () => launcher.places === 0)
    expect(launcher.submitted).toEqual([])
    // Once for the cancellation, once because the submission may have had its effect.
    await until('it to be stopped', () => launcher.stopped.length === 2)
  })

  it('before the server stops has failed', async () => {
    launcher.refusals.push(away())
    const key = await start()
    await dispatch.close()
    expect((await stateOf(key))?.error?.type).toBe('ServerStopped')
    expect([launcher.submitted, launcher.places]).toEqual([[], 0])
  })

  it('has no task where the queue is full', async () => {
    vi.spyOn(launcher, 'reserve').mockImplementationOnce(() => {
      throw new EpochcastError('QUEUE_FULL', 'the queue is full')
    })
    await expect(start()).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    expect((await log.list('all', null, 1)).snapshots).toEqual([])
  })
})

it('a stop that fails is tried again', async () => {
  const { snapshot } = await dispatch.start(ANYONE, request(null))
  launcher.stopFailures.push(new EpochcastError('ENGINE_UNAVAILABLE', 'the broker is away'))
  dispatch.jobs.started(launcher.submitted[0] as Job)
  const { id } = snapshot.state.spec
  await until('the start', async () => (await log.snapshot(snapshot.state.spec))?.state.status === 'RUNNING')
  await dispatch.cancel(ANYONE, id, null, null)
  await until('the stop', () => launcher.stopped.length > 0)
  expect(launcher.stopped[0]).toMatchObject({ key: { id }, attempt: 1 })
})

it('a relaunched job that was asked to stop is stopped, and its task cancelled', async () => {
  const { snapshot } = await dispatch.start(ANYONE, request(null))
  const stateNow = async () => (await log.snapshot(snapshot.state.spec))?.state
  const job = launcher.submitted[0] as Job
  dispatch.jobs.started(job)
  dispatch.jobs.relaunched({ ...job, attempt: 2 })
  await until('the relaunch', async () => (await stateNow())?.attempt === 2)
  dispatch.jobs.ended(job, { message: 'its worker was lost', type: 'WorkerLost' })
  dispatch.jobs.started({ ...job, attempt: 2 })
  await until('the second start', async () => (await stateNow())?.status === 'RUNNING')
  await dispatch.cancel(ANYONE, job.key.id, null, 'wrong data')
  dispatch.jobs.relaunched({ ...job, attempt: 3 })
  await until('the end', async () => (await stateNow())?.status === 'CANCELLED')
  expect(await stateNow()).toMatchObject({ attempt: 2, stopReason: 'wrong data' })
})

describe('a job whose task was deleted', () => {
  const drop = async (key: TaskKey) => {
    await append(log, key, succeeded())
    await log.drop(key, (await log.snapshot(key)) as Snapshot)
  }
  const stoppedIds = () => launcher.stopped.map(({ startId }) => startId)

  it('is stopped, and what is told of it is nothing that went wrong', async () => {
    const { snapshot } = await dispatch.start(ANYONE, request('key'))
    const [job] = launcher.submitted as unknown as [Job]
    await drop(snapshot.state.spec)
    await until('the stop', () => stoppedIds().includes(job.startId))
    const before = launcher.stopped.length
    dispatch.jobs.started(job)
    await until('another stop', () => launcher.stopped.length > before)
    dispatch.jobs.relaunched({ ...job, attempt: 2 })
    dispatch.jobs.ended({ ...job, attempt: 2 }, { message: 'it exited with code 3', type: 'ExitCode' })
  })

  it('is none of the task that was started again under its id', async () => {
    const { snapshot } = await dispatch.start(ANYONE, request('key'))
    const key = snapshot.state.spec
    await drop(key)
    await dispatch.start(ANYONE, request('key'))
    const [first, second] = launcher.submitted as unknown as [Job, Job]
    expect([second.key.id, second.startId === first.startId]).toEqual([first.key.id, false])
    dispatch.jobs.started(first)
    await until('the first to be stopped again', () => stoppedIds().length === 2)
    dispatch.jobs.relaunched({ ...first, attempt: 2 })
    dispatch.jobs.ended(first, { message: 'it exited with code 3', type: 'ExitCode' })
    dispatch.jobs.started(second)
    await until('its start', async () => (await log.snapshot(key))?.state.status === 'RUNNING')
    expect((await log.snapshot(key))?.state.attempt).toBe(1)
    // As another server does.
    await append(log, key, { ...runningAgain(), stopRequested: true } as ReturnType<typeof runningAgain>)
    await until('the second to be stopped', () => stoppedIds().includes(second.startId))
    expect(stoppedIds().slice(0, 2)).toEqual([first.startId, first.startId])
    dispatch.jobs.ended(second, { message: 'it exited with code 4', type: 'ExitCode' })
    await until('its end', async () => (await log.snapshot(key))?.state.status === 'CANCELLED')
  })
})

describe('a server that starts', () => {
  const adopted: Job[] = []
  class FakeQueue extends FakeLauncher implements AdoptingLauncher {
    override readonly jobsOutliveServer = true
    readonly failures: unknown[] = [new EpochcastError('ENGINE_UNAVAILABLE', 'the broker is away')]

    async adopt(jobs: readonly Job[]): Promise<void> {
      if (this.failures.length > 0) throw this.failures.shift()
      adopted.push(...jobs)
    }
  }

  it('adopts the unfinished jobs of a queue, however long that is away', async () => {
    const submitting = await Promise.all(range(1, 3).map(() => dispatch.start(ANYONE, request(null))))
    const [first, second, third] = launcher.submitted as readonly Job[] as [Job, Job, Job]
    dispatch.jobs.ended(first, { message: 'it exited with code 3', type: 'ExitCode' })
    dispatch.jobs.relaunched({ ...second, attempt: 2 })
    await createTask(log, { trainer: 'of another configuration' })
    const unfinished = async () => (await log.list('unfinished', null, 9)).snapshots.map(({ state }) => state)
    await until('one to have ended', async () => (await unfinished()).length === submitting.length)
    await until('the relaunch', async () => (await unfinished()).some(({ attempt }) => attempt === 2))

    dispatch.use(new FakeQueue())
    dispatch.adopt()
    await until('the adoption', () => adopted.length > 0)
    expect(adopted.map(({ key, attempt }) => [key.id, attempt])).toEqual([
      [third.key.id, 1],
      [second.key.id, 2],
    ])
    expect(adopted.every(({ trainer }) => trainer.name === 'external')).toBe(true)
  })
})

describe('what one address may start', () => {
  const from = (address: string | null) => ({ ...ANYONE, address })
  const withBounds = async (startsPerHour: number | null, maxUnfinished: number | null, maxTasks = 1000) => {
    const catalog = new TaskCatalog(log, (error) => errors.push(error))
    onTestFinished(() => catalog.close())
    await catalog.loaded()
    const unfinishedOf = (address: string) => catalog.unfinishedOf(address)
    dispatch = new Dispatch(log, taskWriter(log), Trainers.load(null, []), {
      channelPrefixes: ['gan:training'],
      serverId: 'this',
      startBounds: new StartBounds({
        ...{ startsPerHour, maxTasks, maxUnfinished, unfinishedOf },
        taskCount: () => catalog.index.size,
      }),
      onError: (error) => errors.push(error),
    })
    dispatch.use(launcher)
  }

  it('is so many in an hour; a repeat is no start, and others have their own', async () => {
    await withBounds(30, null)
    for (const i of ['a', 'b', 'c']) await dispatch.start(from('10.0.0.1'), request(i))
    await expect(dispatch.start(from('10.0.0.1'), request('d'))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      details: { retryAfterMs: expect.any(Number) },
    })
    expect((await log.list('all', null, 10)).snapshots).toHaveLength(3)
    expect(launcher.places).toBe(0)
    await dispatch.start(from('10.0.0.1'), request('a'))
    await dispatch.start(from('10.0.0.2'), request('d'))
    for (const i of ['e', 'f', 'g', 'h']) await dispatch.start(from(null), request(i))
  })

  it('is so many that are unfinished, whatever ends and comes back', async () => {
    await withBounds(null, 2)
    const first = await dispatch.start(from('10.0.0.1'), request(null))
    await dispatch.start(from('10.0.0.1'), request('b'))
    const third = () => dispatch.start(from('10.0.0.1'), request(null))
    await expect(third()).rejects.toMatchObject({
      code: 'TOO_MANY_TASKS',
      message: expect.stringContaining('has 2 unfinished tasks; expected at most 2'),
    })
    await dispatch.start(from('10.0.0.1'), request('b'))
    await dispatch.start(from('10.0.0.2'), request(null))
    await append(log, first.snapshot.state.spec, givenUp())
    await third()
    await append(log, first.snapshot.state.spec, runningAgain())
    await expect(third()).rejects.toMatchObject({ code: 'TOO_MANY_TASKS' })
    expect(launcher.places).toBe(0)
  })
  it('is no more than there may be in all, whoever started them and whether they ended', async () => {
    await withBounds(null, null, 3)
    const started = await dispatch.start(from('10.0.0.1'), request('a'))
    await dispatch.start(from('10.0.0.2'), request('b'))
    await dispatch.start(from(null), request('c'))
    await append(log, started.snapshot.state.spec, succeeded())
    for (const address of ['10.0.0.3', null])
      await expect(dispatch.start(from(address), request('d'))).rejects.toMatchObject({
        code: 'TOO_MANY_TASKS',
        message: expect.stringContaining('there are 3 tasks; expected at most 3 (EPOCHCAST_MAX_TASKS)'),
      })
    await log.drop(started.snapshot.state.spec, (await log.snapshot(started.snapshot.state.spec)) as Snapshot)
    await dispatch.start(from('10.0.0.3'), request('d'))
  })
})

it('while an engine is away, so many starts at most wait to be settled', async () => {
  const away = new EpochcastError('ENGINE_UNAVAILABLE', 'away')
  const create = vi.spyOn(log, 'create').mockRejectedValue(away)
  const snapshot = vi.spyOn(log, 'snapshot').mockRejectedValue(away)
  const start = () => dispatch.start(ANYONE, request(null)).catch((error: unknown) => error)
  await Promise.all(range(1, 20).map(start))
  expect(create).toHaveBeenCalledTimes(20)
  expect(await start()).toMatchObject({ code: 'ENGINE_UNAVAILABLE', details: { retryAfterMs: 5000 } })
  expect(create).toHaveBeenCalledTimes(20)
  create.mockRestore()
  snapshot.mockRestore()
})
