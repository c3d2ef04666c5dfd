import { join } from 'node:path'
import { findCeleryPython } from '../provide.js'
import { type Program, runProgram } from './program.ts'
import { until } from './until.ts'

/** A team's own programs; nothing in them knows of Epochcast. */
const FOLDER = join(import.meta.dirname, '../long/celery')

/** Runs Python, with a team's modules at hand. */
export function teamPython(
  args: readonly string[],
  redisUrl: string,
  env: Record<string, string> = {},
): Program {
  const python = findCeleryPython()
  if (!python)
    throw new Error('there is no Python with Celery; install python3-celery, or set CELERY_PYTHON_PATH')
  const { PATH = '', HOME = '' } = process.env
  return runProgram(python, args, {
    cwd: FOLDER,
    env: { PATH, HOME, PYTHONDONTWRITEBYTECODE: '1', REDIS_URL: redisUrl, ...env },
  })
}

export type Pool = 'prefork' | 'solo'

/** A worker of the team's Celery application, once it takes tasks. */
export async function celeryWorker(
  redisUrl: string,
  pool: Pool,
  ...more: readonly string[]
): Promise<Program> {
  const name = `worker-${crypto.randomUUID().slice(0, 8)}@%h`
  const args = [
    '-m',
    'celery',
    '-A',
    'tasks.app',
    'worker',
    '--pool',
    pool,
    '-n',
    name,
    '--loglevel',
    'INFO',
    ...more,
  ]
  const worker = teamPython(args, redisUrl, { CELERY_BROKER_URL: `${redisUrl}/0`, VISIBILITY_TIMEOUT: '5' })
  await until('the worker', () => / ready\.$/m.test(worker.printed.err), 60_000)
  return worker
}
