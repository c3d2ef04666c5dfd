import { setTimeout as sleep } from 'node:timers/promises'
import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import { paced } from '../client/paced.ts'
import { onlyTask, type Scenario, type Sizes } from './scenario.ts'

const PER_SECOND = 10
/** By percentile. */
const TARGETS = { p50: 1.1, p99: 1.25 }

const subscribersOf = ({ subscribers, quick }: Sizes) => subscribers?.[0] ?? (quick ? 100 : 1000)

export const latency: Scenario = {
  name: 'latency',
  about: `one task, many subscribers, ${PER_SECOND} events a second by POST to the measured server, whether or not the one before has arrived: from when the report is due to receiving the event, over all deliveries.`,
  engines: ['redis'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) =>
    (['p50', 'p99'] as const).map((key) => ({
      key,
      label: `1 task × ${subscribersOf(sizes)}, ${PER_SECOND} events/s: ${key} from report to receipt`,
      unit: 'ms',
      digits: 2,
      targets: [{ against: BARE, atMost: TARGETS[key] }],
    })),
  async run({ start, sizes }) {
    const { server, dialect, reporter, createTasks } = await start({ reportsToItself: true })
    const audience = new Audience({ port: server.port, dialect })
    const task = await onlyTask(createTasks)
    await audience.growTo(subscribersOf(sizes), [task])
    await audience.settle()
    const run = (seconds: number) =>
      paced({ audience, reporter, task, perSecond: PER_SECOND, until: sleep(seconds * 1000) })
    await run(sizes.quick ? 1 : 5)
    const samples = await run(sizes.quick ? 2 : 20)
    await audience.settle()
    audience.close()
    return { p50: samples.percentile(0.5), p99: samples.percentile(0.99) }
  },
}
