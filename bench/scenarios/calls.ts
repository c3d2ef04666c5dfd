import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import { measure, onlyTask, type Scenario, type Sizes, warmUp } from './scenario.ts'

const CALLS = 8
/** Of the bare reference, which sends each event by itself. */
const TARGET = 0.35
/** Times the budget. */
const WARM_UP = 1.5

const subscribersOf = ({ subscribers, quick }: Sizes) => subscribers?.[0] ?? (quick ? 100 : 1000)

export const calls: Scenario = {
  name: 'calls',
  about: `one task, many subscribers, ${CALLS} separate calls of one report each under way at a time, as of the processes of one training (for the references without a call: ${CALLS} separate PUBLISH): CPU per delivery. Each connection makes its next call once everybody has the event of the one before. The order of events under way at the same time is that in which the first subscriber gets them.`,
  engines: ['redis', 'memory'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) => [
    {
      key: 'cpu',
      label: `${CALLS} separate calls under way × ${subscribersOf(sizes)}: CPU per delivery`,
      unit: 'µs',
      digits: 2,
      targets: [{ against: BARE, atMost: TARGET }],
    },
    {
      key: 'rate',
      label: `${CALLS} separate calls under way × ${subscribersOf(sizes)}: deliveries`,
      unit: '/s',
      higherIsBetter: true,
    },
  ],
  async run({ start, sizes, budget }) {
    const { server, dialect, reporter, createTasks } = await start()
    const audience = new Audience({ port: server.port, dialect })
    const task = await onlyTask(createTasks)
    task.allowAnyOrder()
    await audience.growTo(subscribersOf(sizes), [task])
    await audience.settle()
    let received = 0
    const loops = Array.from({ length: CALLS }, (_, rank) => async () => {
      const everybodyHasIt = audience.everybodyHas(task.reported + 1)
      await Promise.all([reporter.report(task, 1, `rank ${rank}`), everybodyHasIt])
      // Everybody gets the same order, so what everybody has is a beginning of the stream.
      task.forgetUpTo(++received)
    })
    await warmUp(server, budget, WARM_UP, loops)
    let before = 0
    const { cpuUs, ms } = await measure(server, budget, loops, () => {
      before = audience.deliveries
    })
    await audience.settle()
    const deliveries = audience.deliveries - before
    audience.close()
    return { cpu: cpuUs / deliveries, rate: (deliveries / ms) * 1000 }
  },
}
