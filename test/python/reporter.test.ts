import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run, startExternal, TASK } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { eventKinds, startPython, taskWithSeries } from './support/python.ts'

const SETTINGS = `
import reporter, sys
reporter.TIMEOUT_SECONDS, reporter.PAUSE_SECONDS, reporter.END_TRIES = 30, 1000, 2
from reporter import Reporter
r = Reporter()
`

/** Runs Python with a reporter \`r\` for a task. */
async function python(url: string, taskId: string, code: string) {
  const env = { EPOCHCAST_URL: url, EPOCHCAST_TASK_ID: taskId }
  const { ended, printed } = startPython(['-c', SETTINGS + code], env)
  return { code: await ended, ...printed, said: printed.err.match(/^epochcast: .*$/gm) ?? [] }
}

/** An HTTP server that is not Epochcast. */
async function otherServer(listener: RequestListener): Promise<{ url: string; calls: () => number }> {
  let calls = 0
  const server = createServer((request, response) => {
    calls++
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, calls: () => calls }
}

async function externalTask() {
  const { url } = await testServer()
  return { url, taskId: await startExternal(url) }
}

const progress = (current: number) => `r.report({"progress": {"current": ${current}}})\n`

describe('reporter.py', () => {
  it('repeats what got no response, and each event is there once', async () => {
    const { url, taskId } = await externalTask()
    // Takes every call to the server, and loses every second response.
    const lossy = await otherServer(async (request, response) => {
      const lost = lossy.calls() % 2 === 1
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(url, { method: 'POST', headers, body: Buffer.concat(chunks) })
      const body = await answer.text()
      if (lost) response.destroy()
      else response.writeHead(answer.status, headers).end(body)
    })
    const steps = [1, 2, 3, 4].map(progress).join('')
    const { code, err } = await python(lossy.url, taskId, `reporter.PAUSE_SECONDS = 0\n${steps}r.end()`)
    expect(code, err).toBe(0)
    expect(await eventKinds(url, taskId)).toEqual([
      'StatusChanged',
      'StatusChanged',
      ...Array(4).fill('ProgressUpdate'),
      'TrainingSucceeded',
    ])
  })

  it("prints the server's own words for a refusal, leaves that call out and goes on", async () => {
    const { url, taskId } = await externalTask()
    const { said } = await python(url, taskId, `${progress(-1)}${progress(2)}r.end()`)
    expect(said).toEqual([expect.stringMatching(/^epochcast: .*current.* -1/)])
    expect((await run(url, TASK, { id: taskId })).task).toMatchObject({ status: 'SUCCESS', current: 2 })
  })

  it('reports the end apart from what was refused before it', async () => {
    const { url, taskId } = await externalTask()
    const bad = 'r.waiting.append({"progress": {"current": -1}})\n'
    const { said } = await python(url, taskId, `${bad}r.end()`)
    expect(said).toHaveLength(1)
    expect((await run(url, TASK, { id: taskId })).task.status).toBe('SUCCESS')
  })

  it('carries numbers that JSON has not', async () => {
    const { url, taskId } = await externalTask()
    const metrics = '{"a": float("nan"), "b": float("-inf"), "c": float("inf"), "d": 1}'
    const { err } = await python(
      url,
      taskId,
      `r.report({"epochEnd": {"epoch": 1, "phase": "VAL", "metrics": ${metrics}}})`,
    )
    expect(err).toBe('')
    const task = await taskWithSeries(url, taskId)
    expect(task.series.map(({ name, points }) => [name, points[0]?.value]).sort()).toEqual([
      ['a', 'NaN'],
      ['b', '-Infinity'],
      ['c', 'Infinity'],
      ['d', 1],
    ])
  })

  it('says that a training should stop, and the rest is CANCELLED', async () => {
    const { url, taskId } = await externalTask()
    await run(url, 'mutation ($i: CancelTrainingInput!) { cancelTraining(input: $i) { task { id } } }', {
      i: { taskId },
    })
    const { out } = await python(url, taskId, 'with r: print(r.report())')
    expect(out).toBe('True\n')
    expect((await run(url, TASK, { id: taskId })).task.status).toBe('CANCELLED')
  })

  it.each([
    ['an exception', 'raise KeyError("x")', 1, 'FAILURE'],
    ['exit(0)', 'sys.exit(0)', 0, 'SUCCESS'],
    ['exit(3)', 'sys.exit(3)', 3, 'FAILURE'],
    ['the end of the block', 'pass', 0, 'SUCCESS'],
  ])('with reports the end by itself: %s', async (_, statement, exitCode, status) => {
    const { url, taskId } = await externalTask()
    const { code } = await python(url, taskId, `with r: ${statement}`)
    expect(code).toBe(exitCode)
    expect((await run(url, TASK, { id: taskId })).task.status).toBe(status)
  })

  it.each([
    ['a page that is no GraphQL', 502, 'text/html', '<h1>Bad Gateway</h1>', 'Bad Gateway'],
    ['JSON of something else', 200, 'application/json', '[]', ''],
    ['no payload', 200, 'application/json', '{"data": {"reportMetrics": null}}', ''],
  ])('raises nothing for %s, and says so once', async (_, status, type, body, words) => {
    const other = await otherServer((_request, response) => {
      response.writeHead(status, { 'content-type': type }).end(body)
    })
    const { code, err, said } = await python(other.url, 'task-1', `${progress(1)}${progress(2)}r.end()`)
    expect(code, err).toBe(0)
    expect(said).toEqual([expect.stringContaining(words)])
  })

  it('leaves out by its words what is no report', async () => {
    const { url, taskId } = await externalTask()
    const { code, said } = await python(url, taskId, `r.report({"progress": {"current": object()}})\nr.end()`)
    expect(code).toBe(0)
    expect(said).toHaveLength(1)
    expect((await run(url, TASK, { id: taskId })).task.status).toBe('SUCCESS')
  })

  it('does not wait again for a server that hangs, but for the end', async () => {
    const silent = await otherServer(() => {})
    const steps = [1, 2, 3, 4, 5].map(progress).join('')
    const { code, said } = await python(silent.url, 'task-1', `reporter.TIMEOUT_SECONDS = 1\n${steps}r.end()`)
    expect(code).toBe(0)
    expect(said).toEqual([expect.stringContaining('timed out')])
    // The first report, all that waits before the end, and the end twice.
    expect(silent.calls()).toBe(4)
  })

  it('keeps 200 reports while its server is away', async () => {
    const { url, taskId } = await externalTask()
    const away = `r.url = "http://127.0.0.1:9/"\nfor i in range(1, 302): r.report({"progress": {"current": i}})\n`
    await python(url, taskId, `${away}r.url = "${url}"\nr.end()`)
    expect((await run(url, TASK, { id: taskId })).task).toMatchObject({ status: 'SUCCESS', current: 200 })
  })
})
