import { setTimeout as sleep } from 'node:timers/promises'
import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import { median } from '../stats.ts'
import type { Scenario, Sizes } from './scenario.ts'

const TARGET = 1.5
/** Time for the server to be done with those that left. */
const BETWEEN_MS = 400
const WARM_UP_STORMS = 3
const MAX_STORMS = 8

const subscribersOf = ({ subscribers, quick }: Sizes) => subscribers ?? [quick ? 200 : 1000]

export const connect: Scenario = {
  name: 'connect',
  about:
    'all of them connect at once, from TCP to the opening message of the subscription: CPU per connection.',
  engines: ['redis'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) =>
    subscribersOf(sizes).flatMap((subscribers) => [
      {
        key: `cpu ${subscribers}`,
        label: `${subscribers} connect at once: CPU per connection`,
        unit: 'µs',
        targets: subscribers === 1000 ? [{ against: BARE, atMost: TARGET }] : [],
      },
      {
        key: `time ${subscribers}`,
        label: `${subscribers} connect at once: until the last one is subscribed`,
        unit: 'ms',
      },
    ]),
  async run({ start, sizes, budget }) {
    const { server, dialect, createTasks } = await start()
    const audience = new Audience({ port: server.port, dialect })
    const tasks = await createTasks(1)
    const storm = async (subscribers: number) => {
      const cpuBefore = await server.cpu()
      const startedAt = performance.now()
      await audience.storm(subscribers, tasks)
      const ms = performance.now() - startedAt
      const cpuUs = (await server.cpu()) - cpuBefore
      audience.shrinkTo(0)
      await sleep(BETWEEN_MS)
      return { cpuUs, ms }
    }
    const values: Record<string, number> = {}
    for (const subscribers of subscribersOf(sizes)) {
      for (let i = 0; i < WARM_UP_STORMS; i++) await storm(subscribers)
      const times = []
      let cpuUs = 0
      while (times.length < MAX_STORMS && cpuUs < budget.cpuMs * 1000) {
        const one = await storm(subscribers)
        cpuUs += one.cpuUs
        times.push(one.ms)
      }
      values[`cpu ${subscribers}`] = cpuUs / times.length / subscribers
      values[`time ${subscribers}`] = median(times)
    }
    audience.close()
    return values
  },
}
