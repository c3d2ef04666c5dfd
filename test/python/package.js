// Runs after the recipes in `npm run test:python`: the tests of clients/python, on every Python of this machine that the
// package is for, then its types and style. The core tests need only pytest; those with frameworks and of properties run on the
// Python that provide.js has made ready.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder, pythonPath } from './provide.js'

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
  ...others().map(({ version, python }) => job(version, testPython(python), ['-m', 'pytest', 'tests/core'])),
  job('types', main, ['-m', 'mypy']),
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

/** An environment with what the core tests need, made once for all checkouts. */
function testPython(python) {
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).update('\0').update(python)
  const folder = join(cacheFolder(), `pytest-${hash.digest('hex').slice(0, 12)}`)
  const path = join(folder, 'bin/python')
  if (existsSync(path)) return path
  const unfinished = `${folder}.unfinished-${process.pid}`
  try {
    execFileSync(python, ['-m', 'venv', unfinished], { stdio: ['ignore', 2, 2] })
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', '--quiet']
    execFileSync(join(unfinished, 'bin/python'), [...pip, '-r', REQUIREMENTS], { stdio: ['ignore', 2, 2] })
    renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return path
}

function say(line) {
  console.log(`package: ${line}`)
}
