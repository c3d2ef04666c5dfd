import { readFile } from 'node:fs/promises'
import { GraphicsCards } from './graphics-cards.ts'
import { type ProcessFacts, processTree } from './process-tree.ts'

export interface SystemSamplerOptions {
  readonly everyMs: number
  /** Takes metrics whose names begin with `system/`; what it rejects with goes to `onError`. */
  readonly onSample: (metrics: Readonly<Record<string, number>>) => Promise<unknown>
  readonly onError: (error: unknown) => void
  readonly proc?: string
  readonly cards?: GraphicsCards
}

/** What /proc counts in: USER_HZ, which is 100 on every Linux. */
const TICKS_PER_SECOND = 100
const KIB = 1024
/** For how long a look that is under way may hold up the end of its process. */
const CLOSE_MS = 2000

interface Counts {
  readonly at: number
  readonly ticks: ReadonlyMap<string, number>
  readonly read: ReadonlyMap<string, number>
  readonly written: ReadonlyMap<string, number>
  readonly network: Network | null
}

interface Network {
  readonly received: number
  readonly sent: number
}

/**
 * Looks at a process and all that it has started, every few seconds: CPU (100 is one core), resident memory, disk, the
 * network of where it runs, and the graphics cards that it uses. Where the kernel tells nothing (no Linux, another
 * user's process) that is left out.
 */
export class SystemSampler {
  readonly #pid: number
  readonly #options: SystemSamplerOptions
  readonly #proc: string
  readonly #cards: GraphicsCards
  readonly #timer: NodeJS.Timeout
  #before: Counts | null = null
  #sampling: Promise<void> | undefined
  #isClosed = false

  constructor(pid: number, options: SystemSamplerOptions) {
    this.#pid = pid
    this.#options = options
    this.#proc = options.proc ?? '/proc'
    this.#cards = options.cards ?? new GraphicsCards()
    this.#look()
    this.#timer = setInterval(() => this.#look(), options.everyMs)
  }

  /** Ends it, and waits for what is under way, for a bounded time: a broken driver, or a server that is away, takes forever. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS)
    })
    await Promise.race([this.#sampling, late])
    clearTimeout(timer)
    this.#cards.close()
  }

  /** One look at a time, however slow the machine is. */
  #look(): void {
    this.#sampling ??= this.#sample()
      .catch(this.#options.onError)
      .finally(() => {
        this.#sampling = undefined
      })
  }

  async #sample(): Promise<void> {
    const tree = await processTree(this.#pid, this.#proc)
    if (!tree || tree.length === 0 || this.#isClosed) return
    const now = await this.#counts(tree)
    const before = this.#before
    this.#before = now
    // Rates take two looks.
    if (!before || this.#isClosed) return
    const seconds = (now.at - before.at) / 1000
    const perSecond = (count: number) => count / seconds
    const metrics: Record<string, number> = {
      'system/cpu_percent': (100 * grown(before.ticks, now.ticks)) / TICKS_PER_SECOND / seconds,
      'system/processes': tree.length,
      ...(await this.#memory(tree)),
      ...(await this.#cards.sample(new Set(tree.map(({ pid }) => pid)))),
    }
    if (now.read.size > 0) {
      metrics['system/disk_read_bytes_per_second'] = perSecond(grown(before.read, now.read))
      metrics['system/disk_written_bytes_per_second'] = perSecond(grown(before.written, now.written))
    }
    if (before.network && now.network) {
      const { received, sent } = now.network
      metrics['system/network_received_bytes_per_second'] = perSecond(received - before.network.received)
      metrics['system/network_sent_bytes_per_second'] = perSecond(sent - before.network.sent)
    }
    if (!this.#isClosed) await this.#options.onSample(metrics)
  }

  async #counts(tree: readonly ProcessFacts[]): Promise<Counts> {
    const ticks = new Map<string, number>()
    const read = new Map<string, number>()
    const written = new Map<string, number>()
    for (const facts of tree) {
      const name = `${facts.pid} ${facts.startedAt}`
      ticks.set(name, facts.cpuTicks)
      const io = await this.#fields(`${facts.pid}/io`)
      if (!io) continue
      read.set(name, io.get('read_bytes') ?? 0)
      written.set(name, io.get('write_bytes') ?? 0)
    }
    const network = networkOf(await this.#text(`${this.#pid}/net/dev`))
    return { at: performance.now(), ticks, read, written, network }
  }

  async #memory(tree: readonly ProcessFacts[]): Promise<Record<string, number>> {
    let bytes = 0
    let isKnown = false
    for (const { pid } of tree) {
      const kibibytes = (await this.#fields(`${pid}/status`))?.get('VmRSS')
      if (kibibytes === undefined) continue
      isKnown = true
      bytes += kibibytes * KIB
    }
    return isKnown ? { 'system/memory_bytes': bytes } : {}
  }

  /** `name: number …` a line; null where it cannot be read: the process has ended, or is another user's. */
  async #fields(file: string): Promise<Map<string, number> | null> {
    const text = await this.#text(file)
    if (text === null) return null
    return new Map(
      Array.from(text.matchAll(/^(\w+):\s+(\d+)/gm), ([, name, value]) => [name as string, Number(value)]),
    )
  }

  #text(file: string): Promise<string | null> {
    return readFile(`${this.#proc}/${file}`, 'utf8').catch(() => null)
  }
}

/** By how much counts have grown: all of those that are new, and nothing of those that are gone. */
function grown(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const [name, count] of now) sum += Math.max(0, count - (before.get(name) ?? 0))
  return sum
}

/** All interfaces but the loopback, in /proc/<pid>/net/dev: the first column is what came, the ninth what went. */
export function networkOf(text: string | null): Network | null {
  if (text === null) return null
  let [received, sent] = [0, 0]
  for (const [, name, columns = ''] of text.matchAll(/^\s*([^\s:]+):\s*(.+)$/gm)) {
    if (name === 'lo') continue
    const counts = columns.split(/\s+/).map(Number)
    received += counts[0] ?? 0
    sent += counts[8] ?? 0
  }
  return { received, sent }
}
