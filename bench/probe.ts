// Preloaded into every server that is measured, whoever wrote it, so that the same accounting holds for all:
// answers, over the channel to the process that started it, with its own CPU time and memory.
import { setTimeout as sleep } from 'node:timers/promises'

const PAGES_GIVEN_BACK_MS = 100

/** What a server tells of itself, by what it is asked for. */
export interface ProbeAnswers {
  /** In µs, user and system. */
  readonly cpu: number
  readonly memory: Memory
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

if (process.channel) {
  const tell = (answer: ProbeAnswer) => process.send?.(answer)
  process.on('message', (message: Partial<Probe> | null) => {
    const { probe, id } = message ?? {}
    if (id === undefined) return
    if (probe === 'cpu') {
      const { user, system } = process.cpuUsage()
      tell({ probe: id, answer: user + system })
    } else if (probe === 'memory') {
      memory().then((answer) => tell({ probe: id, answer }))
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
