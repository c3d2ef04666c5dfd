import { setTimeout as sleep } from 'node:timers/promises'
import type { Reporter } from '../candidates/reporters.ts'
import { Samples } from '../stats.ts'
import type { Audience } from './audience.ts'
import type { WatchedTask } from './watched-task.ts'

export interface PacedRun {
  /** Of this one task. */
  readonly audience: Audience
  readonly reporter: Reporter
  readonly task: WatchedTask
  readonly perSecond: number
  /** It goes on until then, and further until all of it has arrived. */
  readonly until: Promise<unknown>
}

/**
 * Reports a task's events one by one at a steady rate, whether or not the ones before have arrived, and takes the
 * time of each from when its report is due to its arrival at each subscriber.
 *
 * @returns in ms
 */
export async function paced({ audience, reporter, task, perSecond, until }: PacedRun): Promise<Samples> {
  const sentAt: Map<number, number> = new Map()
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
