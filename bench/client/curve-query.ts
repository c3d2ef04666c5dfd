import { metricName, NOT_FINITE, SPIKE } from './curve-trainer.ts'
import type { PostClient } from './http.ts'

export const MAX_POINTS = 500
/** Room that a series uses at least, once it has the points for it. */
const USED_POINTS = MAX_POINTS / 2

const QUERIES = {
  /** What a chart of all metrics asks for. */
  all: queryOf('', 'name points { step value }'),
  /** All of the work but for writing the points: what the store and the reader take, with the way over HTTP. */
  names: queryOf('', 'name'),
  one: queryOf(`, names: ["${metricName(0)}"]`, 'name points { step value }'),
}

export type QueryKind = keyof typeof QUERIES

interface Answer {
  readonly name: string
  readonly points?: readonly { readonly step: number; readonly value: number | string }[]
}

/** @returns the text of the answer, for `checkAnswer` */
export function askForCurves(api: PostClient, taskId: string, kind: QueryKind): Promise<string> {
  return api.post(JSON.stringify({ query: QUERIES[kind], variables: { id: taskId } }))
}

/** @throws Error where a chart of a task with so many metrics and steps would be wrong */
export function checkAnswer(text: string, kind: QueryKind, metrics: number, steps: number) {
  const { data, errors } = JSON.parse(text)
  if (errors) throw new Error(JSON.stringify(errors).slice(0, 400))
  const series: readonly Answer[] = data.task.series
  const expected = kind === 'one' ? [metricName(0)] : Array.from({ length: metrics }, (_, i) => metricName(i))
  const names = series.map(({ name }) => name)
  if (`${names}` !== `${expected}`) throw new Error(`found the series ${names}; expected ${expected}`)
  if (kind !== 'names') for (const one of series) checkSeries(one, steps)
}

function checkSeries({ name, points = [] }: Answer, steps: number) {
  const wrong = (found: unknown, expected: unknown) =>
    new Error(`${name} after ${steps} steps: found ${found}; expected ${expected}`)
  const [first, last] = [points[0]?.step, points.at(-1)?.step]
  if (first !== 1 || last !== steps) throw wrong(`steps ${first} to ${last}`, `1 to ${steps}`)
  const spike = points.find(({ step }) => step === SPIKE.step)?.value
  const wanted = NOT_FINITE[name] ?? SPIKE.value
  if (spike !== wanted) throw wrong(`${spike} at step ${SPIKE.step}`, wanted)
  if (points.length > MAX_POINTS) throw wrong(`${points.length} points`, `at most ${MAX_POINTS}`)
  if (points.length <= USED_POINTS && points.length < steps) {
    throw wrong(`${points.length} points`, `more than ${USED_POINTS}`)
  }
}

function queryOf(args: string, fields: string) {
  return `query ($id: ID!) { task(id: $id) { cursor series(maxPoints: ${MAX_POINTS}${args}) { ${fields} } } }`
}
