import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { Leases } from '../event-log/leases.ts'
import type { TaskIndex } from '../event-log/task-index.ts'
import type { AdoptingLauncher } from '../launcher/launcher.ts'
import type { Trainers } from './trainers.ts'

const LIST_PAGE = 500
/** Between two looks for jobs whose server is gone. */
const ADOPT_MS = 15_000

/**
 * Jobs outlive the server that observed them: now and then one of all servers takes up those of all. So nothing has to be started again for
 * a job to be observed whose server will not come back.
 */
export class Adoption {
  readonly #tasks: TaskIndex & Leases
  readonly #trainers: Trainers
  readonly #launchers: readonly AdoptingLauncher[]
  readonly #serverId: string
  readonly #onError: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #underWay: Promise<void> | null = null

  constructor(
    tasks: TaskIndex & Leases,
    trainers: Trainers,
    launchers: readonly AdoptingLauncher[],
    { serverId, onError }: { serverId: string; onError: (error: unknown) => void },
  ) {
    this.#tasks = tasks
    this.#trainers = trainers
    this.#launchers = launchers
    this.#serverId = serverId
    this.#onError = onError
  }

  start(): void {
    if (this.#launchers.length === 0) return
    this.#timer = setInterval(() => {
      this.#underWay ??= this.#adopt()
        .catch(this.#onError)
        .finally(() => {
          this.#underWay = null
        })
    }, ADOPT_MS)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#underWay
  }

  async #adopt(): Promise<void> {
    if (!(await this.#tasks.lease('adoption', this.#serverId, 2 * ADOPT_MS))) return
    for (const launcher of this.#launchers) await adoptJobs(this.#tasks, this.#trainers, launcher)
  }
}

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
    const found = page.snapshots.flatMap(({ state: { spec: key, attempt, stopRequested } }) => {
      const trainer = trainers.find(key.trainer)
      if (trainer?.launcher !== launcher.name) return []
      return [{ job: { key, startId: key.startId, trainer, attempt }, stopRequested }]
    })
    if (found.length > 0) await launcher.adopt(found.map(({ job }) => job))
    // The server that was asked to may have been gone before it told the queue.
    for (const { job, stopRequested } of found) if (stopRequested) await launcher.stop(job)
    const last = page.snapshots.at(-1)
    if (!page.hasMore || !last) return
    // An engine in this process never waits for the network, so a long list would block everything else.
    await eventLoopTurn()
    before = last.serial
  }
}
