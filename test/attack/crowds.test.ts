import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Data, post, REPORT, run, startExternal } from '../support/graphql.ts'
import { clientFrame, RawConnection, UPGRADE } from '../support/raw-connection.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { ATTACKER, withstands } from './support/attacked-server.ts'

const PRODUCERS = 10_000
const MONITORS = 20_000
const PER_SOCKET = 125
const ANOTHER_ATTACKER = '127.0.0.3'

it('10,000 producers that report to one task: as many as there may be, and its viewers get every report', async () => {
  const codes: Record<string, number> = {}
  let id = ''
  await withstands(
    {
      name: `${PRODUCERS} producers`,
      maxGrowthMiB: 250,
      prepare: async ({ url }) => {
        id = await startExternal(url)
      },
      run: async ({ url }) => {
        let next = 0
        const send = async () => {
          while (next < PRODUCERS) {
            const producer = `${next++}`.padEnd(128, 'p')
            const reports = [{ progress: { current: next, metrics: { loss: 1 / next } } }]
            const { errors } = await post(url, REPORT, {
              input: { taskId: id, producer, firstSequence: 1, reports },
            })
            const code = errors?.[0]?.extensions.code ?? 'done'
            codes[String(code)] = (codes[String(code)] ?? 0) + 1
          }
        }
        await Promise.all(range(1, 8).map(send))
      },
    },
    async ({ url }) => {
      expect(codes).toEqual({ done: 1024, TOO_MANY_PRODUCERS: PRODUCERS - 1024 })
      // A known one goes on, a report without a producer as well, and nothing of the others is in the task.
      const again = {
        producer: '0'.padEnd(128, 'p'),
        firstSequence: 2,
        reports: [{ progress: { current: 7 } }],
      }
      for (const more of [again, { reports: [{ progress: { current: 8 } }] }])
        expect((await run(url, REPORT, { input: { taskId: id, ...more } })).reportMetrics.accepted).toBe(1)
      const query =
        'query ($id: ID!) { task(id: $id) { current series(names: ["loss"]) { points { value } } } }'
      const { task } = await run(url, query, { id })
      expect(task.current).toBe(8)
      expect(task.series[0].points.length).toBeGreaterThan(100)
    },
  )
})

interface Monitors {
  readonly raw: RawConnection
  values: number
  refused: number
}

/** Over sockets of two addresses, as one has half of all subscriptions. */
async function monitors(url: string): Promise<Monitors[]> {
  const subscribe = (id: number) =>
    clientFrame(
      JSON.stringify({
        id: `${id}`,
        type: 'subscribe',
        payload: { query: 'subscription { taskUpdates(minIntervalMs: 100) { id status current } }' },
      }),
    )
  const sockets: Monitors[] = []
  for (const i of range(0, MONITORS / PER_SOCKET - 1)) {
    const raw = new RawConnection(url, { localAddress: i % 2 === 0 ? ATTACKER : ANOTHER_ATTACKER })
    const socket = { raw, values: 0, refused: 0 }
    sockets.push(socket)
    // A message that comes in two pieces may be missed, and is no part of what is asked below.
    raw.socket.on('data', (text: string) => {
      socket.values += text.split('"type":"next"').length - 1
      socket.refused += text.split('TOO_MANY_SUBSCRIPTIONS').length - 1
      raw.text = ''
    })
    raw.write(UPGRADE).write(clientFrame('{"type":"connection_init"}'))
    raw.write(Buffer.concat(range(1, PER_SOCKET).map(subscribe)))
    await sleep(10)
  }
  return sockets
}

it('20,000 taskUpdates of two addresses: each gets values, and a viewer gets its events all the same', async () => {
  let open = 0
  await withstands({
    name: `${MONITORS} taskUpdates`,
    maxGrowthMiB: 700,
    prepare: async ({ url }) => {
      for (const _ of range(1, 2)) await startExternal(url)
    },
    run: async ({ url }) => {
      const sockets = await monitors(url)
      // What each opened with: three tasks. One of them is the ordinary users', which changes all the time.
      await until('each to be told', () => sockets.every(({ values }) => values >= 2 * PER_SOCKET), 60_000)
      await sleep(3000)
      open = sockets.filter(({ raw }) => !raw.isEnded && !raw.isClosed).length
      // Half of all places are one address's, and one of them is the viewer's.
      expect(sockets.reduce((sum, { refused }) => sum + refused, 0)).toBeLessThanOrEqual(2)
      const one: Data = await post(url, 'query { tasks(first: 1) { edges { node { status } } } }')
      expect(one.errors).toBeUndefined()
    },
  })
  expect(open).toBe(MONITORS / PER_SOCKET)
})
