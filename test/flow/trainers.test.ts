import { describe, expect, it } from 'vitest'
import { isAlive } from '../processes/lifetime.ts'
import {
  CANCEL,
  collect,
  kindsOf,
  REPORT,
  refusal,
  run,
  START,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { serverProcess, testServer, trainersFile } from '../support/server.ts'
import { until } from '../support/until.ts'

/** A server with these scripts for trainers, and functions to start them and to look at their tasks. */
async function serverWith(
  scripts: Record<string, string>,
  env: Record<string, string> = {},
  more: Record<string, Record<string, unknown>> = {},
) {
  const server = await testServer({ EPOCHCAST_TRAINERS: trainersFile(scripts, more), ...env })
  const { url } = server
  return {
    ...server,
    start: async (trainer: string, input: Record<string, unknown> = {}): Promise<string> =>
      (await run(url, START, { input: { trainer, ...input } })).startTraining.task.id,
    task: async (id: string) => (await run(url, TASK, { id })).task,
    cancel: async (taskId: string, reason?: string) =>
      (await run(url, CANCEL, { input: { taskId, reason } })).cancelTraining.task,
    ended: (id: string) =>
      until('the end', async () => {
        const { task } = await run(url, TASK, { id })
        return ['SUCCESS', 'FAILURE', 'CANCELLED'].includes(task.status) ? task : null
      }),
  }
}

const FOREVER = 'setInterval(() => {}, 1000);'

describe('a local trainer', () => {
  it("gets of the server's environment what its configuration names, and no secrets", async () => {
    const tells = 'await report({ success: { result: process.env } })'
    const { start, ended } = await serverWith(
      { plain: tells, named: tells },
      {
        DATABASE_URL: 'postgres://user:secret@host/db',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_REGION: 'eu-central-1',
        WANDB_API_KEY: 'for all trainers',
        CUDA_VISIBLE_DEVICES: '0',
        EPOCHCAST_TRAINER_ENV: 'WANDB_*',
      },
      { named: { passEnv: ['AWS_REGION'], env: { WANDB_API_KEY: 'its own' } } },
    )
    const namesOf = async (trainer: string) => (await ended(await start(trainer))).result
    const { PATH, ...plain } = await namesOf('plain')
    const names = Object.keys(plain).filter((name) => !name.startsWith('EPOCHCAST_'))
    expect(names.sort()).toEqual(['CUDA_VISIBLE_DEVICES', 'WANDB_API_KEY'])
    expect(await namesOf('named')).toMatchObject({
      PATH,
      AWS_REGION: 'eu-central-1',
      WANDB_API_KEY: 'its own',
    })
    expect(JSON.stringify([plain, await namesOf('named')])).not.toContain('secret')
  })

  it('gets its task and parameters in its environment, reports, and succeeds', async () => {
    const { start, ended, webSocketUrl } = await serverWith(
      {
        works: `
          await report({ progress: { current: 1, total: 2, loss: params.rate } })
          await report({ success: { result: { params, attempt, secrets: process.env.EPOCHCAST_SECRET ?? null } } })`,
      },
      { EPOCHCAST_SECRET: 'of the server' },
    )
    const id = await start('works', { machineId: 'motor_siemens_001', epochs: 3, params: { rate: 0.5 } })
    expect(await ended(id)).toMatchObject({
      status: 'SUCCESS',
      progress: 100,
      loss: 0.5,
      totalEpochs: 3,
      result: {
        params: { rate: 0.5, machine_id: 'motor_siemens_001', epochs: 3 },
        attempt: 1,
        secrets: null,
      },
    })
    const results = await collect(webSocketClient(webSocketUrl), WATCH, { taskId: id, last: 10 })
    expect(kindsOf(results)).toEqual([
      'StreamOpened',
      'StatusChanged',
      'StatusChanged',
      'ProgressUpdate',
      'TrainingSucceeded',
      'StreamClosing',
    ])
  })

  it.each([
    [
      'a non-zero exit',
      'console.error("no data for", params.machine); process.exit(3)',
      'ExitCode',
      /code 3.*\nno data for/s,
    ],
    ['a crash', 'throw new TypeError("shape mismatch")', 'ExitCode', /code 1.*TypeError: shape mismatch/s],
    ['a signal', 'process.kill(process.pid, "SIGKILL")', 'Signal', /ended by SIGKILL/],
    [
      'exit 0 without a result',
      'console.log("done, I think")',
      'NoResult',
      /code 0 without.*\ndone, I think/s,
    ],
  ])('that comes to %s has failed, and the end of its output says why', async (_, script, type, message) => {
    const { start, ended, gauges } = await serverWith({ breaks: script })
    const task = await ended(await start('breaks'))
    expect(task).toMatchObject({ status: 'FAILURE', error: { type } })
    expect(task.error.message).toMatch(message)
    await until('the process to be gone', () => gauges().trainers === 0)
  })

  it('that cannot be started has failed, too', async () => {
    const { start, ended } = await serverWith({}, {}, { missing: { command: ['/no/such/program'] } })
    const task = await ended(await start('missing'))
    expect(task).toMatchObject({ status: 'FAILURE', error: { type: 'SpawnFailed' } })
    expect(task.error.message).toMatch(/ENOENT.*\/no\/such\/program/)
  })

  it('keeps the truth it reported itself, whatever its exit says', async () => {
    const { start, ended, gauges } = await serverWith({
      fails: 'await report({ failure: { error: "loss is NaN", errorType: "Diverged" } }); process.exit(1)',
      lies: 'await report({ success: { result: 1 } }); process.exit(9)',
    })
    const [fails, lies] = [await start('fails'), await start('lies')]
    expect(await ended(fails)).toMatchObject({ error: { message: 'loss is NaN', type: 'Diverged' } })
    expect(await ended(lies)).toMatchObject({ status: 'SUCCESS', result: 1 })
    await until('the processes to be gone', () => gauges().trainers === 0)
    expect(await ended(lies)).toMatchObject({ status: 'SUCCESS', error: null })
  })

  it('that leaves a process behind with its output open ends all the same', async () => {
    const { start, ended, gauges, close } = await serverWith({
      leaves: `
        import { spawn } from 'node:child_process'
        const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 15000)'], { stdio: 'inherit', detached: true })
        child.unref()
        process.exit(3)`,
    })
    expect(await ended(await start('leaves'))).toMatchObject({
      status: 'FAILURE',
      error: { type: 'ExitCode' },
    })
    await until('the launcher to be free', () => gauges().trainers === 0)
    await close()
  })

  it('writes much without harm, and only the end of it is kept', async () => {
    const { start, ended } = await serverWith({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is one where the script runs
      talks: 'for (let i = 0; i < 20000; i++) process.stdout.write(`line ${i} äöü\\n`); process.exitCode = 1',
    })
    const { error } = await ended(await start('talks'))
    expect(error.message.length).toBeLessThan(8500)
    expect(error.message).toMatch(/output:\n…line \d+ äöü\n/)
    expect(error.message).toMatch(/line 19999 äöü$/)
  })

  it('waits for its turn, first come first served, and a full queue refuses without a trace', async () => {
    const { url, start, task, ended, cancel, gauges } = await serverWith(
      { waits: `${FOREVER} await report({ status: { status: 'RUNNING' } })` },
      { EPOCHCAST_LOCAL_CONCURRENCY: '1', EPOCHCAST_LOCAL_QUEUE: '2', EPOCHCAST_STOP_GRACE_SECONDS: '0' },
    )
    const [first, second, third] = [await start('waits'), await start('waits'), await start('waits')]
    const error = await refusal(url, START, { input: { trainer: 'waits' } })
    expect(error.extensions).toMatchObject({ code: 'QUEUE_FULL', retryable: true })
    expect((await run(url, '{ tasks { edges { node { id } } } }')).tasks.edges).toHaveLength(3)
    await until('the first to run', async () => (await task(first as string)).status === 'RUNNING')
    expect((await task(second as string)).status).toBe('QUEUED')
    expect(gauges().trainers).toBe(1)

    // A queued task never starts; the one behind it moves up.
    expect((await cancel(second as string)).status).toBe('CANCELLED')
    await cancel(first as string)
    await ended(first as string)
    await until('the third to run', async () => (await task(third as string)).status === 'RUNNING')
    expect(await task(second as string)).toMatchObject({ status: 'CANCELLED', startedAt: null })
    await cancel(third as string)
    await ended(third as string)
  })
})

describe('cancelling', () => {
  it('first asks: a trainer that stops by itself says how far it came', async () => {
    const { start, task, cancel, ended, gauges } = await serverWith({
      polite: `
        for (let step = 1; ; step++) {
          const { stopRequested } = await report({ progress: { current: step } })
          if (!stopRequested) continue
          await report({ status: { status: 'CANCELLED', message: 'stopped after step ' + step } })
          break
        }`,
    })
    const id = await start('polite')
    await until('some progress', async () => (await task(id)).current > 2)
    const asked = await cancel(id, 'wrong data')
    expect(asked).toMatchObject({ stopRequested: true })
    expect(await cancel(id, 'again')).toBeTruthy()
    const { current, ...rest } = await ended(id)
    expect(rest).toMatchObject({
      status: 'CANCELLED',
      stopReason: `wrong data; stopped after step ${current}`,
    })
    expect(current).toBeGreaterThan(2)
    await until('the process to be gone', () => gauges().trainers === 0)
  })

  it('then sends SIGTERM, and the task is cancelled with the reason given', async () => {
    const { start, task, cancel, ended, webSocketUrl } = await serverWith(
      { deaf: `${FOREVER} await report({ progress: { current: 1 } })` },
      { EPOCHCAST_STOP_GRACE_SECONDS: '0.1' },
    )
    const id = await start('deaf')
    await until('a report', async () => (await task(id)).current === 1)
    await cancel(id, 'too slow')
    expect(await ended(id)).toMatchObject({ status: 'CANCELLED', error: null })
    const results = await collect(webSocketClient(webSocketUrl), WATCH, { taskId: id })
    expect(results.at(-2)?.data.trainingProgress).toMatchObject({ reason: 'too slow' })
  })

  it('and at last SIGKILL, children of the trainer included', async () => {
    const { start, task, cancel, ended } = await serverWith(
      {
        stubborn: `
          import { spawn } from 'node:child_process'
          process.on('SIGTERM', () => {})
          const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { stdio: 'inherit' })
          ${FOREVER}
          await report({ progress: { current: child.pid } })`,
      },
      { EPOCHCAST_STOP_GRACE_SECONDS: '0', EPOCHCAST_KILL_GRACE_SECONDS: '0.2' },
    )
    const id = await start('stubborn')
    const { current: childPid } = await until('a report', async () => {
      const found = await task(id)
      return found.current ? found : null
    })
    await cancel(id)
    expect((await ended(id)).status).toBe('CANCELLED')
    await until('the child to be gone', () => !isAlive(childPid))
  })

  it('a waiting training ends even if somebody has reported to it', async () => {
    const { url, start, cancel, ended } = await serverWith(
      { waits: FOREVER },
      { EPOCHCAST_LOCAL_CONCURRENCY: '1', EPOCHCAST_KILL_GRACE_SECONDS: '0' },
    )
    await start('waits')
    const second = await start('waits')
    await run(url, REPORT, { input: { taskId: second, reports: [{ progress: { current: 1 } }] } })
    await cancel(second, 'not needed')
    expect(await ended(second)).toMatchObject({ status: 'CANCELLED', stopReason: 'not needed' })
  })

  it('what has ended is refused, what is cancelled stays so', async () => {
    const { url, start, ended, cancel } = await serverWith({ works: 'await report({ success: {} })' })
    const id = await start('works')
    await ended(id)
    const error = await refusal(url, CANCEL, { input: { taskId: id } })
    expect(error.extensions).toMatchObject({ code: 'TASK_ENDED', status: 'SUCCESS' })
    const external = await start('external')
    expect((await cancel(external)).status).toBe('CANCELLED')
    expect((await cancel(external)).status).toBe('CANCELLED')
    expect((await refusal(url, CANCEL, { input: { taskId: 'nobody' } })).extensions.code).toBe(
      'TASK_NOT_FOUND',
    )
  })
})

describe('when the server stops', () => {
  it('it does so with readers of server-sent events still there', async () => {
    const { url, start, close } = await serverWith({})
    const taskId = await start('external')
    const query = 'subscription ($taskId: ID!) { trainingProgress(taskId: $taskId) { __typename } }'
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query, variables: { taskId } }),
    })
    const reader = response.body?.getReader()
    await reader?.read()
    await close()
    await expect(
      (async () => {
        while (!(await reader?.read())?.done);
      })(),
    ).rejects.toThrow()
  })

  it('every trainer is ended and every viewer is told to come back', async () => {
    const { start, task, close, webSocketUrl, gauges } = await serverWith(
      {
        stubborn: `process.on('SIGTERM', () => {}); ${FOREVER} await report({ progress: { current: process.pid } })`,
      },
      { EPOCHCAST_KILL_GRACE_SECONDS: '0.2' },
    )
    const ids = [await start('stubborn'), await start('stubborn'), await start('stubborn')]
    const pids = await until('two to run', async () => {
      const tasks = await Promise.all(ids.map(task))
      const running = tasks.flatMap(({ current }) => (current ? [current] : []))
      return running.length === 2 ? running : null
    })
    const client = webSocketClient(webSocketUrl)
    const closed = new Promise<{ code: number }>((resolve) =>
      client.on('closed', (event) => resolve(event as never)),
    )
    client.subscribe(
      { query: WATCH, variables: { taskId: await start('external') } },
      { next() {}, error() {}, complete() {} },
    )
    await until('the viewer to be there', () => gauges().feeds === 1)
    await close()
    expect(pids.map(isAlive)).toEqual([false, false])
    expect((await closed).code).toBe(1001)
  })

  it('even by SIGKILL, no trainer survives it', async () => {
    const file = trainersFile({ lasts: `${FOREVER} await report({ progress: { current: process.pid } })` })
    const { url, kill } = await serverProcess({ EPOCHCAST_TRAINERS: file })
    const { startTraining } = await run(url, START, { input: { trainer: 'lasts' } })
    const { current: pid } = await until('a report', async () => {
      const { task } = await run(url, TASK, { id: startTraining.task.id })
      return task.current ? task : null
    })
    expect(isAlive(pid)).toBe(true)
    await kill()
    await until('the trainer to be gone', () => !isAlive(pid))
  })
})

describe('silence', () => {
  it('marks a running task STALLED, and the next report brings it back', async () => {
    const { url, start, task } = await serverWith({}, { EPOCHCAST_STALL_SECONDS: '1' })
    const id = await start('external')
    const progress = { input: { taskId: id, reports: [{ progress: { current: 1 } }] } }
    await run(url, REPORT, progress)
    expect((await task(id)).status).toBe('RUNNING')
    await until('the stall', async () => (await task(id)).status === 'STALLED')
    await run(url, REPORT, progress)
    expect((await task(id)).status).toBe('RUNNING')
  })

  it('gives a task up when its trainer never comes back', async () => {
    const { start, ended } = await serverWith(
      {},
      { EPOCHCAST_STALL_SECONDS: '1', EPOCHCAST_ABANDON_SECONDS: '2' },
    )
    const task = await ended(await start('external'))
    expect(task).toMatchObject({ status: 'FAILURE', error: { type: 'Abandoned' } })
  })
})

it('a trainer tells the schema of its parameters, for whoever makes a form of it', async () => {
  const params = { type: 'object', properties: { depth: { type: 'integer', minimum: 1, default: 3 } } }
  const { url } = await serverWith({ shaped: '', free: '' }, {}, { shaped: { params } })
  const { server } = await run(url, '{ server { trainers { name paramsSchema } } }')
  expect(server.trainers).toEqual([
    { name: 'shaped', paramsSchema: params },
    { name: 'free', paramsSchema: null },
    { name: 'external', paramsSchema: null },
  ])
})
