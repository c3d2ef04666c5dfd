// Runs before `npm run test:python`: sees to it that the Python environment of these tests is there. It is several
// gigabytes (torch brings its GPU libraries), so it stands outside the checkout and is made once. With `--is-there` it only
// says by its exit code whether that has been done.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './environment.js'

const MIN_VERSION = [3, 11]
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')
const CONSTRAINTS = join(import.meta.dirname, 'constraints.txt')
/** What shows that an environment works. */
const IMPORTS =
  'import os; os.environ["KERAS_BACKEND"] = "torch"; import celery, flwr, keras, lightgbm, lightning, redis, tensorboard, torch, transformers, xgboost'

/**
 * Path of the environment's Python, whether or not it is there already. An environment is named after what is in it and
 * which Python it is for, so another checkout shares it exactly if it needs the same.
 *
 * @returns {string}
 */
export function pythonPath() {
  return join(environmentFolder(basePython()), 'bin/python')
}

/** The Python that environments are made with: `PYTHON3_PATH`, or the python3 on the PATH. */
export function basePython() {
  const program = process.env.PYTHON3_PATH || 'python3'
  const script = 'import sys; print(sys.executable, *sys.version_info[:3], sep="\\n")'
  let printed
  try {
    printed = execFileSync(program, ['-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  } catch (error) {
    fail(
      `${program} cannot be run (${error.message}); install Python ${MIN_VERSION.join('.')} or set PYTHON3_PATH`,
    )
  }
  const [path, ...version] = printed.trim().split('\n')
  const [major, minor] = version.map(Number)
  if (major !== MIN_VERSION[0] || minor < MIN_VERSION[1]) {
    fail(
      `${program} is ${version.join('.')}; expected 3.${MIN_VERSION[1]} or newer. PYTHON3_PATH names another`,
    )
  }
  return { path, version: `${major}.${minor}` }
}

function environmentFolder({ path, version }) {
  const hash = createHash('sha256')
  for (const part of [readFileSync(REQUIREMENTS), readFileSync(CONSTRAINTS), path, version]) {
    hash.update(part).update('\0')
  }
  return join(cacheFolder(), `python-${hash.digest('hex').slice(0, 12)}`)
}

async function provideEnvironment() {
  const python = basePython()
  const folder = environmentFolder(python)
  if (existsSync(folder)) return
  mkdirSync(cacheFolder(), { recursive: true })
  removeUnfinished()
  // Made under another name, so that one that was interrupted is never taken for one that is whole.
  const unfinished = `${folder}.unfinished-${process.pid}`
  say(`making ${folder} with Python ${python.version}: about 3 GB to download, 7 GB on disk`)
  const started = performance.now()
  try {
    await run(python.path, ['-m', 'venv', unfinished])
    const pip = [
      '-m',
      'pip',
      'install',
      '--disable-pip-version-check',
      '--no-cache-dir',
      '--progress-bar',
      'off',
    ]
    await run(join(unfinished, 'bin/python'), [...pip, '-r', REQUIREMENTS, '-c', CONSTRAINTS])
    await run(join(unfinished, 'bin/python'), ['-c', IMPORTS])
    nameFolderInPrograms(unfinished, folder)
    renameSync(unfinished, folder)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    // Another run may have been faster.
    if (!existsSync(folder)) fail(`the Python environment cannot be made: ${error.message}`)
  }
  say(`made in ${Math.round((performance.now() - started) / 1000)} s`)
}

/** The programs beside Python name it by its path, which is to be another. */
function nameFolderInPrograms(unfinished, folder) {
  for (const name of readdirSync(join(unfinished, 'bin'))) {
    const path = join(unfinished, 'bin', name)
    if (lstatSync(path).isSymbolicLink()) continue
    const bytes = readFileSync(path)
    // As bytes, one character each: some are binaries, which have their own ways and stay as they are.
    const named = bytes.toString('latin1')
    if (named.startsWith(`#!${unfinished}`)) writeFileSync(path, named.replace(unfinished, folder), 'latin1')
  }
}

/** Removes what runs that were killed have left. */
function removeUnfinished() {
  for (const name of readdirSync(cacheFolder())) {
    const pid = /^python-.*\.unfinished-(\d+)$/.exec(name)?.[1]
    if (pid && !isAlive(Number(pid))) rmSync(join(cacheFolder(), name), { recursive: true, force: true })
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Runs a command whose progress is seen on stderr. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2] })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ${args.slice(0, 3).join(' ')} ended with ${signal ?? code}`))
    })
  })
}

const say = (line) => console.error(`provide: ${line}`)

function fail(line) {
  say(line)
  process.exit(1)
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv[2] === '--is-there') process.exitCode = existsSync(pythonPath()) ? 0 : 1
  else await provideEnvironment()
}
