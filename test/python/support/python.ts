import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../support/graphql.ts'
import { type Program, runProgram } from '../../support/program.ts'
import { pythonPath } from '../provide.js'

export const root = join(import.meta.dirname, '../../..')
export const EXAMPLES = join(root, 'examples')

/** Nothing listens there. */
export const NO_SERVER = 'http://127.0.0.1:9/graphql'

/** Starts a program with the examples to import; it is killed when the test is over. */
export function startProgram(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Program {
  return runProgram(command, args, {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PYTHONPATH: EXAMPLES,
      PYTHONUNBUFFERED: '1',
      ...env,
    },
  })
}

/** Starts the tests' own Python, with Lightning and Celery. */
export function startPython(args: readonly string[], env: Record<string, string> = {}): Program {
  const python = pythonPath()
  if (!existsSync(python)) throw new Error(`there is no ${python} yet; run node test/python/provide.js`)
  return startProgram(python, args, env)
}

interface Series {
  readonly name: string
  readonly phase: string | null
  readonly member: string | null
  readonly points: readonly { step: number; epoch: number | null; value: number | string }[]
}

interface TaskWithSeries {
  readonly status: string
  readonly current: number
  readonly epoch: number
  readonly labels: Record<string, string>
  readonly error: { readonly message: string; readonly type: string } | null
  readonly series: readonly Series[]
  /** The points of one curve, in the order of their steps. */
  readonly points: (name: string, phase: string | null) => Series['points']
}

/** A task as it is now, with all its curves. */
export async function taskWithSeries(url: string, id: string): Promise<TaskWithSeries> {
  const { task } = await run(
    url,
    /* GraphQL */ `
      query ($id: ID!) {
        task(id: $id) {
          id status current total progress epoch loss metrics stopReason labels
          error { message type }
          series { name phase member points { step epoch value } }
        }
      }`,
    { id },
  )
  return {
    ...task,
    points: (name, phase) =>
      task.series.find((series: Series) => series.name === name && series.phase === phase)?.points ?? [],
  }
}

/** The kinds of a task's events, in their order. */
export async function eventKinds(url: string, id: string): Promise<string[]> {
  const { task } = await run(
    url,
    'query ($id: ID!) { task(id: $id) { events(first: 100) { edges { node { __typename } } } } }',
    { id },
  )
  return task.events.edges.map(({ node }: { node: { __typename: string } }) => node.__typename)
}
