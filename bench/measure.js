// @ts-check
// One measurement in a process of its own, which is the load generator as well: one scenario, one candidate, once.
// Started by main.js, which sends the job and gets the values.
import { CANDIDATES } from './candidates/index.js'
import { endAll } from './processes.js'
import { SCENARIOS } from './scenarios/index.js'
import { FULL, QUICK } from './scenarios/scenario.js'

/**
 * @typedef {object} Job
 * @property {string} scenario
 * @property {string} candidate
 * @property {import('./scenarios/scenario.js').Sizes} sizes
 * @property {import('./candidates/candidate.js').Setting} setting
 *
 * @typedef {{ values: Record<string, number> } | { error: string }} Outcome
 */

process.on('exit', endAll)
process.on('disconnect', () => process.exit())
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit())

process.once('message', async (/** @type {Job} */ job) => {
  /** @type {Outcome} */
  let outcome
  try {
    outcome = { values: await run(job) }
  } catch (error) {
    outcome = { error: String(/** @type {Error} */ (error).stack) }
  }
  process.send?.(outcome, () => process.exit())
})

/** @param {Job} job */
async function run({ scenario: scenarioName, candidate: name, sizes, setting }) {
  const scenario = SCENARIOS.find((each) => each.name === scenarioName)
  const candidate = CANDIDATES[name]
  if (!scenario || !candidate) throw new Error(`there is no ${scenarioName} with ${name}`)
  /** @type {import('./candidates/candidate.js').Standing[]} */
  const started = []
  const values = await scenario.run({
    sizes,
    engine: setting.engine,
    candidate: name,
    budget: sizes.quick ? QUICK : FULL,
    start: async (more) => {
      const standing = await candidate.start({ ...setting, ...more })
      started.push(standing)
      return standing
    },
  })
  // Where it failed, everything ends with this process.
  for (const standing of started) await standing.close()
  return values
}
