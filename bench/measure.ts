// One measurement in a process of its own, which is the load generator as well: one scenario, one candidate, once.
// Started by main.js, which sends the job and gets the values.
import type { Setting, Standing } from './candidates/candidate.ts'
import { CANDIDATES } from './candidates/index.ts'
import { SCENARIOS } from './scenarios/index.ts'
import { FULL, QUICK, type Sizes } from './scenarios/scenario.ts'

export interface Job {
  readonly scenario: string
  readonly candidate: string
  readonly sizes: Sizes
  readonly setting: Setting
}

export type Outcome = { values: Record<string, number> } | { error: string }

process.on('disconnect', () => process.exit())
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit())

process.once('message', async (job: Job) => {
  let outcome: Outcome
  try {
    outcome = { values: await run(job) }
  } catch (error) {
    outcome = { error: String((error as Error).stack) }
  }
  process.send?.(outcome, () => process.exit())
})

async function run({ scenario: scenarioName, candidate: name, sizes, setting }: Job) {
  const scenario = SCENARIOS.find((each) => each.name === scenarioName)
  const candidate = CANDIDATES[name]
  if (!scenario || !candidate) throw new Error(`there is no ${scenarioName} with ${name}`)
  const started: Standing[] = []
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
