// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis as RedisClient } from 'ioredis'

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** With millions of events, Redis takes its time to read them again. */
const START_TIMEOUT_MS = 120_000
const KEPT_LOG_LINES = 30

/** @type {Set<ChildProcess>} */
const running = new Set()
/** @type {Set<string>} */
const folders = new Set()

/** Ends everything that was started, at once; the last thing on every way out. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** A Redis that writes every command to disk before it answers, so that nothing it has confirmed is ever lost. */
export class Redis {
  /** Set while it is down on purpose. */
  expectsEnd = false
  #port
  #program
  #folder = mkdtempSync(join(tmpdir(), 'epochcast-soak-'))
  #onCrash
  /** @type {ChildProcess | undefined} */
  #child
  /** @type {RedisClient} */
  #client

  /**
   * @param {string} program
   * @param {number} port
   * @param {(what: string) => void} onCrash
   */
  constructor(program, port, onCrash) {
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

  /**
   * Resolves once the process is gone.
   *
   * @param {'SIGTERM' | 'SIGKILL'} signal
   */
  async stop(signal) {
    this.expectsEnd = true
    if (this.#child) await end(this.#child, signal)
  }

  /** @param {'SIGSTOP' | 'SIGCONT'} signal */
  signal(signal) {
    this.#child?.kill(signal)
  }

  /**
   * @param {string} command
   * @param {readonly string[]} args
   * @returns {Promise<unknown>}
   */
  command(command, ...args) {
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
  name
  /** Set while it is down on purpose. */
  expectsEnd = false
  /** Highest resident set of any of its processes, in bytes; null where the system does not tell. */
  /** @type {number | null} */
  maxRssBytes = null
  #port
  #entry
  #env
  #onCrash
  /** @type {ChildProcess | undefined} */
  #child
  /** @type {string[]} */
  #lastErrors = []

  /**
   * @param {string} name
   * @param {string} entry
   * @param {number} port
   * @param {Record<string, string>} env
   * @param {(what: string) => void} onCrash
   */
  constructor(name, entry, port, env, onCrash) {
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

  /**
   * Resolves once the process is gone.
   *
   * @param {'SIGTERM' | 'SIGKILL'} signal
   */
  async stop(signal) {
    this.expectsEnd = true
    if (this.#child) await end(this.#child, signal)
  }

  measure() {
    const bytes = this.#child?.pid === undefined ? null : peakRss(this.#child.pid)
    if (bytes !== null) this.maxRssBytes = Math.max(bytes, this.maxRssBytes ?? 0)
  }

  /** @param {string} line */
  #keep(line) {
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

/**
 * @param {ChildProcess} child
 * @param {'SIGTERM' | 'SIGKILL'} signal
 */
async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  // A process that is frozen does not hear SIGTERM.
  child.kill('SIGCONT')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  await ended
  clearTimeout(late)
}

/**
 * @template T
 * @param {number} ms
 * @param {string} what
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
async function within(ms, what, promise) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms)
  })
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, timeout]))
  } finally {
    clearTimeout(timer)
  }
}

/**
 * @param {import('node:stream').Readable | null} stream
 * @param {(line: string) => void} take
 */
function onLine(stream, take) {
  let rest = ''
  stream?.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}

/** @param {number} pid */
function peakRss(pid) {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? null : Number(kilobytes) * 1024
  } catch {
    return null
  }
}
