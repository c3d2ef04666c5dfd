import { EPOCHCAST, WITHOUT_CURVES } from '../candidates/candidate.ts'
import { CurveTrainer } from '../client/curve-trainer.ts'
import { PostClient } from '../client/http.ts'
import { measure, type Row, type Scenario, warmUp } from './scenario.ts'

/** Of the same server without curves. */
const TARGET = 1.1

const TRAINERS = 4
/** Steps of each trainer before anything is measured: its curves are full by then, so that merging them counts. */
const FILLED = { full: 30_000, quick: 1000 }
const MOST_REPORTS_PER_CALL = 1000
/** Metrics and reports in a call. */
const CALLS = [
  [20, 1],
  [20, 100],
  [20, 1000],
  [3, 100],
] as const
/** Times the budget: a server folds seldom, and merges still more seldom. */
const BUDGET = 3

const keyOf = (metrics: number, reports: number) => `cpu ${metrics}×${reports}`

export const curves: Scenario = {
  name: 'curves',
  about: `what metric histories cost a trainer: ${TRAINERS} trainers, each of a task of its own, with one call after the other, whose curves are full already: CPU per report, beside the same server that folds nothing.`,
  engines: ['redis', 'memory'],
  candidates: [EPOCHCAST, WITHOUT_CURVES],
  rows: () =>
    CALLS.map(([metrics, reports]): Row => {
      const call = `${reports} ${reports === 1 ? 'report' : 'reports'} a call`
      const targets = [{ against: WITHOUT_CURVES, atMost: TARGET }]
      const label = `${metrics} metrics, ${call}: CPU per report`
      return { key: keyOf(metrics, reports), label, unit: 'µs', digits: 1, targets }
    }),
  async run({ start, sizes, budget }) {
    const { server, createTasks } = await start({ reportsToItself: true })
    const api = new PostClient(server.port, '/graphql', TRAINERS)
    const { cpuMs, longestMs } = budget
    const longer = { cpuMs: BUDGET * cpuMs, longestMs: BUDGET * longestMs }
    const values: Record<string, number> = {}
    let trainers: CurveTrainer[] = []
    for (const [i, [metrics, reports]] of CALLS.entries()) {
      if (CALLS[i - 1]?.[0] !== metrics) {
        const tasks = await createTasks(TRAINERS)
        trainers = tasks.map(({ id }) => new CurveTrainer(api, id, metrics))
        const filled = sizes.quick ? FILLED.quick : FILLED.full
        await Promise.all(trainers.map((trainer) => trainer.reach(filled, MOST_REPORTS_PER_CALL)))
      }
      const reported = () => trainers.reduce((sum, { steps }) => sum + steps, 0)
      const loops = trainers.map((trainer) => () => trainer.report(reports))
      await warmUp(server, budget, 1, loops)
      let before = 0
      const { cpuUs } = await measure(server, longer, loops, () => {
        before = reported()
      })
      values[keyOf(metrics, reports)] = cpuUs / (reported() - before)
    }
    api.close()
    return values
  },
}
