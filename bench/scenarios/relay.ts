import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { REPORT_CONNECTIONS } from '../candidates/reporters.ts'
import { Audience } from '../client/audience.ts'
import { everyTaskOnce } from '../client/turn.ts'
import { measure, type Scenario, type Sizes, warmUp } from './scenario.ts'

/** Of the bare handler. */
const TARGET = 1.6
/** Times the budget; every layer of a GraphQL server has its code to be compiled. */
const WARM_UP = 4

const tasksOf = ({ quick }: Sizes) => (quick ? 100 : 1000)

export const relay: Scenario = {
  name: 'relay',
  about: `many tasks of one subscriber each, the whole way of an event through the measured server, from POST to receipt: CPU per event. In each turn every task gets one event, ${REPORT_CONNECTIONS} of them under way at a time. The bare handler keeps nothing: it broadcasts what is posted, by PUBLISH where there is Redis, so that subscribers of other servers would get it.`,
  engines: ['redis', 'memory'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) => [
    {
      key: 'cpu',
      label: `${tasksOf(sizes)} tasks × 1, from POST to receipt: CPU per event`,
      unit: 'µs',
      digits: 2,
      targets: [{ against: BARE, atMost: TARGET }],
    },
    {
      key: 'rate',
      label: `${tasksOf(sizes)} tasks × 1, from POST to receipt: events`,
      unit: '/s',
      higherIsBetter: true,
    },
  ],
  async run({ start, sizes, budget }) {
    const { server, dialect, reporter, createTasks } = await start({
      reportsToItself: true,
      keepsNothing: true,
    })
    const tasks = await createTasks(tasksOf(sizes))
    const audience = new Audience({ port: server.port, dialect })
    await audience.growTo(tasks.length, tasks)
    await audience.settle()
    const turn = () => everyTaskOnce(audience, tasks, reporter)
    await warmUp(server, budget, WARM_UP, [turn])
    let before = 0
    const { cpuUs, ms } = await measure(server, budget, [turn], () => {
      before = audience.deliveries
    })
    await audience.settle()
    const events = audience.deliveries - before
    audience.close()
    return { cpu: cpuUs / events, rate: (events / ms) * 1000 }
  },
}
