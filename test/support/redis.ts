import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { RedisProcess as TestRedis } from '../processes/redis-process.ts'
import { until } from './until.ts'

export { TestRedis }

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

/** Milliseconds: nodes that hear nothing of each other for half of it let go of their connection, and of what was published. */
const NODE_TIMEOUT = { patient: '30000', failing: '1000' }

/** A Redis Cluster of three masters with a replica each. */
export async function startCluster(): Promise<TestCluster> {
  const args = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    NODE_TIMEOUT.patient,
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
  const setTimeouts = (some: readonly TestRedis[], timeout: string) =>
    Promise.all(
      some.map((node) => node.run((client) => client.config('SET', 'cluster-node-timeout', timeout))),
    )
  return {
    url: clusterUrlOf(nodes),
    masters,
    nodes,
    failOver: async (master) => {
      const replica = replicas[masters.indexOf(master)] as TestRedis
      await master.run((client) => client.wait(1, 5000))
      await setTimeouts(nodes, NODE_TIMEOUT.failing)
      await master.kill()
      await replica.run((client) =>
        until(
          'the replica to be promoted',
          async () => /role:master/.test(await client.info('replication')),
          30_000,
        ),
      )
      const others = nodes.filter((node) => node !== master)
      await setTimeouts(others, NODE_TIMEOUT.patient)
    },
    close: async () => {
      await Promise.all(nodes.map((node) => node.close()))
    },
  }
}
