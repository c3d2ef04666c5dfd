import { Agent, request } from 'node:http'
import { expect, it } from 'vitest'
import { type Data, run, START, startExternal, webSocketClient } from '../support/graphql.ts'
import { ATTACKER, type AttackedServer, withstands } from './support/attacked-server.ts'

const MIB = 2 ** 20
const ATTACK_MS = 6000

/** Operations over HTTP from the attacker's address. */
function attackerOf({ url }: AttackedServer) {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, localAddress: ATTACKER })
  return (query: string, variables: unknown = {}) =>
    new Promise<Data>((resolve, reject) => {
      const body = JSON.stringify({ query, variables })
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const call = request(url, { agent, method: 'POST', headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve(JSON.parse(text)))
      })
      call.on('error', reject).end(body)
    })
}

/** So many at a time, for a while; returns how often each code came. */
async function again(
  atATime: number,
  ms: number,
  step: () => Promise<Data>,
): Promise<Record<string, number>> {
  const codes: Record<string, number> = {}
  const end = performance.now() + ms
  const loop = async () => {
    while (performance.now() < end) {
      const { errors } = await step()
      const code = errors?.[0]?.extensions?.code ?? 'done'
      codes[code] = (codes[code] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: atATime }, loop))
  return codes
}

const REPORT = 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }'
/** 256 metrics with names as long as they may be. */
const metricsOf = (part: number) =>
  Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`${part}.${i}.`.padEnd(128, 'm'), i]))

it('states that grow: refused where they have no room, and running tasks of others keep every event', async () => {
  let codes: Record<string, number> = {}
  await withstands(
    {
      name: 'states that grow',
      maxGrowthMiB: 400,
      env: { EPOCHCAST_MEMORY_BYTES: `${32 * MIB}` },
      run: async (server) => {
        const attack = attackerOf(server)
        const ids: string[] = []
        let sent = 0
        codes = await again(4, ATTACK_MS, async () => {
          sent++
          if (sent <= 200) {
            const started = await attack(START, {
              input: {
                trainer: 'external',
                labels: { text: 'x'.repeat(8000) },
                params: { text: 'x'.repeat(16_000) },
              },
            })
            if (started.data) ids.push(started.data.startTraining.task.id)
            return started
          }
          const taskId = ids[Math.floor(Math.random() * ids.length)]
          const reports = [{ progress: { current: sent, metrics: metricsOf(sent % 4) } }]
          return attack(REPORT, {
            input: { taskId, reports, producer: `${sent % 10_000}`.padEnd(128, 'p'), firstSequence: 1 },
          })
        })
      },
    },
    async ({ url }) => {
      process.stdout.write(`  ${JSON.stringify(codes)}\n`)
      expect(codes.STORE_FULL).toBeGreaterThan(0)
      await startExternal(url)
      const { tasks } = await run(
        url,
        '{ tasks(orderBy: CREATED_ASC, first: 1) { edges { node { status events(first: 1) { edges { node { __typename } } } } } } }',
      )
      // The ordinary users' task is the first, and has its first event.
      const [{ node }] = tasks.edges
      expect(node.status).toBe('RUNNING')
      expect(node.events.edges[0].node.__typename).toBe('StatusChanged')
    },
  )
})

it('lists and monitors of very many unfinished tasks', async () => {
  const TASKS = 20_000
  await withstands({
    name: `lists of ${TASKS} unfinished tasks`,
    maxGrowthMiB: 400,
    env: { EPOCHCAST_MAX_TASKS_PER_ADDRESS: '0', EPOCHCAST_STARTS_PER_HOUR: '0' },
    run: async (server) => {
      const attack = attackerOf(server)
      let started = 0
      const start = async () => {
        const number = started++
        return attack(START, {
          input: { trainer: 'external', name: `run ${number}`, labels: { team: 'a', number } },
        })
      }
      while (started < TASKS) await Promise.all(Array.from({ length: 32 }, start))
      const client = webSocketClient(server.webSocketUrl)
      for (const text of ['qz', 'nowhere', 'run'])
        client.subscribe(
          { query: `subscription { taskUpdates(filter: { text: "${text}" }) { id } }` },
          { next: () => {}, error: () => {}, complete: () => {} },
        )
      const filters = [
        '{ text: "qz" }',
        '{ text: "zq zz" }',
        '{ labels: { team: "b" } }',
        '{ statuses: [STALLED] }',
      ]
      const list = (filter: string, i: number) =>
        `a${i}: tasks(filter: ${filter}, first: 5, orderBy: ${i % 2 === 0 ? 'UPDATED_DESC' : 'CREATED_ASC'}) { edges { node { id } } }`
      const query = `{ ${[...filters, ...filters].map(list).join(' ')} }`
      const codes = await again(8, 4000, () => attack(query))
      process.stdout.write(`  ${JSON.stringify(codes)}\n`)
      expect(codes.done).toBeGreaterThan(10)
    },
  })
})

it('a name that reads like that of another task reaches nothing', async () => {
  await withstands({
    name: "others' names",
    maxGrowthMiB: 200,
    run: async (server) => {
      const attack = attackerOf(server)
      const { tasks } = await run(server.url, '{ tasks(first: 1) { edges { node { id } } } }')
      const { id } = tasks.edges[0].node
      const names = [
        ['gan', `training:${id}`],
        ['*', id],
        ['__keyspace@0__', id],
        ['../', id],
        ['{gan}', id],
        [null, `training:${id}`],
      ]
      let i = 0
      const codes = await again(8, 2000, () => {
        const [channelPrefix, taskId] = names[i++ % names.length] as [string | null, string]
        return attack(REPORT, { input: { taskId, channelPrefix, reports: [{ failure: { error: 'mine' } }] } })
      })
      expect(Object.keys(codes).sort()).toEqual(['CHANNEL_PREFIX_NOT_ALLOWED', 'TASK_NOT_FOUND'])
      expect(await run(server.url, `{ task(id: "${id}") { status } }`)).toEqual({
        task: { status: 'RUNNING' },
      })
    },
  })
})
