import { EPOCHCAST } from '../candidates/candidate.ts'
import { REPORT_CONNECTIONS } from '../candidates/reporters.ts'
import { Audience } from '../client/audience.ts'
import { measure, onlyTask, type Scenario, type Sizes } from './scenario.ts'

const WORKERS = [1, 2]
const REPORTS_A_CALL = 100
const EVENTS_AT_ONCE = 4

const subscribersOf = ({ subscribers, quick }: Sizes) => subscribers?.[0] ?? (quick ? 100 : 1000)

export const workers: Scenario = {
  name: 'workers',
  about:
    'one and two workers on one port, free to use both cores, which they share with Redis and the load generator: what comes through, reports and subscribers spread over the workers. On a machine with two cores this shows that workers work, not how far they scale.',
  engines: ['redis'],
  candidates: [EPOCHCAST],
  rows: (sizes) =>
    [
      {
        key: 'fanout',
        label: `1 task × ${subscribersOf(sizes)}, ${EVENTS_AT_ONCE} events a call: deliveries`,
      },
      { key: 'ingest', label: `${REPORT_CONNECTIONS} tasks, ${REPORTS_A_CALL} reports a call: events` },
    ].flatMap(({ key, label }) =>
      WORKERS.map((workers) => ({
        key: `${key} ${workers}`,
        label: `${label}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
        unit: '/s',
        higherIsBetter: true as const,
      })),
    ),
  async run({ start, sizes, budget }) {
    // The process that could be asked for its CPU only looks after the workers.
    const time = { cpuMs: Number.POSITIVE_INFINITY, longestMs: budget.cpuMs * 4 }
    const values: Record<string, number> = {}
    for (const count of WORKERS) {
      const { server, dialect, reporter, createTasks, close } = await start({
        workers: count,
        usesAllCores: true,
        reportsToItself: true,
      })
      const audience = new Audience({ port: server.port, dialect })
      const task = await onlyTask(createTasks)
      await audience.growTo(subscribersOf(sizes), [task])
      await audience.settle()
      let before = 0
      const burst = async () => {
        await audience.expect(audience.size * EVENTS_AT_ONCE, () => reporter.report(task, EVENTS_AT_ONCE))
        task.forgetUpTo(task.reported - 1)
      }
      const fanout = await measure(server, time, [burst], () => {
        before = audience.deliveries
      })
      await audience.settle()
      values[`fanout ${count}`] = ((audience.deliveries - before) / fanout.ms) * 1000
      audience.close()

      const tasks = await createTasks(REPORT_CONNECTIONS)
      const reported = () => tasks.reduce((sum, { reported }) => sum + reported, 0)
      const loops = tasks.map((each) => () => reporter.report(each, REPORTS_A_CALL))
      const ingest = await measure(server, time, loops, () => {
        before = reported()
      })
      values[`ingest ${count}`] = ((reported() - before) / ingest.ms) * 1000
      await close()
    }
    return values
  },
}
