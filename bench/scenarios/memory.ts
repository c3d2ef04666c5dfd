import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import type { Scenario, Sizes } from './scenario.ts'

/** KiB per idle subscriber, by subscribers. */
const TARGETS: Readonly<Record<number, number>> = { 5000: 14 }

const subscribersOf = ({ subscribers, quick }: Sizes) => subscribers ?? (quick ? [200] : [1000, 5000])

export const memory: Scenario = {
  name: 'memory',
  about:
    'idle subscribers of one task: resident memory after garbage collection, against that of the server before the first one came.',
  engines: ['redis'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) =>
    subscribersOf(sizes).flatMap((subscribers) => [
      {
        key: `rss ${subscribers}`,
        label: `${subscribers} idle: memory per subscriber`,
        unit: 'KiB',
        digits: 1,
        targets: TARGETS[subscribers] ? [{ atMost: TARGETS[subscribers] }] : [],
      },
      {
        key: `heap ${subscribers}`,
        label: `${subscribers} idle: of it on the heap, or held by it`,
        unit: 'KiB',
        digits: 1,
      },
      {
        key: `cpu ${subscribers}`,
        label: `up to ${subscribers}, 100 at a time: CPU per connection`,
        unit: 'µs',
      },
    ]),
  async run({ start, sizes }) {
    const { server, dialect, createTasks } = await start()
    const audience = new Audience({ port: server.port, dialect })
    const tasks = await createTasks(1)
    const empty = await server.memory()
    const values: Record<string, number> = {}
    for (const subscribers of subscribersOf(sizes)) {
      const there = audience.size
      const cpuBefore = await server.cpu()
      await audience.growTo(subscribers, tasks)
      values[`cpu ${subscribers}`] = ((await server.cpu()) - cpuBefore) / (subscribers - there)
      await audience.settle()
      const { rss, heapUsed, external } = await server.memory()
      const held = heapUsed + external - empty.heapUsed - empty.external
      values[`rss ${subscribers}`] = (rss - empty.rss) / 1024 / subscribers
      values[`heap ${subscribers}`] = held / 1024 / subscribers
    }
    await audience.settle()
    audience.close()
    return values
  },
}
