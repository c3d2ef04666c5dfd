import { BARE } from './candidates/candidate.ts'
import type { Cores } from './cores.ts'
import { FAULT_NAMES, OVERTAKING } from './references/faults.ts'
import { runOnce } from './runner.ts'

const NONE = 'none'

/** By scenario: what the bare reference does that must not be taken for a mistake. */
const HARMLESS: Record<string, readonly string[]> = { fanout: [NONE], calls: [NONE, OVERTAKING] }

export interface SelfTest {
  readonly cores: Cores
  readonly server: string
  readonly say: (line: string) => void
}

/**
 * Whether each mistake that a server can make is noticed, and nothing else; the bare reference makes them on purpose.
 *
 * @returns what it was wrong about
 */
export async function everyFaultIsNoticed({ cores, server, say }: SelfTest): Promise<string[]> {
  const sizes = { quick: true, subscribers: [20], reports: null }
  const wrong: string[] = []
  for (const [scenario, harmless] of Object.entries(HARMLESS)) {
    for (const fault of [...harmless, ...FAULT_NAMES]) {
      const outcome = await runOnce({
        scenario,
        candidate: BARE,
        sizes,
        setting: {
          engine: 'memory',
          redisUrl: null,
          cores,
          server,
          env: fault === NONE ? {} : { BENCH_FAULT: fault },
        },
      })
      const what = `${scenario}, ${fault}`
      const isNoticed = 'error' in outcome
      say(`self-test, ${what}: ${isNoticed ? outcome.error.split('\n', 1)[0] : 'nothing noticed'}`)
      if (isNoticed === harmless.includes(fault)) wrong.push(what)
    }
  }
  return wrong
}
