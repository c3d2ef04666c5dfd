import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis as RedisClient } from 'ioredis'
import { pinned } from './cores.ts'
import type { Memory, Probe, ProbeAnswer, ProbeAnswers } from './probe.ts'

const START_TIMEOUT_MS = 20_000
const PROBE_TIMEOUT_MS = 60_000
const KEPT_LOG_LINES = 10
const PROBE = join(import.meta.dirname, 'probe.js')

const running: Set<ChildProcess> = new Set()
const folders: Set<string> = new Set()

/** Ends everything that was started, at once; the last thing on every way out. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

export function endedWithUs<T extends ChildProcess>(child: T): T {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

export async function end(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

export interface ServerOptions {
  readonly name: string
  readonly entry: string
  readonly args?: readonly string[]
  readonly core: string | null
  readonly env: Record<string, string>
}

/** A server in a process of its own, with the probe inside. It listens on `port` of the loopback. */
export class ServerProcess {
  readonly port: number
  readonly #child: ChildProcess
  readonly #name: string
  #lastProbe = 0
  #lines = ''
  readonly #asked: Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }> =
    new Map()

  /** Resolves once it is ready for requests. */
  static async start(options: ServerOptions) {
    const port = await freePort()
    const server = new ServerProcess(options, port)
    await server.#whenReady()
    return server
  }

  constructor({ name, entry, args = [], core, env }: ServerOptions, port: number) {
    this.port = port
    this.#name = name
    const [program, programArgs] = pinned(core, process.execPath, [
      '--expose-gc',
      '--import',
      PROBE,
      entry,
      ...args,
    ])
    this.#child = endedWithUs(
      spawn(program, programArgs, {
        // Nothing of this shell's settings may change what is measured.
        env: {
          PATH: process.env.PATH ?? '',
          HOME: process.env.HOME ?? '',
          NODE_ENV: 'production',
          PORT: `${port}`,
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      }),
    )
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.#lines = (this.#lines + text).split('\n').slice(-KEPT_LOG_LINES).join('\n')
      })
    }
    this.#child.on('message', ({ probe, answer }: ProbeAnswer) => {
      this.#asked.get(probe)?.resolve(answer)
      this.#asked.delete(probe)
    })
    this.#child.once('exit', (code, signal) => {
      const error = new Error(`${name} ended (${signal ?? `code ${code}`}): ${this.lastWords}`)
      for (const { reject } of this.#asked.values()) reject(error)
      this.#asked.clear()
    })
  }

  /** What it printed last. */
  get lastWords() {
    return this.#lines.trim() || 'it said nothing'
  }

  /** CPU time that the process has used so far, user and system, in µs. */
  cpu(): Promise<number> {
    return this.#ask('cpu')
  }

  /** Its memory after the garbage was collected. */
  memory(): Promise<Memory> {
    return this.#ask('memory')
  }

  stop() {
    return end(this.#child)
  }

  #ask<Kind extends keyof ProbeAnswers>(probe: Kind): Promise<ProbeAnswers[Kind]> {
    const id = ++this.#lastProbe
    return within(
      PROBE_TIMEOUT_MS,
      `${this.#name} to answer the probe`,
      new Promise<unknown>((resolve, reject) => {
        this.#asked.set(id, { resolve, reject })
        this.#child.send({ probe, id } satisfies Probe, (error) => error && reject(error))
      }) as Promise<ProbeAnswers[Kind]>,
    )
  }

  async #whenReady() {
    const deadline = Date.now() + START_TIMEOUT_MS
    while (this.#child.exitCode === null && this.#child.signalCode === null && Date.now() < deadline) {
      const answer = await fetch(`http://127.0.0.1:${this.port}/ready`).catch(() => null)
      await answer?.arrayBuffer()
      if (answer?.ok) return
      await sleep(20)
    }
    await this.stop()
    throw new Error(`${this.#name} did not start: ${this.lastWords}`)
  }
}

/** A Redis of our own, without persistence. */
export class RedisProcess {
  readonly #child: ChildProcess
  readonly #port: number
  readonly #client: RedisClient
  readonly #folder: string

  static async start(program: string) {
    const redis = new RedisProcess(program, await freePort())
    const deadline = Date.now() + START_TIMEOUT_MS
    while ((await redis.#client.ping().catch(() => null)) !== 'PONG') {
      if (Date.now() > deadline) throw new Error(`${program} did not start`)
      await sleep(20)
    }
    return redis
  }

  constructor(program: string, port: number) {
    this.#port = port
    this.#folder = mkdtempSync(join(tmpdir(), 'epochcast-bench-'))
    folders.add(this.#folder)
    const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', this.#folder]
    this.#child = endedWithUs(
      spawn(program, [...settings, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' }),
    )
    this.#client = new RedisClient({ host: '127.0.0.1', port, retryStrategy: () => 50 })
    this.#client.on('error', () => {})
  }

  get url() {
    return `redis://127.0.0.1:${this.#port}`
  }

  async version() {
    return /redis_version:(\S+)/.exec(await this.#client.info('server'))?.[1] ?? 'unknown'
  }

  async empty() {
    await this.#client.flushall()
  }

  async close() {
    this.#client.disconnect()
    await end(this.#child)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A port nobody listens on, below those that systems give to outgoing connections. */
async function freePort() {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    const trial = createServer()
    const isFree = await new Promise((resolve) => {
      trial.once('error', () => resolve(false))
      trial.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    trial.close()
    await once(trial, 'close')
    return port
  }
}

export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms)
  })
  try {
    return await (Promise.race([promise, timeout]) as Promise<T>)
  } finally {
    clearTimeout(timer)
  }
}
