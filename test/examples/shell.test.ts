import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { dataDirectory } from '../support/data-directory.ts'
import { CANCEL, progressReports, report, run, START, startExternal, TASK } from '../support/graphql.ts'
import { serverProcess, testServer, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

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

it('run.sh runs a training as a task, and ends as it does', async () => {
  const { url } = await testServer()
  const { stdout, stderr } = await shell('run.sh', ['sh', '-c', 'echo "trained $0"', '$HOME'], url)
  expect(stdout).toBe('trained $HOME\n')
  const { tasks } = await run(url, '{ tasks { edges { node { id name status labels } } } }')
  const [{ node }] = tasks.edges
  expect(node).toMatchObject({ name: 'my training', status: 'SUCCESS', labels: { team: 'vision' } })
  expect(stderr).toContain(node.id)
  await expect(shell('run.sh', ['sh', '-c', 'exit 7'], url)).rejects.toMatchObject({ code: 7 })
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

it('follow.sh gives each event once, also where its server is killed and started again', async () => {
  const server = await serverProcess({ EPOCHCAST_DATA: dataDirectory() })
  const { url } = server
  const id = await startExternal(url)
  await report(url, id, ...progressReports(1, 10))
  // A group of its own, so that its curl ends with it.
  const child = spawn('sh', ['examples/follow.sh', id], {
    cwd: root,
    env: { PATH: process.env.PATH, EPOCHCAST_URL: url },
    detached: true,
  })
  const ended = once(child, 'close')
  let isOver = false
  child.on('exit', () => {
    isOver = true
  })
  onTestFinished(() => {
    if (!isOver) process.kill(-(child.pid as number), 'SIGKILL')
  })
  let printed = ''
  child.stdout.on('data', (text) => {
    printed += text
  })
  const events = () =>
    printed
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  const steps = () => events().flatMap(({ type, current }) => (type === 'ProgressUpdate' ? [current] : []))
  await until('the first ten', () => steps().length === 10)
  await server.kill()
  await server.start()
  await report(url, id, ...progressReports(11, 20), { success: { result: { text: '\\n "quoted"' } } })
  expect((await ended)[0]).toBe(0)
  expect(steps()).toEqual(range(1, 20))
  expect(events().slice(-2)).toMatchObject([
    { type: 'TrainingSucceeded', result: { text: '\\n "quoted"' } },
    { type: 'StreamClosing' },
  ])
})

it('follow.sh ends with the words of a server that refuses', async () => {
  const { url } = await testServer()
  const refused = await shell('follow.sh', ['nowhere'], url).catch((error) => error)
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('TASK_NOT_FOUND')
})
