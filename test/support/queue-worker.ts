import { join } from 'node:path'
import { type Program, runProgram } from './program.ts'
import { until } from './until.ts'

const MAIN = join(import.meta.dirname, '../../bin/epochcast.js')

/** `epochcast worker` as a process of its own, as built, once it takes jobs. */
export async function queueWorker(env: Record<string, string>, ...args: readonly string[]): Promise<Program> {
  const { PATH = '', HOME = '' } = process.env
  const worker = runProgram(process.execPath, [MAIN, 'worker', ...args], {
    env: { PATH, HOME, NODE_ENV: 'production', ...env },
  })
  await until(
    'the worker',
    () => {
      if (worker.child.exitCode !== null) throw new Error(worker.printed.err + worker.printed.out)
      return worker.printed.out.includes('takes jobs of queue')
    },
    30_000,
  )
  return worker
}
