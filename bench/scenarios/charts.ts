import { type Engine, EPOCHCAST } from '../candidates/candidate.ts'
import { askForCurves, checkAnswer, MAX_POINTS, type QueryKind } from '../client/curve-query.ts'
import { CurveTrainer } from '../client/curve-trainer.ts'
import { PostClient } from '../client/http.ts'
import { median } from '../stats.ts'
import { type Bench, onlyTask, type Row, type Scenario, type Sizes } from './scenario.ts'

const QUERY_TARGET_MS = 20
const TARGET_MIB = 8

const METRICS = 20
const LENGTHS = { full: [10_000, 100_000, 1_000_000], quick: [1000, 10_000] }
const MOST_REPORTS_PER_CALL = 1000
const TRIES = { warmUp: 20, measured: 30 }

const lengthsOf = ({ quick }: Sizes) => (quick ? LENGTHS.quick : LENGTHS.full)

export const charts: Scenario = {
  name: 'charts',
  about: `a task of ${METRICS} metrics as it grows, and a chart of it over HTTP, at most ${MAX_POINTS} points of each metric: median time and CPU of a query; every answer is checked. The query without points takes all of the store's and the reader's work; cold is the first such query to a server that never read the task.`,
  engines: ['redis', 'memory'],
  candidates: [EPOCHCAST],
  rows: (sizes) => lengthsOf(sizes).flatMap((steps) => rowsOf(steps)),
  run: query,
}

function rowsOf(steps: number): Row[] {
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
