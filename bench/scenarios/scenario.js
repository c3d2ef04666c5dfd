// @ts-check
// What scenarios have in common.
import { setTimeout as sleep } from 'node:timers/promises'

/** @typedef {import('../candidates/candidate.js').Candidate} Candidate */
/** @typedef {import('../candidates/candidate.js').Engine} Engine */
/** @typedef {import('../candidates/candidate.js').Setting} Setting */
/** @typedef {import('../candidates/candidate.js').Standing} Standing */
/** @typedef {import('../processes.js').ServerProcess} ServerProcess */

/**
 * What issue 4 wants; a median within one run.
 *
 * @typedef {object} Target
 * @property {string} [against] a candidate; the target is then a ratio to it, otherwise it is absolute
 * @property {number} atMost
 *
 * @typedef {object} Row one line of the table for each candidate
 * @property {string} key
 * @property {string} label
 * @property {string} unit
 * @property {number} [digits] after the decimal point
 * @property {readonly Target[]} [targets] of Epochcast
 * @property {true} [higherIsBetter]
 *
 * @typedef {object} Sizes what the command line may change
 * @property {boolean} quick
 * @property {readonly number[] | null} subscribers
 * @property {readonly number[] | null} reports
 *
 * @typedef {object} Bench what a scenario is given
 * @property {Sizes} sizes
 * @property {Engine} engine
 * @property {string} candidate
 * @property {Budget} budget
 * @property {(setting?: Partial<Setting>) => Promise<Standing>} start the candidate; it is ended afterwards
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} about
 * @property {readonly Engine[]} engines
 * @property {readonly string[]} candidates
 * @property {(sizes: Sizes) => Row[]} rows
 * @property {(bench: Bench) => Promise<Record<string, number>>} run values by the keys of rows
 */

/**
 * How long something is repeated: until the server has used so much CPU time, or until so much time is over.
 *
 * @typedef {object} Budget
 * @property {number} cpuMs
 * @property {number} longestMs
 */

/** @type {Budget} */
export const FULL = { cpuMs: 1000, longestMs: 10_000 }
/** @type {Budget} */
export const QUICK = { cpuMs: 150, longestMs: 1500 }
const WARM_UP_SHARE = 0.5
const LOOKING_MS = 200

/**
 * Brings a server to its usual speed, once, before the first measurement: code that is not compiled yet may cost
 * three times as much. What is measured later warms up by itself, for half of its budget.
 *
 * @param {ServerProcess} server
 * @param {Budget} budget
 * @param {number} times the budget
 * @param {readonly (() => Promise<unknown>)[]} loops
 */
export async function warmUp(server, { cpuMs, longestMs }, times, loops) {
  await repeat(server, { cpuMs: cpuMs * times, longestMs: longestMs * times }, loops)
}

/**
 * Repeats each of the loops, one beside the other, until the budget is used up; a first half as much does not
 * count.
 *
 * @param {ServerProcess} server whose CPU time it is
 * @param {Budget} budget
 * @param {readonly (() => Promise<unknown>)[]} loops
 * @param {() => void} [begin] called when it begins to count
 */
export async function measure(server, budget, loops, begin) {
  const { cpuMs, longestMs } = budget
  await repeat(server, { cpuMs: cpuMs * WARM_UP_SHARE, longestMs: longestMs * WARM_UP_SHARE }, loops)
  begin?.()
  return repeat(server, budget, loops)
}

/**
 * @param {ServerProcess} server
 * @param {Budget} budget
 * @param {readonly (() => Promise<unknown>)[]} loops
 */
async function repeat(server, { cpuMs, longestMs }, loops) {
  const cpuBefore = await server.cpu()
  const startedAt = performance.now()
  let isOver = false
  const running = Promise.all(
    loops.map(async (loop) => {
      while (!isOver) await loop()
    }),
  )
  try {
    // Asking costs the server a little, so it is not done all the time.
    while (!isOver) {
      await Promise.race([sleep(LOOKING_MS), running])
      const used = (await server.cpu()) - cpuBefore
      isOver = used >= cpuMs * 1000 || performance.now() - startedAt >= longestMs
    }
  } finally {
    isOver = true
  }
  await running
  const ms = performance.now() - startedAt
  return { cpuUs: (await server.cpu()) - cpuBefore, ms }
}

/**
 * @param {Standing['createTasks']} createTasks
 * @param {number} [messageLength]
 */
export async function onlyTask(createTasks, messageLength) {
  const [task] = await createTasks(1, messageLength)
  if (!task) throw new Error('no task was created')
  return task
}
