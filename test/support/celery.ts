import { join } from 'node:path'
import { findCeleryPython } from '../provide.js'
import { type Program, runProgram } from './program.ts'

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
