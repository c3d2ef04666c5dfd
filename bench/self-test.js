// @ts-check
import { BARE } from './candidates/candidate.js'
import { FAULT_NAMES, OVERTAKING } from './references/faults.js'
import { runOnce } from './runner.js'

const NONE = 'none'

/** By scenario: what the bare reference does that must not be taken for a mistake. */
/** @type {Record<string, readonly string[]>} */
const HARMLESS = { fanout: [NONE], calls: [NONE, OVERTAKING] }

/**
 * Whether each mistake that a server can make is noticed, and nothing else; the bare reference makes them on purpose.
 *
 * @param {{ cores: import('./cores.js').Cores, server: string, say: (line: string) => void }} environment
 * @returns {Promise<string[]>} what it was wrong about
 */
export async function everyFaultIsNoticed({ cores, server, say }) {
  const sizes = { quick: true, subscribers: [20], reports: null }
  const wrong = []
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
