import { type ChildProcess, execFile } from 'node:child_process'

const TIMEOUT_MS = 5000
const MAX_BYTES = 1024 * 1024
const MIB = 1024 ** 2

const CARDS = ['--query-gpu=index,uuid,utilization.gpu,memory.used,temperature.gpu,power.draw']
const USERS = ['--query-compute-apps=gpu_uuid,pid']
const PLAIN = '--format=csv,noheader,nounits'

/** What `nvidia-smi` tells of the cards that processes use, by metric names. */
export class GraphicsCards {
  readonly #program: string
  #isMissing = false
  #asked: ChildProcess | null = null

  constructor(program = 'nvidia-smi') {
    this.#program = program
  }

  /** Nothing where there are no cards, or none of them is in use by these. */
  async sample(pids: ReadonlySet<number>): Promise<Record<string, number>> {
    if (this.#isMissing) return {}
    const users = await this.#ask(USERS)
    const used = new Set(users.filter(([, pid]) => pids.has(Number(pid))).map(([uuid]) => uuid))
    if (used.size === 0) return {}
    const metrics: Record<string, number> = {}
    for (const [index, uuid, percent, mebibytes, celsius, watts] of await this.#ask(CARDS)) {
      if (!used.has(uuid)) continue
      const card = `system/gpu${index}`
      put(metrics, `${card}_percent`, Number(percent))
      put(metrics, `${card}_memory_bytes`, Number(mebibytes) * MIB)
      put(metrics, `${card}_temperature_celsius`, Number(celsius))
      put(metrics, `${card}_power_watts`, Number(watts))
    }
    return metrics
  }

  /** Ends the program where it still runs: a driver that hangs would leave it behind. */
  close(): void {
    this.#asked?.kill('SIGKILL')
  }

  /** Lines of values; none where that fails, and none ever again where there is no such program. */
  #ask(query: readonly string[]): Promise<string[][]> {
    const options = {
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_BYTES,
      encoding: 'utf8',
    } as const
    return new Promise((resolve) => {
      this.#asked = execFile(this.#program, [...query, PLAIN], options, (error, stdout) => {
        this.#asked = null
        if (error && 'code' in error && error.code === 'ENOENT') this.#isMissing = true
        const lines = error ? [] : stdout.split('\n').filter((line) => line !== '')
        resolve(lines.map((line) => line.split(',').map((value) => value.trim())))
      })
    })
  }
}

/** A card says "[N/A]" of what it does not know. */
function put(metrics: Record<string, number>, name: string, value: number): void {
  if (Number.isFinite(value)) metrics[name] = value
}
