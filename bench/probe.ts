// Preloaded into every server that is measured, whoever wrote it, so that the same accounting holds for all:
// answers, over the channel to the process that started it, with its own CPU time and memory.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

const PAGES_GIVEN_BACK_MS = 100

/** What a server tells of itself, by what it is asked for. */
export interface ProbeAnswers {
  /** In µs, user and system. */
  readonly cpu: number
  readonly memory: Memory
  /** In ms, the longest time that nothing else had a turn: every second question is told that of the time since the one before. */
  readonly hold: number
  /** Since it was started; none where it commits nothing. */
  readonly commits: Commits
}

export interface Commits {
  readonly commits: number
  /** Calls that they served. */
  readonly calls: number
}

/** A question, with a number for its answer. */
export interface Probe {
  readonly probe: keyof ProbeAnswers
  readonly id: number
}

/** In bytes. */
export interface Memory {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

/** To the probe of that number. */
export interface ProbeAnswer {
  readonly probe: number
  readonly answer: ProbeAnswers[keyof ProbeAnswers]
}

const HOLD_RESOLUTION_MS = 1
const NS_PER_MS = 1e6

if (process.channel) {
  const holds = monitorEventLoopDelay({ resolution: HOLD_RESOLUTION_MS })
  const tell = (answer: ProbeAnswer) => process.send?.(answer)
  process.on('message', (message: Partial<Probe> | null) => {
    const { probe, id } = message ?? {}
    if (id === undefined) return
    if (probe === 'cpu') {
      const { user, system } = process.cpuUsage()
      tell({ probe: id, answer: user + system })
    } else if (probe === 'memory') {
      memory().then((answer) => tell({ probe: id, answer }))
    } else if (probe === 'commits') {
      const { epochcastCommits: answer } = globalThis as { epochcastCommits?: Commits }
      tell({ probe: id, answer: answer ?? { commits: 0, calls: 0 } })
    } else if (probe === 'hold') {
      // It wakes the server up all the time, so only from the first question to the next.
      const isOver = !holds.enable()
      tell({ probe: id, answer: isOver ? holds.max / NS_PER_MS : 0 })
      if (isOver) holds.disable()
      holds.reset()
    }
  })
  // However the other side ended, nothing of it stays.
  process.on('disconnect', () => process.exit())
}

async function memory(): Promise<Memory> {
  globalThis.gc?.()
  await sleep(PAGES_GIVEN_BACK_MS)
  globalThis.gc?.()
  await sleep(PAGES_GIVEN_BACK_MS)
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external }
}
