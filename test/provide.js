// Runs before the tests, with nothing but Node: sees to it that what they need is there, or says what to do.
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

const root = join(import.meta.dirname, '..')

/**
 * Path of a Chromium or Chrome on this machine; `CHROMIUM_PATH` comes first.
 *
 * @returns {string | undefined}
 */
export function findChromium() {
  return (
    findProgram(
      process.env.CHROMIUM_PATH,
      'chromium',
      'chromium-browser',
      'google-chrome',
      'google-chrome-stable',
    ) ??
    ['Google Chrome', 'Chromium']
      .map((app) => `/Applications/${app}.app/Contents/MacOS/${app}`)
      .find(isExecutable)
  )
}

/**
 * Path of a redis-server on this machine; `REDIS_SERVER_PATH` comes first.
 *
 * @returns {string | undefined}
 */
export function findRedisServer() {
  return findProgram(process.env.REDIS_SERVER_PATH, 'redis-server')
}

/**
 * Path of an nginx on this machine; `NGINX_PATH` comes first.
 *
 * @returns {string | undefined}
 */
export function findNginx() {
  return findProgram(process.env.NGINX_PATH, 'nginx', '/usr/sbin/nginx')
}

/**
 * Path of a Prometheus on this machine, and of its promtool beside it; `PROMETHEUS_PATH` comes first.
 *
 * @returns {string | undefined}
 */
export function findPrometheus() {
  return findProgram(process.env.PROMETHEUS_PATH, 'prometheus')
}

/**
 * Path of a Python that has Celery and Redis's client; `CELERY_PYTHON_PATH` comes first.
 *
 * @returns {string | undefined}
 */
export function findCeleryPython() {
  const hasCelery = (path) => spawnSync(path, ['-c', 'import celery, redis']).status === 0
  const { CELERY_PYTHON_PATH: given } = process.env
  return (given ? [given] : ['python3', '/usr/bin/python3']).find(hasCelery)
}

function findProgram(path, ...names) {
  if (path) return isExecutable(path) ? path : undefined
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names
    .flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))))
    .find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function provideDependencies() {
  const modified = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return
  say('installing the dependencies: npm ci')
  run('npm', ['ci'])
}

function provideProgram(what, find, debianPackages, variable) {
  if (find()) return
  const packages = [debianPackages].flat()
  const canInstall = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0
  if (!canInstall) {
    fail(
      `tests need ${what}, and there is none. Install it (Debian: apt-get install ${packages.join(' ')}) or set ${variable}`,
    )
  }
  say(`installing ${what}: apt-get install ${packages.join(' ')}`)
  run('apt-get', ['update', '-qq'])
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages])
  if (!find()) fail(`${what} was installed, but it cannot be found; set ${variable}`)
}

function run(command, args) {
  try {
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (error) {
    fail(`${command} ${args.join(' ')} failed: ${error.message}`)
  }
}

const say = (line) => console.error(`provide: ${line}`)

function fail(line) {
  say(line)
  process.exit(1)
}

if (process.argv[1] === import.meta.filename) {
  provideDependencies()
  provideProgram('Chromium', findChromium, 'chromium', 'CHROMIUM_PATH')
  provideProgram('redis-server', findRedisServer, 'redis-server', 'REDIS_SERVER_PATH')
  // What only some tests need is named on the command line.
  if (process.argv.includes('nginx')) provideProgram('nginx', findNginx, 'nginx-light', 'NGINX_PATH')
  if (process.argv.includes('prometheus'))
    provideProgram('Prometheus', findPrometheus, 'prometheus', 'PROMETHEUS_PATH')
  if (process.argv.includes('celery')) {
    const packages = ['python3-celery', 'python3-redis']
    provideProgram('Python with Celery', findCeleryPython, packages, 'CELERY_PYTHON_PATH')
  }
}
