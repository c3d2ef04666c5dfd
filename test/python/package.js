// Runs after the recipes in `npm run test:python`: the tests of clients/python, on every Python of this machine that the
// package is for, then its types and style. The core tests need only pytest; those with frameworks and of properties run on the
// Python that provide.js has made ready.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { provideEnvironment } from './environment.js'
import { pythonPath } from './provide.js'

const MINORS = [10, 11, 12, 13, 14]
const PACKAGE = join(import.meta.dirname, '../../clients/python')
const REQUIREMENTS = join(PACKAGE, 'tests/requirements.txt')
/** They mostly wait for their servers. */
const MAX_AT_A_TIME = 3

const main = pythonPath()
const failed = []
const started = performance.now()
const jobs = [
  job('Python of provide.js, with frameworks', main, ['-m', 'pytest', 'tests']),
  ...others().map(({ version, python }) =>
    job(version, provideEnvironment('pytest', python, REQUIREMENTS), ['-m', 'pytest', 'tests/core']),
  ),
  job('types, by mypy', main, ['-m', 'mypy']),
  job('types, by pyright', main, ['-m', 'pyright', '--pythonpath', main]),
  job('style', main, ['-m', 'ruff', 'check', '.', '../../examples', '../../test/python']),
  job('format', main, ['-m', 'ruff', 'format', '--check', '.']),
]
await Promise.all(Array.from({ length: MAX_AT_A_TIME }, work))
say(`${Math.round((performance.now() - started) / 1000)} s, ${failed.join(', ') || 'nothing'} failed`)
if (failed.length > 0) process.exitCode = 1

async function work() {
  for (let next = jobs.shift(); next; next = jobs.shift()) await next()
}

/** Prints what a command printed once it is over, so that those at the same time do not mix. */
function job(name, command, args) {
  return () =>
    new Promise((resolve) => {
      const began = performance.now()
      const child = spawn(command, args, { cwd: PACKAGE, stdio: ['ignore', 'pipe', 'pipe'] })
      const printed = []
      child.stdout.on('data', (data) => printed.push(data))
      child.stderr.on('data', (data) => printed.push(data))
      child.on('close', (code) => {
        say(`${name}: ${Math.round((performance.now() - began) / 1000)} s`)
        process.stdout.write(Buffer.concat(printed))
        if (code !== 0) failed.push(name)
        resolve()
      })
    })
}

/** The other Pythons here: on the PATH, or pyenv's. A version that is not here is said to be missing. */
function others() {
  const mainMinor = minorOf(main)
  return MINORS.flatMap((minor) => {
    if (minor === mainMinor) return []
    const python = [`python3.${minor}`, ...pyenvs(minor)].find((path) => minorOf(path) === minor)
    if (!python) say(`there is no Python 3.${minor} here, so the package was not tested with it`)
    return python ? [{ version: `Python 3.${minor}`, python }] : []
  })
}

function pyenvs(minor) {
  const folder = join(process.env.PYENV_ROOT || join(homedir(), '.pyenv'), 'versions')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.startsWith(`3.${minor}.`))
  return names.map((name) => join(folder, name, 'bin/python'))
}

function minorOf(path) {
  try {
    const script = 'import sys; print(*sys.version_info[:2])'
    const printed = execFileSync(path, ['-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return Number(printed.trim().split(' ')[1])
  } catch {
    return null // it is not there, or pyenv has no such version chosen
  }
}

function say(line) {
  console.log(`package: ${line}`)
}
