// @ts-check
// Subscribers in a process of their own, of the lowest priority: a storm of them must not take from others on
// their core what the measured server would be blamed for. Run as a process it is that crowd.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { end, endedWithUs } from '../processes.js'
import { Audience } from './audience.js'
import { WatchedTask } from './watched-task.js'

/**
 * @typedef {object} Storm
 * @property {{ port: number, dialect: import('./subscriber.js').Dialect }} target
 * @property {string} taskId
 * @property {number} reported events of the task, all of which each of them must see from `after` on
 * @property {number} count of subscribers
 * @property {{ sequence: number, cursor: string }} after
 */

/**
 * Prepares a storm of subscribers; `go` resolves with the ms until all of them have seen everything.
 *
 * @param {Storm} storm
 */
export async function stormElsewhere(storm) {
  const child = endedWithUs(fork(import.meta.filename))
  const heard = async () => {
    const [answer] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => [{ error: 'the storm ended by itself' }]),
    ])
    if (answer.error) throw new Error(answer.error)
    return answer
  }
  await heard()
  return {
    go: async () => {
      child.send(storm)
      return /** @type {number} */ ((await heard()).ms)
    },
    leave: () => end(child),
  }
}

if (process.argv[1] === import.meta.filename) {
  setPriority(constants.priority.PRIORITY_LOW)
  process.on('disconnect', () => process.exit())
  process.once('message', async (/** @type {Storm} */ storm) => {
    try {
      process.send?.({ ms: await rage(storm) })
    } catch (error) {
      process.send?.({ error: String(/** @type {Error} */ (error).stack) })
    }
  })
  process.send?.({ isReady: true })
}

/** @param {Storm} storm */
async function rage({ target, taskId, reported, count, after }) {
  const task = new WatchedTask(taskId)
  task.reported = reported
  const audience = new Audience(target)
  const startedAt = performance.now()
  await audience.expect(count * (reported - after.sequence), () => audience.storm(count, [task], { after }))
  const ms = performance.now() - startedAt
  await audience.settle()
  return ms
}
