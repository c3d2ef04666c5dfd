import { fork } from 'node:child_process'
import { join } from 'node:path'
import { end, endWithUs } from '../test/processes/lifetime.ts'
import type { RedisProcess } from '../test/processes/redis-process.ts'
import type { Engine } from './candidates/candidate.ts'
import type { Cores } from './cores.ts'
import type { Job, Outcome } from './measure.ts'
import type { Options } from './options.ts'
import type { ScenarioResults } from './results.ts'
import type { Scenario } from './scenarios/scenario.ts'

const LONGEST_MEASUREMENT_MS = 180_000

/** What all runs have in common. */
export interface Environment {
  readonly redis: RedisProcess | null
  readonly cores: Cores
  readonly say: (line: string) => void
}

/**
 * A scenario on an engine: round after round, the candidates in turn. Whose run was invalid once is left out from
 * then on.
 */
export async function runScenario(
  scenario: Scenario,
  engine: Engine,
  options: Options,
  { redis, cores, say }: Environment,
): Promise<ScenarioResults> {
  const candidates = scenario.candidates.filter((name) => options.candidates?.includes(name) ?? true)
  const results: ScenarioResults = { scenario, engine, candidates, rounds: new Map(), errors: new Map() }
  for (const name of candidates) results.rounds.set(name, [])
  for (let round = 1; round <= options.rounds; round++) {
    for (const candidate of candidates) {
      if (results.errors.has(candidate)) continue
      const what = `${scenario.name} (${engine}) ${round}/${options.rounds} ${candidate}`
      const startedAt = performance.now()
      if (engine === 'redis') await redis?.run((client) => client.flushall())
      const outcome = await runOnce({
        scenario: scenario.name,
        candidate,
        sizes: options.sizes,
        setting: {
          engine,
          redisUrl: engine === 'redis' ? (redis?.url ?? null) : null,
          cores,
          server: options.server,
        },
      })
      const seconds = `${((performance.now() - startedAt) / 1000).toFixed(0)} s`
      if ('error' in outcome) {
        results.errors.set(candidate, outcome.error)
        say(`${what}: INVALID after ${seconds}: ${outcome.error}`)
      } else {
        results.rounds.get(candidate)?.push(outcome.values)
        say(`${what}: ${summary(outcome.values)} (${seconds})`)
      }
    }
  }
  return results
}

export async function runOnce(job: Job): Promise<Outcome> {
  const child = endWithUs(fork(join(import.meta.dirname, 'measure.js')))
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve) => {
      timer = setTimeout(
        () => resolve({ error: `not done after ${LONGEST_MEASUREMENT_MS / 1000} s` }),
        LONGEST_MEASUREMENT_MS,
      )
      child.once('message', (outcome: Outcome) => resolve(outcome))
      child.once('exit', (code, signal) => resolve({ error: `it ended by itself (${signal ?? code})` }))
      child.send(job)
    })
  } finally {
    clearTimeout(timer)
    await end(child)
  }
}

function summary(values: Record<string, number>) {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${value < 100 ? value.toFixed(2) : value.toFixed(0)}`)
    .join(', ')
}
