import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/processes/free-port.ts'
import { ServerProcess } from '../test/processes/server-process.ts'
import { pinned } from './cores.ts'
import type { Commits, Memory, Probe, ProbeAnswer, ProbeAnswers } from './probe.ts'

const PROBE_TIMEOUT_MS = 60_000
const PROBE_TICKS_MS = 5
const PROBE = join(import.meta.dirname, 'probe.js')

export interface MeasuredServerOptions {
  readonly name: string
  readonly entry: string
  readonly args?: readonly string[]
  /** A module that is loaded before the entry. */
  readonly preload?: string | undefined
  readonly core: string | null
  readonly env: Record<string, string>
}

interface Wait {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** A server in a process of its own, with the probe inside. */
export class MeasuredServer extends ServerProcess {
  #lastProbe = 0
  readonly #asked = new Map<number, Wait>()

  /** Resolves once it is ready for requests. */
  static async start(options: MeasuredServerOptions): Promise<MeasuredServer> {
    const { name, entry, args = [], preload, core, env } = options
    const imports = [PROBE, ...(preload ? [preload] : [])].flatMap((file) => ['--import', file])
    const command = pinned(core, process.execPath, ['--expose-gc', ...imports, entry, ...args])
    const server = new MeasuredServer(
      { name, command, env, upAt: '/ready', hasChannel: true },
      await freePort(),
    )
    await server.start()
    return server
  }

  override async start(): Promise<void> {
    await super.start()
    this.child?.on('message', ({ probe, answer }: ProbeAnswer) => {
      this.#asked.get(probe)?.resolve(answer)
      this.#asked.delete(probe)
    })
    this.child?.once('exit', (code, signal) => {
      const error = new Error(`${this.name} ended (${signal ?? `code ${code}`}): ${this.lastWords}`)
      for (const { reject } of this.#asked.values()) reject(error)
      this.#asked.clear()
    })
  }

  /** CPU time that the process has used so far, user and system, in µs. */
  cpu(): Promise<number> {
    return this.#ask('cpu')
  }

  /** Its memory after the garbage was collected. */
  memory(): Promise<Memory> {
    return this.#ask('memory')
  }

  /** Since it was started; none where it commits nothing. */
  commits(): Promise<Commits> {
    return this.#ask('commits')
  }

  /** The longest time, in ms, that something held the event loop while this was done. */
  async longestHold(work: () => Promise<unknown>): Promise<number> {
    await this.#ask('hold')
    // Only what lies between two of its ticks is seen.
    await sleep(PROBE_TICKS_MS)
    await work()
    return this.#ask('hold')
  }

  #ask<Kind extends keyof ProbeAnswers>(probe: Kind): Promise<ProbeAnswers[Kind]> {
    const id = ++this.#lastProbe
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.child?.send({ probe, id } satisfies Probe, (error) => error && reject(error))
    }) as Promise<ProbeAnswers[Kind]>
    return within(PROBE_TIMEOUT_MS, `${this.name} to answer the probe`, answered)
  }
}

async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
