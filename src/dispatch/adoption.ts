import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { TaskIndex } from '../event-log/task-index.ts'
import type { AdoptingLauncher, Job } from '../launcher/launcher.ts'
import type { Trainers } from './trainers.ts'

const LIST_PAGE = 500

/**
 * Hands a launcher the jobs of all tasks that are unfinished by the log: those that another server submitted, or
 * this one before it was started again.
 *
 * @throws EpochcastError; doing it again is harmless
 */
export async function adoptJobs(
  tasks: TaskIndex,
  trainers: Trainers,
  launcher: AdoptingLauncher,
): Promise<void> {
  let before: number | null = null
  for (;;) {
    const page = await tasks.list('unfinished', before, LIST_PAGE)
    const jobs: Job[] = page.snapshots.flatMap(({ state: { spec: key, attempt } }) => {
      const trainer = trainers.find(key.trainer)
      return trainer?.launcher === launcher.name ? [{ key, trainer, attempt }] : []
    })
    if (jobs.length > 0) await launcher.adopt(jobs)
    const last = page.snapshots.at(-1)
    if (!page.hasMore || !last) return
    // An engine in this process never waits for the network, so a long list would block everything else.
    await eventLoopTurn()
    before = last.serial
  }
}
