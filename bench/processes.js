// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis as RedisClient } from 'ioredis'
import { pinned } from './cores.js'

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

const START_TIMEOUT_MS = 20_000
const PROBE_TIMEOUT_MS = 60_000
const KEPT_LOG_LINES = 10
const PROBE = join(import.meta.dirname, 'probe.js')

/** @type {Set<ChildProcess>} */
const running = new Set()
/** @type {Set<string>} */
const folders = new Set()

/** Ends everything that was started, at once; the last thing on every way out. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/**
 * @template {ChildProcess} T
 * @param {T} child
 * @returns {T}
 */
export function endedWithUs(child) {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** @param {ChildProcess} child */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/**
 * @typedef {object} Memory
 * @property {number} rss
 * @property {number} heapUsed
 * @property {number} external
 *
 * @typedef {object} ServerOptions
 * @property {string} name
 * @property {string} entry
 * @property {readonly string[]} [args]
 * @property {string | null} core
 * @property {Record<string, string>} env
 */

/** A server in a process of its own, with the probe inside. It listens on `port` of the loopback. */
export class ServerProcess {
  port = 0
  /** @type {ChildProcess} */
  #child
  #name
  #lastProbe = 0
  #lines = ''
  /** @type {Map<number, { resolve: (answer: any) => void, reject: (error: Error) => void }>} */
  #asked = new Map()

  /**
   * Resolves once it is ready for requests.
   *
   * @param {ServerOptions} options
   */
  static async start(options) {
    const port = await freePort()
    const server = new ServerProcess(options, port)
    await server.#whenReady()
    return server
  }

  /**
   * @param {ServerOptions} options
   * @param {number} port
   */
  constructor({ name, entry, args = [], core, env }, port) {
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
    this.#child.on('message', (/** @type {any} */ { probe, answer }) => {
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

  /**
   * CPU time that the process has used so far, user and system, in µs.
   *
   * @returns {Promise<number>}
   */
  cpu() {
    return this.#ask('cpu')
  }

  /**
   * Its memory after the garbage was collected.
   *
   * @returns {Promise<Memory>}
   */
  memory() {
    return this.#ask('memory')
  }

  stop() {
    return end(this.#child)
  }

  /** @param {'cpu' | 'memory'} probe */
  #ask(probe) {
    const id = ++this.#lastProbe
    return within(
      PROBE_TIMEOUT_MS,
      `${this.#name} to answer the probe`,
      /** @type {Promise<any>} */ (
        new Promise((resolve, reject) => {
          this.#asked.set(id, { resolve, reject })
          this.#child.send({ probe, id }, (error) => error && reject(error))
        })
      ),
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
  #child
  #port
  #client
  #folder

  /** @param {string} program */
  static async start(program) {
    const redis = new RedisProcess(program, await freePort())
    const deadline = Date.now() + START_TIMEOUT_MS
    while ((await redis.#client.ping().catch(() => null)) !== 'PONG') {
      if (Date.now() > deadline) throw new Error(`${program} did not start`)
      await sleep(20)
    }
    return redis
  }

  /**
   * @param {string} program
   * @param {number} port
   */
  constructor(program, port) {
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

/**
 * @template T
 * @param {number} ms
 * @param {string} what
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export async function within(ms, what, promise) {
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
