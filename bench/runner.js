// @ts-check
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { end, endedWithUs } from './processes.js'

/** @typedef {import('./measure.js').Job} Job */
/** @typedef {import('./measure.js').Outcome} Outcome */
/** @typedef {import('./options.js').Options} Options */
/** @typedef {import('./processes.js').RedisProcess} RedisProcess */
/** @typedef {import('./results.js').ScenarioResults} ScenarioResults */
/** @typedef {import('./scenarios/scenario.js').Scenario} Scenario */
/** @typedef {import('./candidates/candidate.js').Engine} Engine */

const LONGEST_MEASUREMENT_MS = 180_000

/**
 * A scenario on an engine: round after round, the candidates in turn. Whose run was invalid once is left out from
 * then on.
 *
 * @param {Scenario} scenario
 * @param {Engine} engine
 * @param {Options} options
 * @param {{ redis: RedisProcess | null, cores: import('./cores.js').Cores, say: (line: string) => void }} environment
 * @returns {Promise<ScenarioResults>}
 */
export async function runScenario(scenario, engine, options, { redis, cores, say }) {
  const candidates = scenario.candidates.filter((name) => options.candidates?.includes(name) ?? true)
  /** @type {ScenarioResults} */
  const results = { scenario, engine, candidates, rounds: new Map(), errors: new Map() }
  for (const name of candidates) results.rounds.set(name, [])
  for (let round = 1; round <= options.rounds; round++) {
    for (const candidate of candidates) {
      if (results.errors.has(candidate)) continue
      const what = `${scenario.name} (${engine}) ${round}/${options.rounds} ${candidate}`
      const startedAt = performance.now()
      if (engine === 'redis') await redis?.empty()
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

/**
 * @param {Job} job
 * @returns {Promise<Outcome>}
 */
export async function runOnce(job) {
  const child = endedWithUs(fork(join(import.meta.dirname, 'measure.js')))
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  try {
    return await new Promise((resolve) => {
      timer = setTimeout(
        () => resolve({ error: `not done after ${LONGEST_MEASUREMENT_MS / 1000} s` }),
        LONGEST_MEASUREMENT_MS,
      )
      child.once('message', (/** @type {Outcome} */ outcome) => resolve(outcome))
      child.once('exit', (code, signal) => resolve({ error: `it ended by itself (${signal ?? code})` }))
      child.send(job)
    })
  } finally {
    clearTimeout(timer)
    await end(child)
  }
}

/** @param {Record<string, number>} values */
function summary(values) {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${value < 100 ? value.toFixed(2) : value.toFixed(0)}`)
    .join(', ')
}
