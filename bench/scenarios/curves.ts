import { type Engine, EPOCHCAST, WITHOUT_CURVES } from '../candidates/candidate.ts'
import { askForCurves, checkAnswer, MAX_POINTS, type QueryKind } from '../client/curve-query.ts'
import { CurveTrainer } from '../client/curve-trainer.ts'
import { PostClient } from '../client/http.ts'
import { median } from '../stats.ts'
import { type Bench, measure, onlyTask, type Row, type Scenario, type Sizes, warmUp } from './scenario.ts'

/** Of the same server without curves. */
const INGEST_TARGET = 1.1
const QUERY_TARGET_MS = 20
const TARGET_MIB = 8

const METRICS = 20
const TRAINERS = 4
/** Steps of each trainer before anything is measured: its curves are full by then, so that merging them counts. */
const FILLED = { full: 30_000, quick: 1000 }
/** Metrics and reports in a call. */
const CALLS = [
  [METRICS, 1],
  [METRICS, 100],
  [METRICS, 1000],
  [3, 100],
] as const
/** Times the budget: a server folds seldom, and merges still more seldom. */
const INGEST_BUDGET = 3

const LENGTHS = { full: [10_000, 100_000, 1_000_000], quick: [1000, 10_000] }
const MOST_REPORTS_PER_CALL = 1000
const TRIES = { warmUp: 20, measured: 30 }

const lengthsOf = ({ quick }: Sizes) => (quick ? LENGTHS.quick : LENGTHS.full)
const callKey = (metrics: number, reports: number) => `cpu ${metrics}×${reports}`

export const curves: Scenario = {
  name: 'curves',
  about: `metric histories. First ${TRAINERS} trainers, each of a task of its own, with one call after the other, whose curves are full already: CPU per report, beside the same server that folds nothing. Then one task of ${METRICS} metrics as it grows, and a chart of it over HTTP, at most ${MAX_POINTS} points of each metric: median time and CPU of a query; every answer is checked. The query without points takes all of the store's and the reader's work; cold is the first such query to a server that never read the task.`,
  engines: ['redis', 'memory'],
  candidates: [EPOCHCAST, WITHOUT_CURVES],
  rows: (sizes) => [
    ...CALLS.map(([metrics, reports]): Row => {
      const call = `${reports} ${reports === 1 ? 'report' : 'reports'} a call`
      const targets = [{ against: WITHOUT_CURVES, atMost: INGEST_TARGET }]
      const label = `${metrics} metrics, ${call}: CPU per report`
      return { key: callKey(metrics, reports), label, unit: 'µs', digits: 1, targets }
    }),
    ...lengthsOf(sizes).flatMap((steps) => queryRows(steps)),
  ],
  async run(bench) {
    const ingested = await ingest(bench)
    return bench.candidate === WITHOUT_CURVES ? ingested : { ...ingested, ...(await query(bench)) }
  },
}

function queryRows(steps: number): Row[] {
  const label = (what: string) => `${steps.toLocaleString('en-US')} steps × ${METRICS}: ${what}`
  const ms = (key: string, what: string, targets: Row['targets'] = []): Row => ({
    key: `${key} ${steps}`,
    label: label(what),
    unit: 'ms',
    digits: 2,
    targets,
  })
  const target = [{ atMost: QUERY_TARGET_MS }]
  return [
    ms('names', 'query without points', target),
    ms('cold', 'query without points, cold', target),
    ms('all', 'query of all metrics'),
    ms('all cpu', 'query of all metrics, CPU'),
    ms('hold', 'query of all metrics, longest hold of the event loop', target),
    ms('one', 'query of one metric'),
    ms('one cpu', 'query of one metric, CPU'),
    {
      key: `bytes ${steps}`,
      label: label('bytes'),
      unit: 'MiB',
      digits: 2,
      targets: [{ atMost: TARGET_MIB }],
    },
  ]
}

async function ingest({ start, sizes, budget }: Bench) {
  const { server, createTasks } = await start({ reportsToItself: true })
  const api = new PostClient(server.port, '/graphql', TRAINERS)
  const { cpuMs, longestMs } = budget
  const longer = { cpuMs: INGEST_BUDGET * cpuMs, longestMs: INGEST_BUDGET * longestMs }
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
    values[callKey(metrics, reports)] = cpuUs / (reported() - before)
  }
  api.close()
  return values
}

async function query({ start, sizes, engine }: Bench) {
  const { server, createTasks, curveBytes, close } = await start({ reportsToItself: true })
  const api = new PostClient(server.port, '/graphql', 1)
  const task = await onlyTask(createTasks)
  const trainer = new CurveTrainer(api, task.id, METRICS)
  const values: Record<string, number> = {}
  for (const steps of lengthsOf(sizes)) {
    await trainer.reach(steps, MOST_REPORTS_PER_CALL)
    const timesOf = (kind: QueryKind, tries: number) => ask(api, task.id, kind, steps, tries)
    for (const kind of ['names', 'all', 'one'] as const) {
      await timesOf(kind, TRIES.warmUp)
      const cpuBefore = await server.cpu()
      values[`${kind} ${steps}`] = median(await timesOf(kind, TRIES.measured))
      values[`${kind} cpu ${steps}`] = ((await server.cpu()) - cpuBefore) / 1000 / TRIES.measured
    }
    const holds = []
    for (let i = 0; i < TRIES.measured; i++) holds.push(await server.longestHold(() => timesOf('all', 1)))
    values[`hold ${steps}`] = median(holds)
    const bytes = await curveBytes?.(task)
    if (bytes != null) values[`bytes ${steps}`] = bytes / 2 ** 20
    const cold = await coldQuery(start, engine, task.id, steps)
    if (cold !== null) values[`cold ${steps}`] = cold
  }
  api.close()
  await close()
  return values
}

/** Another server on the same store reads the task for the first time; where the store is a server's own, there is none. */
async function coldQuery(start: Bench['start'], engine: Engine, taskId: string, steps: number) {
  if (engine === 'memory') return null
  const { server, createTasks, close } = await start({ reportsToItself: true })
  const api = new PostClient(server.port, '/graphql', 1)
  // Its code is compiled, and only its cache is empty.
  const other = await onlyTask(createTasks)
  const [short] = LENGTHS.quick as [number]
  await new CurveTrainer(api, other.id, METRICS).reach(short, MOST_REPORTS_PER_CALL)
  await ask(api, other.id, 'names', short, TRIES.warmUp)
  const [cold] = await ask(api, taskId, 'names', steps, 1)
  api.close()
  await close()
  return cold ?? null
}

/** @returns how long each took, in ms */
async function ask(api: PostClient, taskId: string, kind: QueryKind, steps: number, tries: number) {
  const times: number[] = []
  for (let i = 0; i < tries; i++) {
    const startedAt = performance.now()
    const answer = await askForCurves(api, taskId, kind)
    times.push(performance.now() - startedAt)
    checkAnswer(answer, kind, METRICS, steps)
  }
  return times
}
