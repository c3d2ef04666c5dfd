import { expect, it } from 'vitest'
import { run, START, TASK } from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'
import { until } from '../support/until.ts'

it('a server that listens everywhere is reached by the trainers that it starts', async () => {
  const { url } = await testServer({
    HOST: '0.0.0.0',
    EPOCHCAST_ALLOW_ANONYMOUS: '1',
    EPOCHCAST_TRAINERS: trainersFile({
      works: 'await report({ success: { result: process.env.EPOCHCAST_URL } })',
    }),
  })
  const { startTraining } = await run(url, START, { input: { trainer: 'works' } })
  const { id } = startTraining.task
  await until('its success', async () => (await run(url, TASK, { id })).task.status === 'SUCCESS')
  expect((await run(url, TASK, { id })).task.result).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/graphql$/)
})
