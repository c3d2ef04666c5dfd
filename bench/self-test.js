// @ts-check
import { BARE } from './candidates/candidate.js'
import { FAULT_NAMES } from './references/faults.js'
import { runOnce } from './runner.js'

/**
 * Whether each mistake that a server can make is noticed; the bare reference makes them on purpose.
 *
 * @param {{ cores: import('./cores.js').Cores, server: string, say: (line: string) => void }} environment
 */
export async function everyFaultIsNoticed({ cores, server, say }) {
  const sizes = { quick: true, subscribers: [20], reports: null }
  const unnoticed = []
  for (const fault of ['none', ...FAULT_NAMES]) {
    /** @type {Record<string, string>} */
    const env = fault === 'none' ? {} : { BENCH_FAULT: fault }
    const outcome = await runOnce({
      scenario: 'fanout',
      candidate: BARE,
      sizes,
      setting: { engine: 'memory', redisUrl: null, cores, server, env },
    })
    const isNoticed = 'error' in outcome
    say(`self-test, fault ${fault}: ${isNoticed ? outcome.error.split('\n', 1)[0] : 'nothing noticed'}`)
    if (isNoticed !== (fault !== 'none')) unnoticed.push(fault)
  }
  return unnoticed
}
