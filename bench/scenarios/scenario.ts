// What scenarios have in common.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine, Setting, Standing } from '../candidates/candidate.ts'
import type { MeasuredServer } from '../measured-server.ts'

/** What issue 4 wants; a median within one run. */
export interface Target {
  /** A candidate; the target is then a ratio to it, otherwise it is absolute. */
  readonly against?: string
  readonly atMost: number
}

/** One line of the table for each candidate. */
export interface Row {
  readonly key: string
  readonly label: string
  readonly unit: string
  /** After the decimal point. */
  readonly digits?: number
  /** Of Epochcast. */
  readonly targets?: readonly Target[]
  readonly higherIsBetter?: true
}

/** What the command line may change. */
export interface Sizes {
  readonly quick: boolean
  readonly subscribers: readonly number[] | null
  readonly reports: readonly number[] | null
}

/** What a scenario is given. */
export interface Bench {
  readonly sizes: Sizes
  readonly engine: Engine
  readonly candidate: string
  readonly budget: Budget
  /** Starts the candidate; it is ended afterwards. */
  readonly start: (setting?: Partial<Setting>) => Promise<Standing>
}

export interface Scenario {
  readonly name: string
  readonly about: string
  readonly engines: readonly Engine[]
  readonly candidates: readonly string[]
  readonly rows: (sizes: Sizes) => Row[]
  /** Values by the keys of rows. */
  readonly run: (bench: Bench) => Promise<Record<string, number>>
}

/** How long something is repeated: until the server has used so much CPU time, or until so much time is over. */
export interface Budget {
  readonly cpuMs: number
  readonly longestMs: number
}

export const FULL: Budget = { cpuMs: 1000, longestMs: 10_000 }
export const QUICK: Budget = { cpuMs: 150, longestMs: 1500 }
const WARM_UP_SHARE = 0.5
const LOOKING_MS = 200

/**
 * Brings a server to its usual speed, once, before the first measurement: code that is not compiled yet may cost
 * three times as much. What is measured later warms up by itself, for half of its budget.
 *
 * @param times the budget
 */
export async function warmUp(
  server: MeasuredServer,
  { cpuMs, longestMs }: Budget,
  times: number,
  loops: readonly (() => Promise<unknown>)[],
) {
  await repeat(server, { cpuMs: cpuMs * times, longestMs: longestMs * times }, loops)
}

/**
 * Repeats each of the loops, one beside the other, until the budget is used up; a first half as much does not
 * count.
 *
 * @param server whose CPU time it is
 * @param begin called when it begins to count
 */
export async function measure(
  server: MeasuredServer,
  budget: Budget,
  loops: readonly (() => Promise<unknown>)[],
  begin?: () => void,
) {
  const { cpuMs, longestMs } = budget
  await repeat(server, { cpuMs: cpuMs * WARM_UP_SHARE, longestMs: longestMs * WARM_UP_SHARE }, loops)
  begin?.()
  return repeat(server, budget, loops)
}

async function repeat(
  server: MeasuredServer,
  { cpuMs, longestMs }: Budget,
  loops: readonly (() => Promise<unknown>)[],
) {
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

export async function onlyTask(createTasks: Standing['createTasks'], messageLength?: number) {
  const [task] = await createTasks(1, messageLength)
  if (!task) throw new Error('no task was created')
  return task
}
