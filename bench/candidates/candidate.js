// @ts-check
// What the candidates have in common.
/** @typedef {import('../client/watched-task.js').WatchedTask} WatchedTask */
/** @typedef {import('../client/subscriber.js').Dialect} Dialect */
/** @typedef {import('../processes.js').ServerProcess} ServerProcess */
/** @typedef {import('../cores.js').Cores} Cores */
/** @typedef {import('./reporters.js').Reporter} Reporter */
/** @typedef {'memory' | 'redis'} Engine */

/**
 * @typedef {object} Setting
 * @property {Engine} engine
 * @property {string | null} redisUrl
 * @property {Cores} cores
 * @property {string} server Epochcast's entry
 * @property {boolean} [reportsToItself] reports are posted to the measured server; otherwise, where there is
 *   Redis, they come from elsewhere, and the measured server only delivers
 * @property {boolean} [keepsNothing] the bare reference stores no reports, it only broadcasts them
 * @property {Record<string, string>} [env] further settings of the candidate
 * @property {number} [workers] of Epochcast
 * @property {boolean} [usesAllCores] the measured server is not confined to a core of its own
 */

/**
 * A candidate that runs.
 *
 * @typedef {object} Standing
 * @property {ServerProcess} server the one that is measured
 * @property {Dialect} dialect
 * @property {Reporter} reporter
 * @property {(count: number, messageLength?: number) => Promise<WatchedTask[]>} createTasks
 * @property {(task: WatchedTask) => Promise<number | null>} countLog events of the task that are stored, after
 *   a look at their content; null where nothing is stored
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} Candidate
 * @property {string} name
 * @property {(setting: Setting) => Promise<Standing>} start
 */

export const BARE = 'bare ws'
export const EPOCHCAST = 'epochcast'
export const YOGA = 'documented Yoga stack'
