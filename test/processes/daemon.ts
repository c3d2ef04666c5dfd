import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { end, endWithUs, isRunning } from './lifetime.ts'

/** With millions of events, Redis takes its time to read them again. */
const MAX_START_MS = 120_000
const LOOKING_MS = 20

/** Told that a process ended although nobody ended it. */
export type OnCrash = (what: string) => void

export type Command = readonly [program: string, ...args: string[]]

/** A server in a process of its own, which can be ended and started again, always on the same port. */
export abstract class Daemon {
  readonly name: string
  readonly port: number
  protected child: ChildProcess | undefined
  readonly #onCrash: OnCrash
  /** Those that were ended on purpose. */
  readonly #ended = new WeakSet<ChildProcess>()

  constructor(name: string, port: number, onCrash: OnCrash = () => {}) {
    this.name = name
    this.port = port
    this.#onCrash = onCrash
  }

  /** Resolves once it is up. */
  abstract start(): Promise<void>

  /** Whether it is up. */
  protected abstract isUp(): Promise<boolean>

  /** What it said last, for the error that it did not start. */
  protected get lastWords(): string {
    return ''
  }

  get pid(): number | undefined {
    return this.child?.pid
  }

  /** What it needs is taken away: that it ends by itself is no crash from here on. */
  expectEnd(): void {
    if (this.child) this.#ended.add(this.child)
  }

  /** Ends the process as an operator does, and resolves once it is gone. */
  async end(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Stops the process where it stands; its connections stay open. */
  freeze(): void {
    this.child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.child?.kill('SIGCONT')
  }

  protected spawn([program, ...args]: Command, options: SpawnOptions): ChildProcess {
    const child = endWithUs(spawn(program, args, options))
    this.child = child
    child.once('error', (error) => this.#onCrash(`${this.name} could not be run: ${error.message}`))
    child.once('exit', (code, signal) => {
      if (!this.#ended.has(child)) this.#onCrash(`${this.name} ended by itself (${signal ?? code})`)
    })
    return child
  }

  /** @throws an Error with its last words where it ends, or is not up in time */
  protected async whenUp(): Promise<void> {
    const deadline = performance.now() + MAX_START_MS
    for (;;) {
      const answers = await this.isUp()
      const { child } = this
      const isLate = performance.now() > deadline
      if (child && isRunning(child)) {
        if (answers) return
        if (!isLate) {
          await sleep(LOOKING_MS)
          continue
        }
      }
      const how = isLate ? `not up after ${MAX_START_MS} ms` : `${child?.signalCode ?? child?.exitCode}`
      await this.kill()
      throw new Error(`${this.name} did not start (${how}): ${this.lastWords || 'it said nothing'}`)
    }
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.child) return
    this.#ended.add(this.child)
    await end(this.child, signal)
  }
}
