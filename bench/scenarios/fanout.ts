import { BARE, DOORS, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import { type Bench, measure, onlyTask, type Row, type Scenario, type Sizes, warmUp } from './scenario.ts'

/** By subscribers: at most so many times the CPU of the references. */
const TARGETS: Readonly<Record<number, { bare: number; yoga: number }>> = {
  100: { bare: 1, yoga: 1 / 5 },
  1000: { bare: 1, yoga: 1 / 5 },
  5000: { bare: 0.85, yoga: 1 / 7 },
}

/** Times the budget. */
const WARM_UP = 1.5

const subscribersOf = ({ subscribers, quick }: Sizes) =>
  subscribers ?? (quick ? [50, 200] : [100, 1000, 5000])
const fewerOf = ({ subscribers, quick }: Sizes) => subscribers ?? (quick ? [50, 200] : [100, 1000])

export const fanout: Scenario = {
  name: 'fanout',
  about:
    'one task, many subscribers: CPU per delivery. The next event is reported once everybody has the one before.',
  engines: ['redis', 'memory', 'lmdb'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) =>
    rowsOf(subscribersOf(sizes), (subscribers) => {
      const target = TARGETS[subscribers]
      if (!target) return []
      return [
        { against: BARE, atMost: target.bare },
        { against: YOGA, atMost: target.yoga },
      ]
    }),
  run: (bench) => deliver(bench, subscribersOf(bench.sizes)),
}

/** As `fanout`, through the doors that are not WebSockets of GraphQL. */
export const doors: Scenario = {
  name: 'doors',
  about:
    'fan-out through the doors beside graphql-transport-ws: CPU per delivery. `/events` and `/ws` send every field of an event, the others the same nine.',
  engines: ['memory', 'redis'],
  candidates: [BARE, EPOCHCAST, ...Object.keys(DOORS)],
  rows: (sizes) =>
    rowsOf(fewerOf(sizes), (subscribers) => (subscribers === 1000 ? [{ against: BARE, atMost: 1 }] : [])),
  run: (bench) => deliver(bench, fewerOf(bench.sizes)),
}

function rowsOf(
  counts: readonly number[],
  targetsOf: (subscribers: number) => NonNullable<Row['targets']>,
): Row[] {
  return counts.flatMap((subscribers): Row[] => [
    {
      key: `cpu ${subscribers}`,
      label: `1 task × ${subscribers}: CPU per delivery`,
      unit: 'µs',
      digits: 2,
      targets: targetsOf(subscribers),
    },
    {
      key: `rate ${subscribers}`,
      label: `1 task × ${subscribers}: deliveries, one event after the other`,
      unit: '/s',
      higherIsBetter: true,
    },
  ])
}

async function deliver({ start, budget }: Bench, counts: readonly number[]) {
  const { server, dialect, reporter, createTasks } = await start()
  const audience = new Audience({ port: server.port, dialect })
  const task = await onlyTask(createTasks)
  const values: Record<string, number> = {}
  const oneEvent = async () => {
    await audience.expect(audience.size, () => reporter.report(task, 1))
    task.forgetUpTo(task.reported - 1)
  }
  for (const subscribers of counts) {
    const isFirst = audience.size === 0
    await audience.growTo(subscribers, [task])
    await audience.settle()
    if (isFirst) await warmUp(server, budget, WARM_UP, [oneEvent])
    let before = 0
    const { cpuUs, ms } = await measure(server, budget, [oneEvent], () => {
      before = audience.deliveries
    })
    await audience.settle()
    const deliveries = audience.deliveries - before
    values[`cpu ${subscribers}`] = cpuUs / deliveries
    values[`rate ${subscribers}`] = (deliveries / ms) * 1000
  }
  // Not in the table: whether all candidates send the same.
  values['bytes a payload'] = task.deliveredBytes / audience.deliveries
  audience.close()
  return values
}
