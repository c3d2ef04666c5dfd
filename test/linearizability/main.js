// @ts-check
// Builds the checker beside this file and runs it on the built checkout; everything after `--` goes to it (`-help`).
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const checker = join(root, 'node_modules/.cache/epochcast/linearizability')
/** The short run of continuous integration: every engine, and crashes. */
const SHORT = [
  ['-faults', 'kill,redis', '-duration', '12s', '-connection', '300ms'],
  ['-engine', 'lmdb', '-faults', 'kill,term', '-duration', '8s', '-connection', '300ms'],
  ['-engine', 'memory', '-duration', '4s'],
]

const args = process.argv.slice(2)
if (spawnSync('go', ['version']).status !== 0) {
  // Go is a tool of this one check, so its absence fails whoever asks for the check, and nobody else.
  process.stderr.write('linearizability: there is no Go; install it (Debian: apt-get install golang)\n')
  process.exit(1)
}
mkdirSync(join(checker, '..'), { recursive: true })
run('go', ['build', '-o', checker, '.'], import.meta.dirname)
for (const options of args[0] === '--short' ? SHORT : [args]) {
  run(checker, ['-dir', root, '-out', root, ...options], root)
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 */
function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) process.stderr.write(`linearizability: ${command} could not be run: ${error.message}\n`)
  if (status !== 0) process.exit(status ?? 1)
}
