// @ts-check
import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.js'
import { REPORT_CONNECTIONS } from '../candidates/reporters.js'
import { Audience } from '../client/audience.js'
import { everyTaskOnce } from '../client/turn.js'
import { measure, warmUp } from './scenario.js'

const WARM_UP = 1.5

/**
 * @param {import('./scenario.js').Sizes} sizes
 * @returns {{ tasks: number, each: number, atMost: number | null }[]}
 */
const casesOf = ({ quick }) =>
  quick
    ? [
        { tasks: 100, each: 1, atMost: null },
        { tasks: 10, each: 10, atMost: null },
      ]
    : [
        { tasks: 1000, each: 1, atMost: 1.5 },
        { tasks: 100, each: 50, atMost: null },
      ]

/** @type {import('./scenario.js').Scenario} */
export const tasks = {
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
    /** @type {Record<string, number>} */
    const values = {}
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
