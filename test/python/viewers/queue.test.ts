import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type Data, run } from '../../support/graphql.ts'
import { queueWorker } from '../../support/queue-worker.ts'
import { testRedis } from '../../support/redis.ts'
import { testServer, trainersFile } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { startProgram } from '../support/python.ts'
import { viewersPython } from './provide.js'

const SCRIPTS = {
  tvae: 'await report({ progress: { current: 1 } }, { success: { result: { attempt, ...params } } })',
  failing: 'await report({ progress: { current: attempt } }); process.exit(3)',
}
const QUEUED = { launcher: 'bullmq' }
const TASKS = `{ tasks { edges { node { name status attempt result error { type } } } } }`

/** Puts jobs, given as `[data, options]`, into the queue as other applications would; prints what failed. */
const ENQUEUE = `
import asyncio, json, os, sys
from bullmq import Queue

async def main():
    queue = Queue("training", {"connection": os.environ["REDIS_URL"]})
    for data, options in json.loads(sys.argv[1]):
        await queue.add("a run", data, options)
    while len(failed := await queue.getFailed()) < int(sys.argv[2]):
        await asyncio.sleep(0.05)
    print(json.dumps(sorted(job.failedReason.split(":")[0] for job in failed)))
    await queue.close()

asyncio.run(main())
`

it('Python’s BullMQ puts trainings into the queue that a worker runs', async () => {
  const python = viewersPython()
  if (!existsSync(python))
    throw new Error(`there is no ${python} yet; run node test/python/viewers/provide.js`)
  const redis = await testRedis()
  const env = {
    EPOCHCAST_TRAINERS: trainersFile(SCRIPTS, { tvae: QUEUED, failing: QUEUED }),
    REDIS_URL: redis.url,
  }
  const { url } = await testServer(env)
  await queueWorker({ ...env, EPOCHCAST_REPORT_URL: url }, '--concurrency', '2')
  const enqueued = startProgram(python, ['examples/enqueue.py'], { REDIS_URL: redis.url })
  expect(await enqueued.ended, enqueued.printed.err).toBe(0)
  expect(enqueued.printed.out).toMatch(/^job 1 waits/)

  const jobs = [
    [
      { trainer: 'failing', name: 'twice' },
      { attempts: 2, backoff: { type: 'fixed', delay: 50 } },
    ],
    [{ trainer: 'failing', name: 'once' }, {}],
    [
      { trainer: 'tvae', name: 'later', params: { epochs: 2 } },
      { delay: 100, priority: 5 },
    ],
    [{ trainer: 'none', name: 'unknown' }, {}],
    [{ epochs: 1 }, {}],
  ]
  const others = startProgram(python, ['-c', ENQUEUE, JSON.stringify(jobs), '4'], { REDIS_URL: redis.url })
  expect(await others.ended, others.printed.err).toBe(0)
  expect(JSON.parse(others.printed.out)).toEqual(['BadJob', 'ExitCode', 'ExitCode', 'TrainerNotFound'])

  const tasks = await until('all to have ended', async () => {
    const nodes: Data[] = (await run(url, TASKS)).tasks.edges.map(({ node }: Data) => node)
    const ended = nodes.filter(({ status }) => status === 'SUCCESS' || status === 'FAILURE')
    return ended.length === 5 ? ended : null
  })
  const failed = (type: string, attempt: number) => ({ status: 'FAILURE', attempt, error: { type } })
  expect(Object.fromEntries(tasks.map(({ name, ...task }) => [name, task]))).toMatchObject({
    nightly: { status: 'SUCCESS', result: { attempt: 1, epochs: 100 } },
    later: { status: 'SUCCESS', result: { attempt: 1, epochs: 2 } },
    twice: failed('ExitCode', 2),
    once: failed('ExitCode', 1),
    unknown: failed('TrainerNotFound', 1),
  })
})
