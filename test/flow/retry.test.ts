import { describe, expect, it } from 'vitest'
import { dataDirectory } from '../support/data-directory.ts'
import { CANCEL, type Data, post, refusal, report, run } from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { SECRET_ENV, tokenFor } from '../support/tokens.ts'

const START = /* GraphQL */ `
  mutation ($input: StartTrainingInput!) {
    startTraining(input: $input) { task { id retryOf trainer channelPrefix machineId labels params status } }
  }`

const UPDATE = 'mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { id } } }'
const DELETE = 'mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { taskId } }'

const params = {
  type: 'object',
  additionalProperties: false,
  properties: {
    epochs: { type: 'integer', default: 5 },
    machine_id: { type: 'string' },
    rate: { type: 'number', default: 0.1 },
  },
}
const GIVEN = {
  trainer: 'first',
  channelPrefix: 'ml:training',
  machineId: 'motor-1',
  epochs: 7,
  params: { rate: 0.5 },
  labels: { team: 'vision' },
}

const server = () =>
  testServer({
    EPOCHCAST_TRAINERS: trainersFile(
      {},
      { first: { launcher: 'external', params }, second: { launcher: 'external', params } },
    ),
  })

const start = async (url: string, input: object): Promise<Data> =>
  (await run(url, START, { input })).startTraining.task

async function finished(url: string, input: object = GIVEN): Promise<string> {
  const { id } = await start(url, input)
  await report(url, id, { failure: { error: 'it diverged' } })
  return id
}

describe('a retry', () => {
  it('of a finished task is started with what that had', async () => {
    const { url } = await server()
    const id = await finished(url)
    const task = await start(url, { retryOf: id })
    expect(task).toEqual({
      id: task.id,
      retryOf: id,
      trainer: 'first',
      channelPrefix: 'ml:training',
      machineId: 'motor-1',
      labels: { team: 'vision' },
      params: { epochs: 7, machine_id: 'motor-1', rate: 0.5 },
      status: 'QUEUED',
    })
    expect(task.id).not.toBe(id)
    expect(await start(url, { trainer: 'first' })).toMatchObject({ retryOf: null })
  })

  it('takes what is given anew, parameters one by one', async () => {
    const { url } = await server()
    const id = await finished(url)
    const more = {
      trainer: 'second',
      machineId: 'motor-2',
      epochs: 9,
      labels: {},
      channelPrefix: 'llm:training',
    }
    expect(await start(url, { retryOf: id, ...more })).toMatchObject({
      trainer: 'second',
      channelPrefix: 'llm:training',
      machineId: 'motor-2',
      labels: {},
      params: { epochs: 9, machine_id: 'motor-2', rate: 0.5 },
    })
    expect(await start(url, { retryOf: id, params: { rate: 1, epochs: 2 } })).toMatchObject({
      machineId: 'motor-1',
      params: { epochs: 2, machine_id: 'motor-1', rate: 1 },
    })
    const again = await finished(url, { retryOf: id })
    expect(await start(url, { retryOf: again })).toMatchObject({ retryOf: again, params: { rate: 0.5 } })
  })

  it('is refused where there is no such task, or it may still report', async () => {
    const { url } = await server()
    const unknown = await refusal(url, START, { input: { retryOf: 'unknown' } })
    expect(unknown.extensions).toMatchObject({ code: 'TASK_NOT_FOUND', retryable: false })
    const { id } = await start(url, GIVEN)
    const refused = await refusal(url, START, { input: { retryOf: id } })
    expect(refused.extensions).toMatchObject({ code: 'TASK_NOT_ENDED', status: 'QUEUED' })
    expect(refused.message).toMatch(
      /retryOf is task "ml:training:.*", which is QUEUED; expected one that has/,
    )
    await run(url, CANCEL, { input: { taskId: id } })
    expect(await start(url, { retryOf: id })).toMatchObject({ retryOf: id })
  })

  it('that is repeated is the same, whatever has become of the task that it retries', async () => {
    const { url } = await server()
    const id = await finished(url)
    const input = { retryOf: id, idempotencyKey: 'k' }
    const first = await start(url, input)
    await run(url, UPDATE, { input: { taskId: id, labels: { team: 'sound' } } })
    expect(await start(url, input)).toEqual(first)
    // Another input is a conflict in any case.
    const conflict = await refusal(url, START, { input: { ...input, epochs: 9 } })
    expect(conflict.extensions).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
    await run(url, DELETE, { input: { taskId: id } })
    expect(await start(url, input)).toEqual(first)
    const gone = await refusal(url, START, { input: { ...input, idempotencyKey: 'another' } })
    expect(gone.extensions).toMatchObject({ code: 'TASK_NOT_FOUND' })
  })

  it('is refused where its parameters and those that it takes over are too many', async () => {
    const { url } = await testServer({
      EPOCHCAST_TRAINERS: trainersFile(
        {},
        {
          any: { launcher: 'external' },
          filling: {
            launcher: 'external',
            params: { type: 'object', properties: { text: { type: 'string', default: 'x'.repeat(10_000) } } },
          },
        },
      ),
    })
    const many = (name: string) => ({ [name]: 'x'.repeat(10_000) })
    const id = await finished(url, { trainer: 'any', params: many('a') })
    for (const input of [
      { retryOf: id, params: many('b') },
      { retryOf: id, trainer: 'filling' },
      { trainer: 'filling', params: many('b') },
    ]) {
      const refused = await refusal(url, START, { input })
      expect(refused.extensions).toMatchObject({ code: 'BAD_INPUT' })
      expect(refused.message).toMatch(/^params is 200\d\d bytes of JSON.*; expected at most 16384$/)
    }
    // What is replaced does not count, and what was taken once can be retried.
    const next = await finished(url, { retryOf: id, params: many('a') })
    expect(await start(url, { retryOf: next })).toMatchObject({ params: many('a') })
  })

  it('is refused where its labels and those of the token are too many', async () => {
    const { url } = await testServer(SECRET_ENV)
    const bearer = await tokenFor(600, { labels: { team: 'x'.repeat(200) } })
    const input = { trainer: 'external', labels: { text: 'x'.repeat(8100) } }
    const refused = await refusal(url, START, { input }, bearer)
    expect(refused.extensions).toMatchObject({ code: 'BAD_INPUT' })
    expect(refused.message).toMatch(
      /^labels is 83\d\d bytes of JSON with those of the token; expected at most 8192$/,
    )
  })

  it('is one task for one idempotencyKey, and another input than the start it repeats', async () => {
    const { url } = await server()
    const id = await finished(url)
    const input = { retryOf: id, idempotencyKey: 'k' }
    const first = await start(url, input)
    expect(await start(url, input)).toEqual(first)
    const { errors } = await post(url, START, { input: { ...GIVEN, idempotencyKey: 'k' } })
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
  })
})

it('a start that is repeated is the same, whatever the configuration of trainers is by then', async () => {
  const data = dataDirectory()
  const withTrainers = (trainers: Record<string, Record<string, unknown>>) =>
    testServer({ EPOCHCAST_DATA: data, EPOCHCAST_TRAINERS: trainersFile({}, trainers) })
  const first = await withTrainers({ first: { launcher: 'external', params, channelPrefix: 'ml:training' } })
  const input = { trainer: 'first', idempotencyKey: 'k' }
  const task = await start(first.url, input)
  const other = { trainer: 'first', idempotencyKey: 'k', params: { rate: 0.2 } }
  await first.close()
  const properties = { ...params.properties, rate: { type: 'number', default: 0.3 } }
  const second = await withTrainers({
    first: { launcher: 'external', params: { ...params, properties }, channelPrefix: 'ml:training' },
  })
  expect(await start(second.url, input)).toEqual(task)
  const conflict = await refusal(second.url, START, { input: other })
  expect(conflict.extensions).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
  await second.close()
  const third = await withTrainers({})
  expect(await start(third.url, input)).toEqual(task)
})
