import { BARE, EPOCHCAST, YOGA } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import { measure, onlyTask, type Scenario, type Sizes, warmUp } from './scenario.ts'

/** Of the bare reference, which sends each event by itself. */
const TARGET = 0.25
const TARGET_FROM = 8
const WARM_UP = 1.5

const reportsOf = ({ reports, quick }: Sizes) => reports ?? (quick ? [8, 100] : [8, 16, 100])

const subscribersOf = ({ subscribers, quick }: Sizes) => subscribers?.[0] ?? (quick ? 100 : 1000)

export const burst: Scenario = {
  name: 'burst',
  about:
    'one task, many subscribers, several reports in one call (for the references without a call: one pipeline of PUBLISH): CPU per delivery. The next burst is reported once everybody has all of the one before.',
  engines: ['redis', 'memory'],
  candidates: [BARE, EPOCHCAST, YOGA],
  rows: (sizes) =>
    reportsOf(sizes).flatMap((reports) => [
      {
        key: `cpu ${reports}`,
        label: `${reports} events at once × ${subscribersOf(sizes)}: CPU per delivery`,
        unit: 'µs',
        digits: 2,
        targets: reports >= TARGET_FROM ? [{ against: BARE, atMost: TARGET }] : [],
      },
      {
        key: `rate ${reports}`,
        label: `${reports} events at once × ${subscribersOf(sizes)}: deliveries`,
        unit: '/s',
        higherIsBetter: true,
      },
    ]),
  async run({ start, sizes, budget }) {
    const { server, dialect, reporter, createTasks } = await start()
    const audience = new Audience({ port: server.port, dialect })
    const task = await onlyTask(createTasks)
    await audience.growTo(subscribersOf(sizes), [task])
    await audience.settle()
    const burstOf = (reports: number) => async () => {
      await audience.expect(reports * audience.size, () => reporter.report(task, reports))
      task.forgetUpTo(task.reported - 1)
    }
    const values: Record<string, number> = {}
    for (const reports of reportsOf(sizes)) {
      if (audience.deliveries === 0) await warmUp(server, budget, WARM_UP, [burstOf(reports)])
      let before = 0
      const { cpuUs, ms } = await measure(server, budget, [burstOf(reports)], () => {
        before = audience.deliveries
      })
      await audience.settle()
      const deliveries = audience.deliveries - before
      values[`cpu ${reports}`] = cpuUs / deliveries
      values[`rate ${reports}`] = (deliveries / ms) * 1000
    }
    audience.close()
    return values
  },
}
