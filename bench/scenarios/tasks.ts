import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { REPORT_CONNECTIONS } from '../candidates/reporters.ts'
import { Audience } from '../client/audience.ts'
import { everyTaskOnce } from '../client/turn.ts'
import { measure, type Scenario, type Sizes, warmUp } from './scenario.ts'

const WARM_UP = 1.5

const casesOf = ({ quick }: Sizes): { tasks: number; each: number; atMost: number | null }[] =>
  quick
    ? [
        { tasks: 100, each: 1, atMost: null },
        { tasks: 10, each: 10, atMost: null },
      ]
    : [
        { tasks: 1000, each: 1, atMost: 1.5 },
        { tasks: 100, each: 50, atMost: null },
      ]

export const tasks: Scenario = {
  name: 'tasks',
  about: `many tasks at the same time: CPU per delivery. In each turn every task gets one event, ${REPORT_CONNECTIONS} of them under way at a time.`,
  engines: ['redis'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) =>
    casesOf(sizes).map(({ tasks, each, atMost }) => ({
      key: `cpu ${tasks}x${each}`,
      label: `${tasks} tasks × ${each}: CPU per delivery`,
      unit: 'µs',
      digits: 2,
      targets: atMost === null ? [] : [{ against: BARE, atMost }],
    })),
  async run({ start, sizes, budget }) {
    const { server, dialect, reporter, createTasks } = await start()
    const values: Record<string, number> = {}
    for (const { tasks: count, each } of casesOf(sizes)) {
      const watched = await createTasks(count)
      const audience = new Audience({ port: server.port, dialect })
      await audience.growTo(count * each, watched)
      await audience.settle()
      const turn = () => everyTaskOnce(audience, watched, reporter)
      await warmUp(server, budget, WARM_UP, [turn])
      let before = 0
      const { cpuUs } = await measure(server, budget, [turn], () => {
        before = audience.deliveries
      })
      await audience.settle()
      values[`cpu ${count}x${each}`] = cpuUs / (audience.deliveries - before)
      audience.close()
    }
    return values
  },
}
