import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { findRedisServer } from '../provide.js'
import { until } from './until.ts'

/** A port nobody listens on at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** A real Redis of its own, on loopback, in a folder of its own. */
export class TestRedis {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'epochcast-redis-'))
  readonly #args: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, args: readonly string[]) {
    this.port = port
    this.#args = args
  }

  /** @param args settings such as `--appendonly yes` */
  static async start(args: readonly string[] = []): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), args)
    await redis.start()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const program = findRedisServer()
    if (!program)
      throw new Error('no redis-server found; run the tests with npm test, or set REDIS_SERVER_PATH')
    const isSentinel = this.#args.includes('--sentinel')
    const settings = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#folder]
    const args = isSentinel ? [...this.#args, ...settings] : [...settings, '--save', '', ...this.#args]
    this.#process = spawn(program, args, { stdio: 'ignore' })
    await this.run(async (client) => {
      await until('Redis to answer', async () => (await client.ping().catch(() => null)) === 'PONG')
    })
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    const ended = this.#process
    this.#process = undefined
    if (!ended || ended.exitCode !== null) return
    ended.kill('SIGKILL')
    await once(ended, 'exit')
  }

  /** Stops the process where it stands; its connections stay open. */
  async freeze(): Promise<void> {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async close(): Promise<void> {
    this.thaw()
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Runs commands on a connection that is closed afterwards. */
  async run<T>(commands: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 20 })
    client.on('error', () => {})
    try {
      return await commands(client)
    } finally {
      client.disconnect()
    }
  }
}

/** A sentinel that watches a master and promotes its replica within seconds; for one test. */
export async function testSentinel(master: TestRedis): Promise<{ url: string }> {
  const config = join(mkdtempSync(join(tmpdir(), 'epochcast-sentinel-')), 'sentinel.conf')
  writeFileSync(
    config,
    [
      `sentinel monitor epochcast 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds epochcast 500',
      'sentinel failover-timeout epochcast 3000',
    ].join('\n'),
  )
  const sentinel = await TestRedis.start([config, '--sentinel'])
  onTestFinished(async () => {
    await sentinel.close()
    rmSync(dirname(config), { recursive: true, force: true })
  })
  return { url: `redis+sentinel://127.0.0.1:${sentinel.port}/epochcast` }
}

/** A Redis for one test. */
export async function testRedis(args: readonly string[] = []): Promise<TestRedis> {
  const redis = await TestRedis.start(args)
  onTestFinished(() => redis.close())
  return redis
}

export interface TestCluster {
  readonly url: string
  readonly masters: readonly TestRedis[]
  /** Masters and replicas. */
  readonly nodes: readonly TestRedis[]
  /** Kills a master that its replica has caught up with, and waits until the replica has taken over. */
  failOver(master: TestRedis): Promise<void>
  close(): Promise<void>
}

export const clusterUrlOf = (nodes: readonly TestRedis[]): string =>
  `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`

/** Masters of a test cluster, each with one replica. */
const MASTERS = 3
/** First slots of the masters, and the number of all slots. */
const SLOTS = [0, 5461, 10_923, 16_384]

/** A Redis Cluster of three masters with a replica each. */
export async function startCluster(): Promise<TestCluster> {
  const args = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '1000',
    '--repl-diskless-sync-delay',
    '0',
  ]
  const nodes = await Promise.all(Array.from({ length: 2 * MASTERS }, () => TestRedis.start(args)))
  const [masters, replicas] = [nodes.slice(0, MASTERS), nodes.slice(MASTERS)]
  for (const [i, master] of masters.entries()) {
    await master.run((client) =>
      client.call('CLUSTER', 'ADDSLOTSRANGE', `${SLOTS[i]}`, `${(SLOTS[i + 1] ?? 0) - 1}`),
    )
  }
  const first = nodes[0] as TestRedis
  for (const node of nodes) {
    await node.run((client) => client.call('CLUSTER', 'MEET', '127.0.0.1', `${first.port}`))
  }
  const agree = () =>
    Promise.all(
      nodes.map((node) =>
        node.run((client) =>
          until(
            'the cluster to agree',
            async () => {
              const info = String(await client.call('CLUSTER', 'INFO'))
              return /cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${nodes.length}`)
            },
            30_000,
          ),
        ),
      ),
    )
  await agree()
  for (const [i, replica] of replicas.entries()) {
    const id = String(await (masters[i] as TestRedis).run((client) => client.call('CLUSTER', 'MYID')))
    await replica.run(async (client) => {
      await client.call('CLUSTER', 'REPLICATE', id)
      await until(
        'the replica to follow',
        async () => /master_link_status:up/.test(await client.info('replication')),
        30_000,
      )
    })
  }
  await agree()
  return {
    url: clusterUrlOf(nodes),
    masters,
    nodes,
    failOver: async (master) => {
      const replica = replicas[masters.indexOf(master)] as TestRedis
      await master.run((client) => client.wait(1, 5000))
      await master.kill()
      await replica.run((client) =>
        until(
          'the replica to be promoted',
          async () => /role:master/.test(await client.info('replication')),
          30_000,
        ),
      )
    },
    close: async () => {
      await Promise.all(nodes.map((node) => node.close()))
    },
  }
}
