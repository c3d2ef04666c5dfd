import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'epochcast')
}

/**
 * The Python of a small environment, whether or not it is there already: named after what is in it and which Python it is for,
 * so that all checkouts share it that need the same.
 *
 * @param {string} name
 * @param {string} python that it is made with
 * @param {string} requirements path of a file
 * @returns {string}
 */
export function environmentPython(name, python, requirements) {
  const hash = createHash('sha256').update(readFileSync(requirements)).update('\0').update(python)
  return join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 12)}`, 'bin/python')
}

/**
 * Makes such an environment where it is not there yet.
 *
 * @param {string} name
 * @param {string} python
 * @param {string} requirements
 * @returns {string} its Python
 */
export function provideEnvironment(name, python, requirements) {
  const path = environmentPython(name, python, requirements)
  if (existsSync(path)) return path
  const folder = join(path, '../..')
  mkdirSync(cacheFolder(), { recursive: true })
  // Under another name, so that one that was interrupted is never taken for one that is whole.
  const unfinished = `${folder}.unfinished-${process.pid}`
  try {
    execFileSync(python, ['-m', 'venv', unfinished], { stdio: ['ignore', 2, 2] })
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', '--quiet']
    execFileSync(join(unfinished, 'bin/python'), [...pip, '-r', requirements], { stdio: ['ignore', 2, 2] })
    renameSync(unfinished, folder)
  } catch (error) {
    // Another run may have been faster.
    if (!existsSync(path)) throw error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return path
}
