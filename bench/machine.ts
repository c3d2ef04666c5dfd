import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import type { Cores } from './cores.ts'

/** What the figures depend on. */
export function describeMachine(redisVersion: string | null, cores: Cores) {
  const processors = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    redis: redisVersion ?? 'not used',
    pinned: cores.why
      ? `no (${cores.why}): the server shares its core, and figures are noisier`
      : `the measured server to core ${cores.measured}, everything else to core ${cores.rest}`,
  }
}

/** Open files that a process may have, at most; Node takes all it can get. */
export function maxOpenFiles() {
  try {
    const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
    return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
