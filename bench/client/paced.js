// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { Samples } from '../stats.js'

/**
 * Reports a task's events one by one at a steady rate, whether or not the ones before have arrived, and takes the
 * time of each from when its report is due to its arrival at each subscriber.
 *
 * @param {object} run
 * @param {import('./audience.js').Audience} run.audience of this one task
 * @param {import('../candidates/reporters.js').Reporter} run.reporter
 * @param {import('./watched-task.js').WatchedTask} run.task
 * @param {number} run.perSecond
 * @param {Promise<unknown>} run.until it goes on until then, and further until all of it has arrived
 * @returns {Promise<Samples>} in ms
 */
export async function paced({ audience, reporter, task, perSecond, until }) {
  /** @type {Map<number, number>} */
  const sentAt = new Map()
  const samples = new Samples()
  audience.onDelivered = (sequence) => samples.add(performance.now() - (sentAt.get(sequence) ?? Number.NaN))
  let isOver = false
  const over = until.finally(() => {
    isOver = true
  })
  // One after the other, as a trainer's; the time of one that has to wait for that begins when it was due.
  let reports = Promise.resolve()
  const first = task.reported + 1
  const startedAt = performance.now()
  for (let i = 0; !isOver; i++) {
    sentAt.set(first + i, performance.now())
    reports = reports.then(() => reporter.report(task, 1))
    // At the planned times, so that a late one does not make all others late.
    const next = startedAt + ((i + 1) * 1000) / perSecond
    await Promise.race([sleep(Math.max(0, next - performance.now())), over])
  }
  await Promise.all([over, reports])
  await audience.reached(task.reported)
  audience.onDelivered = null
  return samples
}
