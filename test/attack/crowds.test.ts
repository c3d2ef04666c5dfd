import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { type Data, post, REPORT, run, startExternal } from '../support/graphql.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { ATTACKER, withstands } from './support/attacked-server.ts'

const PRODUCERS = 10_000
/** 20,000 by hand, as many as a server takes: on a slow machine, they take minutes to open. */
const MONITORS = Number(process.env.EPOCHCAST_ATTACK_MONITORS ?? 5000)
const DEADLINE_MS = 30_000 + MONITORS * 15
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

interface Monitor {
  readonly socket: WebSocket
  values: number
  refused: number
}

/** Over sockets of two addresses, as one has half of all subscriptions. */
async function monitors(url: string): Promise<Monitor[]> {
  const query = 'subscription { taskUpdates(minIntervalMs: 1000) { id status current } }'
  const opened = range(1, MONITORS / PER_SOCKET).map((i) => {
    const localAddress = i % 2 === 0 ? ATTACKER : ANOTHER_ATTACKER
    const socket = new WebSocket(url, 'graphql-transport-ws', { localAddress, perMessageDeflate: false })
    const monitor: Monitor = { socket, values: 0, refused: 0 }
    socket.on('open', () => socket.send('{"type":"connection_init"}'))
    socket.on('message', (data) => {
      const text = String(data)
      if (text.includes('"type":"next"')) monitor.values++
      else if (text.includes('TOO_MANY_SUBSCRIPTIONS')) monitor.refused++
      if (!text.includes('connection_ack')) return
      for (const id of range(1, PER_SOCKET))
        socket.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query } }))
    })
    onTestFinished(() => socket.terminate())
    return monitor
  })
  return opened
}

it(`${MONITORS} taskUpdates of two addresses: each gets values, and a viewer gets its events all the same`, {
  timeout: 2 * DEADLINE_MS,
}, async () => {
  let open = 0
  await withstands({
    name: `${MONITORS} taskUpdates`,
    maxGrowthMiB: 700,
    prepare: async ({ url }) => {
      for (const _ of range(1, 2)) await startExternal(url)
    },
    run: async ({ url, webSocketUrl }) => {
      const opened = await monitors(webSocketUrl)
      // What each opened with: three tasks. One of them is the ordinary users', which changes all the time.
      await until(
        'each to be told',
        () => opened.every(({ values }) => values >= 3 * PER_SOCKET),
        DEADLINE_MS,
      )
      await sleep(3000)
      open = opened.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length
      // Half of all places are one address's, and one of them is the viewer's.
      expect(opened.reduce((sum, { refused }) => sum + refused, 0)).toBeLessThanOrEqual(2)
      const one: Data = await post(url, 'query { tasks(first: 1) { edges { node { status } } } }')
      expect(one.errors).toBeUndefined()
    },
  })
  expect(open).toBe(MONITORS / PER_SOCKET)
})
