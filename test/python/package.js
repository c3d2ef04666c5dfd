// The tests of clients/python. `npm run test:python` runs those that need no framework, on every Python of this machine that the
// package is for, and checks its types and style: in small environments, which are made once for all checkouts. With
// `frameworks`, after the recipes in `npm run test:frameworks`, those with real frameworks, in the environment of provide.js.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { provideEnvironment } from './environment.js'
import { basePython, pythonPath } from './provide.js'

const MINORS = [10, 11, 12, 13, 14]
const PACKAGE = join(import.meta.dirname, '../../clients/python')
const CORE = join(PACKAGE, 'tests/core/requirements.txt')
const WHOLE = join(PACKAGE, 'tests/package/requirements.txt')
/** They mostly wait for their servers, but for frameworks, which take seconds of a core to load. */
const MAX_AT_A_TIME = process.argv.includes('frameworks') ? 2 : 3

const failed = []
const started = performance.now()
const jobs = process.argv.includes('frameworks') ? ofFrameworks() : ofPackage()
await Promise.all(Array.from({ length: MAX_AT_A_TIME }, work))
say(`${Math.round((performance.now() - started) / 1000)} s, ${failed.join(', ') || 'nothing'} failed`)
if (failed.length > 0) process.exitCode = 1

function ofPackage() {
  const base = basePython()
  const main = provide(`Python ${base.version}`, 'package', base.path, WHOLE)
  return [
    job(`Python ${base.version}`, main, ['-m', 'pytest', 'tests/core', 'tests/package']),
    ...others(main).map(({ version, python }) =>
      job(version, provide(version, 'pytest', python, CORE), ['-m', 'pytest', 'tests/core']),
    ),
    ...types(main),
    job('style', main, ['-m', 'ruff', 'check', '.', '../../examples', '../../test/python']),
    job('format', main, ['-m', 'ruff', 'format', '--check', '.']),
  ]
}

function ofFrameworks() {
  const main = pythonPath()
  const apart = ['ranks', 'flower'].map((name) => `tests/frameworks/test_${name}.py`)
  return [
    ...apart.map((path) => job(path, main, ['-m', 'pytest', path])),
    job('frameworks', main, ['-m', 'pytest', 'tests/frameworks', ...apart.map((path) => `--ignore=${path}`)]),
    ...types(main),
  ]
}

/** With or without what the package's modules are for: what is there has types of its own. */
function types(python) {
  return [
    job('types, by mypy', python, ['-m', 'mypy']),
    job('types, by pyright', python, ['-m', 'pyright', '--pythonpath', python]),
  ]
}

function provide(what, name, python, requirements) {
  try {
    return provideEnvironment(name, python, requirements)
  } catch (error) {
    say(`${what} cannot be given what ${requirements} names; pip says why above (${error.message})`)
    process.exit(1)
  }
}

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
function others(main) {
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
