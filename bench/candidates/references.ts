import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { WatchedTask } from '../client/watched-task.ts'
import { expectedEvent, type Progress } from '../client/workload.ts'
import { MeasuredServer } from '../measured-server.ts'
import { channelOf, messageOf, SHARED_ID, selectedEvent, wholeEvent } from '../references/events.ts'
import { BARE, type Candidate, type Setting, type Standing, YOGA } from './candidate.ts'
import { HttpReporter, PublishReporter } from './reporters.ts'

export const bareWs: Candidate = {
  name: BARE,
  start: (setting) =>
    start(BARE, 'bare-ws.js', 'channel', setting, (_, progress) =>
      messageOf(SHARED_ID, selectedEvent(progress, progress.current)),
    ),
}

export const yoga: Candidate = {
  name: YOGA,
  start: (setting) =>
    start(YOGA, 'yoga.js', 'graphql', setting, (taskId, progress) =>
      JSON.stringify({ trainingProgress: wholeEvent(taskId, progress, progress.current) }),
    ),
}

/** @param payloadOf what is published for an event */
async function start(
  name: string,
  file: string,
  dialect: 'channel' | 'graphql',
  setting: Setting,
  payloadOf: (taskId: string, progress: Progress) => string,
): Promise<Standing> {
  const { redisUrl, cores, env, reportsToItself, keepsNothing } = setting
  const server = await MeasuredServer.start({
    name,
    entry: join(import.meta.dirname, '../references', file),
    core: cores.measured,
    env: {
      ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
      ...(keepsNothing ? { BENCH_KEEPS_NOTHING: '1' } : {}),
      ...env,
    },
  })
  const redis = redisUrl ? new Redis(redisUrl) : null
  const reporter =
    redis && !reportsToItself
      ? new PublishReporter(redis, channelOf, payloadOf)
      : new HttpReporter(server.port)
  return {
    server,
    dialect,
    reporter,
    createTasks: async (count, messageLength) =>
      Array.from({ length: count }, () => new WatchedTask(randomUUID(), messageLength)),
    countLog: async (task) => (redis && name === BARE && !keepsNothing ? countStream(redis, task) : null),
    close: async () => {
      reporter.close()
      redis?.disconnect()
      await server.kill()
    },
  }
}

const PAGE = 1000

async function countStream(redis: Redis, task: WatchedTask) {
  let from = '-'
  let count = 0
  for (;;) {
    const entries = await redis.xrange(`log:${channelOf(task.id)}`, from, '+', 'COUNT', PAGE)
    for (const [, fields] of entries) {
      const { current, loss } = JSON.parse(fields[1] ?? '').payload.data.trainingProgress
      const expected = expectedEvent(++count, task.messageLength)
      if (current !== expected.current || loss !== expected.loss) {
        throw new Error(`entry ${count} of the stream is of event ${current}`)
      }
    }
    const last = entries.at(-1)
    if (!last || entries.length < PAGE) return count
    from = `(${last[0]}`
  }
}
