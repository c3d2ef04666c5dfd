// Runs the whole test suite on every supported Node, one after the other: npm run test:nodes
//
//   npm run test:nodes                      all versions, the suite once on each
//   npm run test:nodes -- --node 22         one version; may be repeated
//   npm run test:nodes -- test/task         only these tests; everything else goes to vitest
//
// Each Node comes from npm's package `node` and is kept in node_modules/.cache/nodes. It stands first on the PATH, so
// that servers, trainers and command lines that the tests start run on it too.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const MAJORS = ['20', '22', '24']

const root = join(import.meta.dirname, '..')
const vitest = join(root, 'node_modules/vitest/vitest.mjs')

/** What `--node` names, and the arguments that are vitest's. */
function parseArguments(args) {
  const majors = []
  const rest = []
  for (let i = 0; i < args.length; i++) {
    if (args[i] !== '--node') rest.push(args[i])
    else if (MAJORS.includes(args[i + 1])) majors.push(args[++i])
    else fail(`--node is ${JSON.stringify(args[i + 1])}; expected one of ${MAJORS.join(', ')}`)
  }
  return { majors: majors.length > 0 ? majors : MAJORS, rest }
}

/** Installs the newest release of a major, or finds it installed. Returns the folder of its `node`. */
function provideNode(major) {
  const folder = join(root, 'node_modules/.cache/nodes', major)
  mkdirSync(folder, { recursive: true })
  // A package of its own, or npm would install into the project.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `node-${major}`, private: true }))
  const { status } = spawnSync(
    'npm',
    [
      'install',
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--silent',
      '--ignore-scripts=false',
      `node@${major}`,
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  if (status !== 0) throw new Error(`npm install node@${major} ended with ${status}`)
  return join(folder, 'node_modules/node/bin')
}

/** The environment in which `node` is the one of this folder, checked by asking it. */
function environmentOf(bin, major) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
  const version = spawnSync('node', ['--version'], { env, encoding: 'utf8' }).stdout?.trim() ?? ''
  if (!version.startsWith(`v${major}.`)) {
    throw new Error(`the node first on the PATH is ${version || 'none'}; expected v${major}`)
  }
  return { env, version }
}

/** Runs the suite on one Node. Returns why it failed, or undefined. */
function testOn(major, args) {
  try {
    const { env, version } = environmentOf(provideNode(major), major)
    say(`${version}: running the tests`)
    const { status, signal } = spawnSync('node', [vitest, 'run', ...args], {
      cwd: root,
      env,
      stdio: 'inherit',
    })
    return status === 0 ? undefined : `vitest ended with ${signal ?? status}`
  } catch (error) {
    return error.message
  }
}

const say = (line) => console.error(`nodes: ${line}`)

function fail(line) {
  say(line)
  process.exit(1)
}

const { majors, rest } = parseArguments(process.argv.slice(2))
const failures = []
for (const [index, major] of majors.entries()) {
  say(`Node ${major} (${index + 1} of ${majors.length}): installing`)
  const startedAt = Date.now()
  const failure = testOn(major, rest)
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  say(`Node ${major}: ${failure ? `FAILED, ${failure}` : 'passed'} after ${seconds} s`)
  if (failure) failures.push(major)
}
if (failures.length > 0) fail(`FAILED on Node ${failures.join(', ')}`)
say(`passed on Node ${majors.join(', ')}`)
