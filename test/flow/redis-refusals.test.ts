import { rmSync } from 'node:fs'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { startServer } from '../../src/server.ts'
import {
  CANCEL,
  post,
  progressReports,
  REPORT,
  report,
  START,
  startExternal,
  TASK,
  WATCH,
} from '../support/graphql.ts'
import { type TestRedis, testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const SERIES = 'query ($id: ID!) { task(id: $id) { series(names: ["loss"]) { points { value } } } }'
const EVENTS = 'query ($id: ID!) { task(id: $id) { events(first: 2) { edges { cursor } } } }'
const TASKS = '{ tasks { edges { node { id } } } }'
const UPDATE = 'mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { id } } }'
const DELETE = 'mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { taskId } }'

/** Every way to the engine; each is refused where it can serve nothing. */
const operations = (id: string): [string, Record<string, unknown>][] => [
  [START, { input: { trainer: 'external', idempotencyKey: 'again' } }],
  [REPORT, { input: { taskId: id, reports: [{ progress: { current: 4 } }] } }],
  [REPORT, { input: { taskId: 'another', reports: [{ progress: { current: 4 } }] } }],
  [UPDATE, { input: { taskId: id, name: `${Math.random()}` } }],
  [CANCEL, { input: { taskId: id } }],
  [DELETE, { input: { taskId: id } }],
  [TASK, { id }],
  [SERIES, { id }],
  [EVENTS, { id }],
  [TASKS, {}],
]

async function setUp(redis: TestRedis, timeoutSeconds: number) {
  const told: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void told.push(JSON.parse(line).msg) })
  const env = {
    PORT: '0',
    REDIS_URL: redis.url,
    EPOCHCAST_REDIS_TIMEOUT_SECONDS: String(timeoutSeconds),
    EPOCHCAST_ENGINE_WAIT_SECONDS: '0',
  }
  const server = await startServer(readConfig(env, {}), logger)
  onTestFinished(() => server.close())
  const taskId = await startExternal(server.url)
  await report(server.url, taskId, ...progressReports(1, 3))
  return { ...server, taskId, told }
}

/** How clients are told, and how it is told in the log. */
interface Refusal {
  readonly code: 'ENGINE_UNAVAILABLE' | 'STORE_FULL'
  readonly message: string
  /** In the library's and Redis' own words, which no client gets. */
  readonly told: RegExp
  /** Long, but where nothing is answered at all. */
  readonly timeoutSeconds?: number
  begin(redis: TestRedis): Promise<void> | void
}

const unavailable = (words: string) => `${words}; nothing is known to be applied, try again`
const AWAY = { code: 'ENGINE_UNAVAILABLE', message: unavailable('Redis is out of reach') } as const

const set =
  (...settings: string[]) =>
  async (redis: TestRedis) => {
    await redis.run((client) => client.call('CONFIG', 'SET', ...settings))
  }

/** One that asks nothing of its own, since it would be refused, too. */
function connection({ port }: TestRedis): Redis {
  const client = new Redis(port, '127.0.0.1', { enableReadyCheck: false, retryStrategy: () => null })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

const isRefused = (client: Redis): Promise<boolean> =>
  client.get('x').then(
    () => false,
    () => true,
  )

const REFUSALS: Record<string, Refusal> = {
  'is stopped': { ...AWAY, told: /^Redis is out of reach \(.*ECONN/, begin: (redis) => redis.end() },
  'is frozen': {
    ...AWAY,
    told: /^Redis does not serve: Command timed out/,
    timeoutSeconds: 0.3,
    begin: (redis) => redis.freeze(),
  },
  'is at its maxmemory': {
    code: 'STORE_FULL',
    message: 'Redis is at its maxmemory and takes no more',
    told: /^Redis does not serve: OOM command not allowed/,
    begin: set('maxmemory', '1'),
  },
  'has too few replicas': {
    code: 'ENGINE_UNAVAILABLE',
    message: unavailable('Redis has too few replicas to take anything'),
    told: /^Redis does not serve: NOREPLICAS /,
    begin: set('min-replicas-to-write', '1'),
  },
  'is a replica that serves nothing': {
    code: 'ENGINE_UNAVAILABLE',
    message: unavailable('Redis is a replica without its master at present'),
    told: /^Redis does not serve: MASTERDOWN /,
    begin: async (redis) => {
      await set('replica-serve-stale-data', 'no')(redis)
      await redis.run((client) => client.replicaof('127.0.0.1', 1))
    },
  },
  'cannot save to its disk': {
    code: 'ENGINE_UNAVAILABLE',
    message: unavailable('Redis cannot save to its disk, and takes nothing'),
    told: /^Redis does not serve: MISCONF /,
    begin: (redis) =>
      redis.run(async (client) => {
        const [, folder] = (await client.config('GET', 'dir')) as [string, string]
        rmSync(folder, { recursive: true })
        await client.config('SET', 'save', '3600 1')
        await client.set('unsaved', '1')
        await client.bgsave()
        const failed = async () => /rdb_last_bgsave_status:err/.test(await client.info('persistence'))
        await until('the save to fail', failed)
      }),
  },
  'is busy with a script': {
    code: 'ENGINE_UNAVAILABLE',
    message: unavailable('Redis is busy with a script'),
    told: /^Redis does not serve: BUSY /,
    begin: async (redis) => {
      await set('busy-reply-threshold', '1')(redis)
      const [runner, other] = [connection(redis), connection(redis)]
      const ended = runner.eval('while true do end', 0).catch(() => {})
      onTestFinished(async () => {
        await other.script('KILL')
        await ended
      })
      await until('Redis to be busy', () => isRefused(other))
    },
  },
  'does not let the server do anything': {
    code: 'ENGINE_UNAVAILABLE',
    message: unavailable('Redis refuses this server'),
    told: /^Redis does not serve: NOPERM /,
    begin: async (redis) => {
      const kept = ['+acl', '+ping', '+subscribe', '+unsubscribe']
      await redis.run((client) => client.call('ACL', 'SETUSER', 'default', '-@all', ...kept))
    },
  },
}

describe.each(Object.entries(REFUSALS))('clients of a server whose Redis %s', (_, refusal) => {
  it('are told so in the words of the server, and its log has those of Redis', async () => {
    const redis = await testRedis()
    const { url, taskId, told } = await setUp(redis, refusal.timeoutSeconds ?? 10)
    await refusal.begin(redis)
    const { code, message } = refusal
    const results = await Promise.all(
      operations(taskId).map(([query, variables]) => post(url, query, variables)),
    )
    const errors = results.flatMap((result) => result.errors ?? [])
    // Where only writes are refused, a stream goes on.
    if ((await post(url, TASK, { id: taskId })).errors) {
      const refused = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query: WATCH, variables: { taskId } }),
      })
      // Clients of streams come back by themselves on this status.
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
      expect(await refused.text()).toMatch(/"the engine was out of reach for 0 s \(EPOCHCAST_/)
    }
    const ofEngine = errors.filter(({ extensions }) => extensions.retryable)
    expect(ofEngine.length).toBeGreaterThanOrEqual(4)
    for (const { message: words, extensions } of ofEngine)
      expect({ code: extensions.code, words }).toEqual({ code, words: message })
    await until('the log to tell why', () => told.some((line) => refusal.told.test(line)))
    expect(told.filter((line) => refusal.told.test(line))).toHaveLength(1)
    const ready = await fetch(url.replace('/graphql', '/ready'))
    expect(await ready.text()).toMatch(/^\{"status":"(not )?ready"\}$/)
  })
})
