import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import { type Data, run, START, startExternal, TASK } from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { SECRET_ENV, tokenFor } from '../support/tokens.ts'
import { until } from '../support/until.ts'

/** A status as Hugging Face Transformers posts it. */
const status = (step: number, steps: number, metrics: Record<string, string> = {}) => ({
  trainerStatus: {
    progressPercentage: Math.floor((100 * step) / steps),
    estimatedRemainingSeconds: 12,
    lastUpdatedTime: '2026-11-29T10:00:00.123456+00:00',
    metrics: Object.entries({ ...metrics, current_step: String(step), total_steps: String(steps) }).map(
      ([name, value]) => ({ name, value }),
    ),
  },
})

const post = (url: string, id: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(new URL(`/kubeflow/gan:training/${id}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

describeEngines((open) => {
  it("a status of the Kubeflow Trainer's protocol is a report of progress", async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const task = async () => (await run(url, TASK, { id })).task
    const first = await post(url, id, { trainerStatus: { progressPercentage: 0, metrics: null } })
    expect([first.status, await first.json()]).toEqual([200, {}])
    expect(await task()).toMatchObject({ status: 'RUNNING', progress: 0 })
    const metrics = {
      loss: '0.25',
      grad_norm: 'nan',
      learning_rate: '5e-05',
      current_epoch: '1.5',
      note: 'text',
      optimizer: 'constructor',
    }
    expect((await post(url, id, status(30, 200, metrics))).status).toBe(200)
    expect(await task()).toMatchObject({
      ...{ current: 30, total: 200, progress: 15, epoch: 1.5, loss: 0.25 },
      metrics: { loss: 0.25, grad_norm: 'NaN', learning_rate: 5e-5 },
    })
    expect((await task()).metrics).not.toHaveProperty('note')
    expect((await task()).metrics).not.toHaveProperty('optimizer')
    // The last one has a percentage alone, and is counted as those before it.
    const last = { progressPercentage: 100, metrics: [{ name: 'train_runtime', value: '3.5' }] }
    expect((await post(url, id, { trainerStatus: last })).status).toBe(200)
    expect(await task()).toMatchObject({ current: 200, total: 200, progress: 100 })
  })
})

describe('a status that cannot be taken', () => {
  it.each([
    ['no JSON', '{', 400, 'BAD_REQUEST'],
    ['no status', '{}', 400, 'BAD_INPUT'],
    ['a percentage beyond 100', { trainerStatus: { progressPercentage: 101 } }, 400, 'BAD_INPUT'],
    ['metrics that are no list', { trainerStatus: { metrics: {} } }, 400, 'BAD_INPUT'],
    ['a time that is none', { trainerStatus: { lastUpdatedTime: 'now' } }, 400, 'BAD_INPUT'],
    ['metrics that are none', { trainerStatus: { metrics: [0] } }, 400, 'BAD_INPUT'],
    ['too much', 'x'.repeat(1_048_577), 413, 'BODY_TOO_LARGE'],
  ])('has %s, and is told', async (_, body, code, name) => {
    const { url } = await testServer()
    const response = await post(url, await startExternal(url), body)
    expect(response.status).toBe(code)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: name } }] })
  })

  it('has a megabyte of wrong metrics, and is told that they are too many instead of what is wrong with each', async () => {
    const { url } = await testServer()
    const body = `{"trainerStatus":{"metrics":[${'0,'.repeat(500_000)}0]}}`
    const { errors } = (await (await post(url, 'a', body)).json()) as Data
    const message = expect.stringMatching(/^trainerStatus\.metrics: Too big.*10000/)
    expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_INPUT' } }])
  })

  it('is of no task, by another method, or without the right', async () => {
    const { url } = await testServer(SECRET_ENV)
    const bearer = async (claims: Data) => ({ authorization: `Bearer ${await tokenFor(60, claims)}` })
    expect((await post(url, 'nowhere', status(1, 2))).status).toBe(401)
    expect((await post(url, 'nowhere', status(1, 2), await bearer({ scope: 'viewer' }))).status).toBe(403)
    expect((await post(url, 'nowhere', status(1, 2), await bearer({ scope: 'trainer' }))).status).toBe(404)
    const at = new URL('/kubeflow/gan:training/nowhere', url)
    expect((await fetch(at, { headers: await bearer({}) })).status).toBe(405)
  })
})

it('a trainer of the configuration that speaks the protocol gets what it needs, and ends by its exit', async () => {
  const script = `
    import { readFileSync, statSync } from 'node:fs'
    const { KUBEFLOW_TRAINER_SERVER_URL: url, KUBEFLOW_TRAINER_SERVER_TOKEN: file } = process.env
    const body = JSON.stringify(${JSON.stringify(status(7, 10, { loss: '1.5' }))})
    const authorization = 'Bearer ' + readFileSync(file, 'utf8').trim()
    if (statSync(file).mode & 0o077) process.exit(4)
    const response = await fetch(url, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body })
    console.log('token file', file)
    process.exit(response.ok ? params.code : 3)`
  const { url } = await testServer({
    ...SECRET_ENV,
    EPOCHCAST_TRAINERS: trainersFile({ speaks: script }, { speaks: { kubeflow: true } }),
  })
  const operator = await tokenFor(60)
  const ended = async (code: number) => {
    const input = { trainer: 'speaks', params: { code } }
    const { startTraining } = await run(url, START, { input }, operator)
    return until('the end', async () => {
      const { task } = await run(url, TASK, { id: startTraining.task.id }, operator)
      return ['SUCCESS', 'FAILURE'].includes(task.status) ? task : null
    })
  }
  expect(await ended(0)).toMatchObject({ status: 'SUCCESS', current: 7, loss: 1.5, result: null })
  const failed = await ended(5)
  expect(failed).toMatchObject({ status: 'FAILURE', error: { type: 'ExitCode' } })
  // With the process its token is gone.
  const [, file = ''] = /token file (\S+)/.exec(failed.error.message) ?? []
  expect([file !== '', existsSync(file)]).toEqual([true, false])
})
