import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import { measure, onlyTask, type Scenario, type Sizes, warmUp } from './scenario.ts'

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

export const fanout: Scenario = {
  name: 'fanout',
  about:
    'one task, many subscribers: CPU per delivery. The next event is reported once everybody has the one before.',
  engines: ['redis', 'memory', 'lmdb'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) =>
    subscribersOf(sizes).flatMap((subscribers) => {
      const target = TARGETS[subscribers]
      return [
        {
          key: `cpu ${subscribers}`,
          label: `1 task × ${subscribers}: CPU per delivery`,
          unit: 'µs',
          digits: 2,
          targets: target
            ? [
                { against: BARE, atMost: target.bare },
                { against: YOGA, atMost: target.yoga },
              ]
            : [],
        },
        {
          key: `rate ${subscribers}`,
          label: `1 task × ${subscribers}: deliveries, one event after the other`,
          unit: '/s',
          higherIsBetter: true,
        },
      ]
    }),
  async run({ start, sizes, budget }) {
    const { server, dialect, reporter, createTasks } = await start()
    const audience = new Audience({ port: server.port, dialect })
    const task = await onlyTask(createTasks)
    const values: Record<string, number> = {}
    const oneEvent = async () => {
      await audience.expect(audience.size, () => reporter.report(task, 1))
      task.forgetUpTo(task.reported - 1)
    }
    for (const subscribers of subscribersOf(sizes)) {
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
  },
}
