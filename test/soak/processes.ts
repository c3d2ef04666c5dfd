import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis as RedisClient } from 'ioredis'

/** With millions of events, Redis takes its time to read them again. */
const START_TIMEOUT_MS = 120_000
const KEPT_LOG_LINES = 30

const running: Set<ChildProcess> = new Set()
const folders: Set<string> = new Set()

/** Ends everything that was started, at once; the last thing on every way out. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** A Redis that writes every command to disk before it answers, so that nothing it has confirmed is ever lost. */
export class Redis {
  /** Set while it is down on purpose. */
  expectsEnd = false
  readonly #port: number
  readonly #program: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'epochcast-soak-'))
  readonly #onCrash: (what: string) => void
  #child: ChildProcess | undefined
  readonly #client: RedisClient

  constructor(program: string, port: number, onCrash: (what: string) => void) {
    this.#program = program
    this.#port = port
    this.#onCrash = onCrash
    folders.add(this.#folder)
    this.#client = new RedisClient({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 50,
    })
    this.#client.on('error', () => {})
  }

  get url() {
    return `redis://127.0.0.1:${this.#port}`
  }

  /** Resolves once it has read its data and answers. */
  async start() {
    const settings = ['--port', `${this.#port}`, '--bind', '127.0.0.1', '--dir', this.#folder]
    const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
    const child = spawn(this.#program, [...settings, ...durable], { stdio: 'ignore' })
    this.#child = child
    this.expectsEnd = false
    running.add(child)
    child.once('exit', (code, signal) => {
      running.delete(child)
      if (!this.expectsEnd) this.#onCrash(`Redis ended by itself (${signal ?? code})`)
    })
    if (this.#client.status === 'wait') this.#client.connect().catch(() => {})
    const end = Date.now() + START_TIMEOUT_MS
    while ((await this.#client.ping().catch(() => null)) !== 'PONG') {
      if (Date.now() > end || child.exitCode !== null) throw new Error('Redis does not answer')
      await sleep(20)
    }
  }

  /** Resolves once the process is gone. */
  async stop(signal: 'SIGTERM' | 'SIGKILL') {
    this.expectsEnd = true
    if (this.#child) await end(this.#child, signal)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT') {
    this.#child?.kill(signal)
  }

  command(command: string, ...args: readonly string[]): Promise<unknown> {
    return this.#client.call(command, ...args)
  }

  async close() {
    this.#client.disconnect()
    await this.stop('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
    folders.delete(this.#folder)
  }
}

/** A server of the built program, as a process of its own; always on the same port. */
export class Server {
  readonly name: string
  /** Set while it is down on purpose. */
  expectsEnd = false
  /** Highest resident set of any of its processes, in bytes; null where the system does not tell. */
  maxRssBytes: number | null = null
  readonly #port: number
  readonly #entry: string
  #env
  readonly #onCrash: (what: string) => void
  #child: ChildProcess | undefined
  readonly #lastErrors: string[] = []

  constructor(
    name: string,
    entry: string,
    port: number,
    env: Record<string, string>,
    onCrash: (what: string) => void,
  ) {
    this.name = name
    this.#entry = entry
    this.#port = port
    this.#env = { PATH: process.env.PATH ?? '', NODE_ENV: 'production', HOST: '127.0.0.1', ...env }
    this.#onCrash = onCrash
  }

  get url() {
    return `http://127.0.0.1:${this.#port}/graphql`
  }

  get webSocketUrl() {
    return `ws://127.0.0.1:${this.#port}/graphql`
  }

  /** The newest errors of its log. */
  get lastErrors() {
    return this.#lastErrors
  }

  /** Resolves once it listens. */
  async start() {
    const child = spawn(process.execPath, [this.#entry, 'serve', '--port', `${this.#port}`], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.expectsEnd = false
    running.add(child)
    const listens = new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => {
        running.delete(child)
        reject(new Error(`server ${this.name} did not start: ${this.#lastErrors.at(-1) ?? signal ?? code}`))
        if (!this.expectsEnd) this.#onCrash(`server ${this.name} ended by itself (${signal ?? code})`)
      })
      for (const stream of [child.stdout, child.stderr]) {
        onLine(stream, (line) => {
          if (line.includes(this.url)) resolve(undefined)
          else if (!/^\{"level":[1-4]0,/.test(line)) this.#keep(line)
        })
      }
    })
    await within(START_TIMEOUT_MS, `server ${this.name} to listen`, listens)
  }

  /** Resolves once the process is gone. */
  async stop(signal: 'SIGTERM' | 'SIGKILL') {
    this.expectsEnd = true
    if (this.#child) await end(this.#child, signal)
  }

  measure() {
    const bytes = this.#child?.pid === undefined ? null : peakRss(this.#child.pid)
    if (bytes !== null) this.maxRssBytes = Math.max(bytes, this.maxRssBytes ?? 0)
  }

  #keep(line: string) {
    this.#lastErrors.push(line.slice(0, 2000))
    if (this.#lastErrors.length > KEPT_LOG_LINES) this.#lastErrors.shift()
  }
}

/**
 * A port nobody listens on, below those that systems give to outgoing connections: one of these could take a
 * server's port while it is down, or even connect to itself there.
 */
export async function freePort() {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    const probe = createServer()
    const isFree = await new Promise((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL') {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  // A process that is frozen does not hear SIGTERM.
  child.kill('SIGCONT')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  await ended
  clearTimeout(late)
}

async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
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

function onLine(stream: Readable | null, take: (line: string) => void) {
  let rest = ''
  stream?.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}

function peakRss(pid: number) {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? null : Number(kilobytes) * 1024
  } catch {
    return null
  }
}
