import { describe, expect, it } from 'vitest'
import { CANCEL, run, startExternal } from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { startPython, taskWithSeries } from './support/python.ts'

const WORKER = ['-m', 'celery', '-A', 'celery_app', 'worker', '--pool', 'solo', '--loglevel', 'INFO']

/** A Celery worker on a Redis of its own, and Python that has `celery_app` and `url` at hand. */
async function startWorker() {
  const { url } = await testServer()
  const redis = await testRedis()
  const env = { CELERY_BROKER_URL: `${redis.url}/0`, EPOCHCAST_URL: url }
  const worker = startPython(WORKER, env)
  await until('the worker', () => / ready\.$/m.test(worker.printed.err), 30_000)
  return {
    url,
    worker,
    python: async (code: string): Promise<string> => {
      const { ended, printed } = startPython(['-c', `import celery_app\nurl = "${url}"\n${code}`], env)
      expect(await ended, printed.err).toBe(0)
      return printed.out.trim()
    },
  }
}

const ended = (url: string, id: string) =>
  until('the end', async () => {
    const task = await taskWithSeries(url, id)
    return ['SUCCESS', 'FAILURE', 'CANCELLED'].includes(task.status) ? task : null
  })

describe('celery_app.py, on a Celery worker', () => {
  it('reports, succeeds, and is found by its id in Celery', async () => {
    const { url, worker, python } = await startWorker()
    const task = await ended(url, await python('print(celery_app.start(5, url))'))
    expect(task).toMatchObject({ status: 'SUCCESS', current: 5, total: 5, progress: 100 })
    expect(task.points('loss', null)).toHaveLength(5)
    await until('the end in Celery', () => worker.printed.err.includes(`[${task.labels.celery}] succeeded`))
  })

  it('fails with the traceback, and stops when it is cancelled', async () => {
    const { url, worker, python } = await startWorker()
    const failing = await startExternal(url)
    await python(`celery_app.train.apply_async(("${failing}", "five"), task_id="by-hand")`)
    const failed = await ended(url, failing)
    expect(failed).toMatchObject({ status: 'FAILURE', error: { type: 'TypeError' } })
    expect(failed.error?.message).toMatch(/in train\n[\s\S]*\nTypeError: .*\n$/)
    await until('the failure in Celery', () => worker.printed.err.includes('[by-hand] raised'))

    const taskId = await python('print(celery_app.start(100_000, url))')
    await until('an epoch', async () => (await taskWithSeries(url, taskId)).current >= 1)
    await run(url, CANCEL, { input: { taskId } })
    const cancelled = await ended(url, taskId)
    expect(cancelled).toMatchObject({ status: 'CANCELLED', error: null })
    expect(cancelled.current).toBeLessThan(100_000)
  })
})
