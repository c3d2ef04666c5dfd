import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { CANCEL, run, START, startExternal, TASK } from '../support/graphql.ts'
import { testServer, trainersFile } from '../support/server.ts'

const root = join(import.meta.dirname, '../..')

/** Runs an example in the shell, from the checkout, as its first line says. */
const shell = (example: string, args: readonly string[], url: string) =>
  promisify(execFile)('sh', [`examples/${example}`, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, EPOCHCAST_URL: url },
  })

it('report.sh reports with curl, and learns whether to stop', async () => {
  const { url } = await testServer()
  const taskId = await startExternal(url)
  const first = await shell('report.sh', [taskId], url)
  expect(JSON.parse(first.stdout)).toEqual({ data: { reportMetrics: { accepted: 1, stopRequested: false } } })
  expect((await run(url, TASK, { id: taskId })).task).toMatchObject({
    current: 3,
    total: 50,
    metrics: { loss: 0.42, accuracy: 0.81 },
  })
  await run(url, CANCEL, { input: { taskId } })
  const second = await shell('report.sh', [taskId], url)
  expect(JSON.parse(second.stdout).data.reportMetrics.stopRequested).toBe(true)
})

it('retry.sh starts a finished task again with one parameter changed, and watches it', async () => {
  const trainers = trainersFile({
    tvae: 'await report({ success: { result: { rate: params.learning_rate, machine: params.machine_id } } })',
  })
  const { url } = await testServer({ EPOCHCAST_TRAINERS: trainers })
  const input = { trainer: 'tvae', machineId: 'pump_3', params: { learning_rate: 0.1 } }
  const { task } = (await run(url, START, { input })).startTraining
  await expect.poll(async () => (await run(url, TASK, { id: task.id })).task.status).toBe('SUCCESS')

  const { stdout } = await shell('retry.sh', [task.id], url)
  const { tasks } = await run(url, '{ tasks(first: 10) { edges { node { id retryOf result } } } }')
  const nodes = tasks.edges.map(({ node }: { node: { id: string } }) => node)
  const again = nodes.find(({ retryOf }: { retryOf: string | null }) => retryOf === task.id)
  expect(again.result).toEqual({ rate: 0.0005, machine: 'pump_3' })
  expect(stdout).toMatch(/SUCCESS/)
})
