// @ts-check
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/**
 * Which cores the parts of a measurement run on: the measured server alone on the first, everything else on
 * the second.
 *
 * @typedef {object} Cores
 * @property {string | null} measured as `taskset -c` takes it; null where nothing is pinned
 * @property {string | null} rest
 * @property {string | null} all
 * @property {string | null} why nothing is pinned
 */

/** @returns {Cores} */
export function chooseCores() {
  const unpinned = (/** @type {string} */ why) => ({ measured: null, rest: null, all: null, why })
  if (spawnSync('taskset', ['--version']).status !== 0) return unpinned('there is no taskset')
  const [first, second] = allowedCores()
  if (first === undefined || second === undefined) return unpinned('there is only one core')
  return { measured: `${first}`, rest: `${second}`, all: `${first},${second}`, why: null }
}

/**
 * Moves this process, with all its threads, and whatever it starts from now on.
 *
 * @param {string | null} core
 */
export function moveTo(core) {
  if (core !== null) execFileSync('taskset', ['-acp', core, `${process.pid}`], { stdio: 'ignore' })
}

/**
 * A command that runs pinned.
 *
 * @param {string | null} core
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {[string, string[]]}
 */
export function pinned(core, program, args) {
  return core === null ? [program, [...args]] : ['taskset', ['-c', core, program, ...args]]
}

/** A container may be allowed a part of the machine only. */
function allowedCores() {
  try {
    const [, list = ''] = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return list.split(',').flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, i) => from + i)
    })
  } catch {
    return Array.from({ length: availableParallelism() }, (_, i) => i)
  }
}
