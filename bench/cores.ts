import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Command } from '../test/processes/daemon.ts'

/**
 * Which cores the parts of a measurement run on: the measured server alone on the first, everything else on
 * the second.
 */
export interface Cores {
  /** As `taskset -c` takes it; null where nothing is pinned. */
  readonly measured: string | null
  readonly rest: string | null
  readonly all: string | null
  /** Nothing is pinned. */
  readonly why: string | null
}

export function chooseCores(): Cores {
  const unpinned = (why: string) => ({ measured: null, rest: null, all: null, why })
  if (spawnSync('taskset', ['--version']).status !== 0) return unpinned('there is no taskset')
  const [first, second] = allowedCores()
  if (first === undefined || second === undefined) return unpinned('there is only one core')
  return { measured: `${first}`, rest: `${second}`, all: `${first},${second}`, why: null }
}

/** Moves this process, with all its threads, and whatever it starts from now on. */
export function moveTo(core: string | null) {
  if (core !== null) execFileSync('taskset', ['-acp', core, `${process.pid}`], { stdio: 'ignore' })
}

/** A command that runs pinned. */
export function pinned(core: string | null, program: string, args: readonly string[]): Command {
  return core === null ? [program, ...args] : ['taskset', '-c', core, program, ...args]
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
