import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { REPORT_CONNECTIONS } from '../candidates/reporters.ts'
import { measure, type Scenario, type Sizes, warmUp } from './scenario.ts'

/** By reports in a call: at most so many times the CPU of the bare handler. */
const TARGETS: Readonly<Record<number, number>> = { 1: 1.4, 100: 0.6 }
/** Times the budget; every layer of a GraphQL server has its code to be compiled. */
const WARM_UP = 4
/** Logs that are read from end to end afterwards. */
const READ_LOGS = 3

const reportsOf = ({ reports, quick }: Sizes) => reports ?? (quick ? [1, 100] : [1, 10, 100, 1000])

export const ingest: Scenario = {
  name: 'ingest',
  about: `${REPORT_CONNECTIONS} trainers, each of a task of its own, with one call after the other on a connection of its own: CPU per event. The logs are read afterwards.`,
  engines: ['redis', 'memory', 'lmdb', 'lmdb without fsync'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) =>
    reportsOf(sizes).flatMap((reports) => {
      const target = TARGETS[reports]
      return [
        {
          key: `cpu ${reports}`,
          label: `${reports} reports a call: CPU per event`,
          unit: 'µs',
          digits: 2,
          targets: target ? [{ against: BARE, atMost: target }] : [],
        },
        {
          key: `rate ${reports}`,
          label: `${reports} reports a call: events`,
          unit: '/s',
          higherIsBetter: true,
        },
        // Of engines that commit; the others have no figure.
        { key: `calls ${reports}`, label: `${reports} reports a call: calls a commit`, unit: '', digits: 1 },
      ]
    }),
  async run({ start, sizes, budget }) {
    const { server, reporter, createTasks, countLog } = await start({ reportsToItself: true })
    const tasks = await createTasks(REPORT_CONNECTIONS)
    const reported = () => tasks.reduce((sum, task) => sum + task.reported, 0)
    const loops = (reports: number) => tasks.map((task) => () => reporter.report(task, reports))
    await warmUp(server, budget, WARM_UP, loops(1))
    const values: Record<string, number> = {}
    for (const reports of reportsOf(sizes)) {
      let before = 0
      const earlier = await server.commits()
      const { cpuUs, ms } = await measure(server, budget, loops(reports), () => {
        before = reported()
      })
      const later = await server.commits()
      if (later.commits > earlier.commits) {
        values[`calls ${reports}`] = (later.calls - earlier.calls) / (later.commits - earlier.commits)
      }
      const events = reported() - before
      values[`cpu ${reports}`] = cpuUs / events
      values[`rate ${reports}`] = (events / ms) * 1000
    }
    for (const task of tasks.slice(0, READ_LOGS)) {
      const stored = await countLog(task)
      if (stored !== null && stored !== task.reported) {
        throw new Error(`task ${task.id}: ${stored} events are stored; expected ${task.reported}`)
      }
    }
    return values
  },
}
