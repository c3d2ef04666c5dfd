import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished } from 'vitest'
import { freePort } from '../../processes/free-port.ts'
import { ServerProcess } from '../../processes/server-process.ts'
import { run, startExternal } from '../../support/graphql.ts'

/** From where attacks come; ordinary users are at another address of this machine. */
export const ATTACKER = '127.0.0.2'

const ROOT = join(import.meta.dirname, '../../..')
/** With which the image runs a server. */
const IMAGE_NODE_OPTIONS = /^ENV NODE_OPTIONS="(.*)"$/m.exec(
  readFileSync(join(ROOT, 'Dockerfile'), 'utf8'),
)?.[1]
if (!IMAGE_NODE_OPTIONS) throw new Error('the Dockerfile sets no NODE_OPTIONS')

const QUIET_MS = 1000
/** The times of others may grow by this. A shared machine is never quite quiet: hence the least that counts. */
const MAX_SLOWDOWN = 3
/**
 * The goal is three times the quiet p99, and the row that is printed tells it. What fails a test is what a viewer would call
 * standing still: on a machine that others use, times of some tens of milliseconds vary by more than the goal allows.
 */
const STANDSTILL_MS = 1000

interface Times {
  readonly postMs: readonly number[]
  readonly viewerMs: readonly number[]
  readonly failures: readonly string[]
}

interface Attack {
  readonly name: string
  /** What the server's memory may grow by at most, beyond what it is at rest. */
  readonly maxGrowthMiB: number
  readonly env?: Record<string, string>
  /** What is made before, by whoever it may be. */
  readonly prepare?: (server: AttackedServer) => Promise<unknown>
  /** Runs for some seconds; what it opens is closed by whoever opened it, when the test is over. */
  readonly run: (server: AttackedServer) => Promise<unknown>
}

/** A server as a process of its own, whose memory and descriptors are looked at from outside. */
export class AttackedServer {
  readonly url: string
  readonly webSocketUrl: string
  readonly #server: ServerProcess

  constructor(server: ServerProcess) {
    this.#server = server
    this.url = server.url
    this.webSocketUrl = server.webSocketUrl
  }

  get isUp(): boolean {
    return this.#server.pid !== undefined
  }

  get rssMiB(): number {
    const [, pages] = readFileSync(`/proc/${this.#server.pid}/statm`, 'utf8').split(' ')
    return (Number(pages) * 4096) / 2 ** 20
  }

  get peakRssMiB(): number {
    const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.#server.pid}/status`, 'utf8')) ?? []
    return Number(kib) / 1024
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#server.pid}/clear_refs`, '5')
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.#server.pid}/fd`).length
  }

  static async start(
    { NODE_OPTIONS = '', ...env }: Record<string, string>,
    onCrash: (what: string) => void,
  ): Promise<AttackedServer> {
    const main = join(ROOT, 'bin/epochcast.js')
    const command = [process.execPath, main, 'serve'] as const
    const nodeOptions = `${IMAGE_NODE_OPTIONS} ${NODE_OPTIONS}`
    const own = { EPOCHCAST_LOG_LEVEL: 'warn', ...env, NODE_OPTIONS: nodeOptions }
    const server = new ServerProcess({ name: 'the server', command, env: own, onCrash }, await freePort())
    onTestFinished(() => server.kill())
    await server.start()
    return new AttackedServer(server)
  }
}

/**
 * With what an attacker computes itself put behind everybody else: it has a machine of its own elsewhere, and what is
 * looked at is what it costs the server. Only root may come forward again; whoever else runs this measures both.
 */
async function behindOthers<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work()
  // Of this thread alone, on Linux: users have their own.
  setPriority(constants.priority.PRIORITY_LOW)
  try {
    return await work()
  } finally {
    setPriority(constants.priority.PRIORITY_NORMAL)
  }
}

/** A trainer and a viewer of a server, in a thread of their own. */
class Users {
  readonly #worker: Worker

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  static async of({ url }: AttackedServer): Promise<Users> {
    const taskId = await startExternal(url)
    const worker = new Worker(join(import.meta.dirname, 'ordinary-users.js'), { workerData: { url, taskId } })
    onTestFinished(async () => void (await worker.terminate()))
    return new Users(worker)
  }

  /** What they met since it was asked last. */
  async take(): Promise<Times> {
    this.#worker.postMessage('take')
    const [times] = await once(this.#worker, 'message')
    return times
  }
}

/**
 * Runs an attack on a server beside ordinary users, and expects that it goes on, that its memory is bounded, and that
 * the users hardly notice. Prints what was measured.
 *
 * @param afterwards what is to become true once the attack is over
 */
export async function withstands(
  { name, maxGrowthMiB, env = {}, prepare, run: attack }: Attack,
  afterwards: (server: AttackedServer) => Promise<unknown> = async () => {},
): Promise<void> {
  const crashes: string[] = []
  const start = () => AttackedServer.start(env, (what) => crashes.push(what))
  // An attack takes this machine's processors, too: what that costs is seen at a server that nobody attacks.
  const [server, spared] = [await start(), await start()]
  const users = await Users.of(server)
  const sparedUsers = await Users.of(spared)
  await prepare?.(server)
  // The first are those of cold code.
  await sleep(QUIET_MS / 3)
  await Promise.all([users.take(), sparedUsers.take()])
  await sleep(QUIET_MS)
  const quiet = await users.take()
  await sparedUsers.take()
  server.forgetPeak()
  const rssMiB = server.rssMiB

  await behindOthers(() => attack(server))

  const [meanwhile, beside] = await Promise.all([users.take(), sparedUsers.take()])
  const peakMiB = server.peakRssMiB
  const row = [
    name,
    `RSS ${rssMiB.toFixed()} → ${peakMiB.toFixed()} MiB`,
    `viewer p99 ${p99(quiet.viewerMs)} → ${p99(meanwhile.viewerMs)} ms, spared ${p99(beside.viewerMs)}`,
    `POST p99 ${p99(quiet.postMs)} → ${p99(meanwhile.postMs)} ms, spared ${p99(beside.postMs)} (${meanwhile.postMs.length} calls)`,
    ...(meanwhile.failures.length > 0 ? [`${meanwhile.failures.length} failures of ordinary users`] : []),
  ]
  process.stdout.write(`${row.join(' | ')}\n`)

  expect(crashes).toEqual([])
  expect(meanwhile.failures).toEqual([])
  expect(meanwhile.viewerMs.length).toBeGreaterThan(10)
  expect(peakMiB - rssMiB).toBeLessThan(maxGrowthMiB)
  const bound = (quietMs: readonly number[]) => Math.max(STANDSTILL_MS, MAX_SLOWDOWN * p99(quietMs))
  expect(p99(meanwhile.viewerMs)).toBeLessThan(bound(quiet.viewerMs))
  expect(p99(meanwhile.postMs)).toBeLessThan(bound(quiet.postMs))
  expect((await run(server.url, '{ server { version } }')).server).toBeTruthy()
  await afterwards(server)
}

function p99(ms: readonly number[]): number {
  const sorted = [...ms].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.NaN)
}
