// Runs before the tests, with nothing but Node: sees to it that what they need is there, or says what to do.
import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Path of a Chromium or Chrome on this machine; `CHROMIUM_PATH` comes first. */
export function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const folders = (process.env.PATH ?? '').split(delimiter)
  const places = [
    process.env.CHROMIUM_PATH,
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ]
  return places.find((place) => place && isExecutable(place))
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

function provideChromium() {
  if (findChromium()) return
  const canInstall = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0
  if (!canInstall) {
    fail(
      'a test needs Chromium, and there is none. Install it (Debian: apt-get install chromium) or set CHROMIUM_PATH',
    )
  }
  say('installing Chromium: apt-get install chromium')
  run('apt-get', ['update', '-qq'])
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'])
  if (!findChromium()) fail('Chromium was installed, but it cannot be found; set CHROMIUM_PATH')
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
  provideChromium()
}
