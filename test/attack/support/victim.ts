import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { freePort } from '../../processes/free-port.ts'
import { ServerProcess } from '../../processes/server-process.ts'

const MAIN = join(import.meta.dirname, '../../../bin/epochcast.js')

/** A server as a process of its own, as built, whose memory can be looked at; killed when the test is over. */
export class Victim {
  readonly #server: ServerProcess
  #hasCrashed = false

  private constructor(port: number, env: Readonly<Record<string, string>>, heapMiB: number) {
    const command = [process.execPath, `--max-old-space-size=${heapMiB}`, MAIN, 'serve'] as const
    const onCrash = () => {
      this.#hasCrashed = true
    }
    this.#server = new ServerProcess({ name: 'the server', command, env, onCrash }, port)
  }

  static async start(env: Readonly<Record<string, string>> = {}, heapMiB = 1024): Promise<Victim> {
    const victim = new Victim(await freePort(), env, heapMiB)
    onTestFinished(() => victim.#server.kill())
    await victim.#server.start()
    return victim
  }

  /** Ends it by SIGTERM and starts it again, with what it has kept. */
  async restart(): Promise<void> {
    await this.#server.end()
    await this.#server.start()
  }

  get url(): string {
    return this.#server.url
  }

  get webSocketUrl(): string {
    return this.#server.webSocketUrl
  }

  get port(): number {
    return this.#server.port
  }

  get hasCrashed(): boolean {
    return this.#hasCrashed
  }

  /** The newest errors of its log. */
  get lastErrors(): readonly string[] {
    return this.#server.lastErrors
  }

  /** The most memory that it has had so far, in MiB. */
  get peakMiB(): number {
    return this.#status('VmHWM') / 1024
  }

  get residentMiB(): number {
    return this.#status('VmRSS') / 1024
  }

  get openFiles(): number {
    return readdirSync(`/proc/${this.#server.pid}/fd`).length
  }

  #status(name: string): number {
    const status = readFileSync(`/proc/${this.#server.pid}/status`, 'utf8')
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    if (found === undefined) throw new Error(`/proc says no ${name} of the server`)
    return Number(found)
  }
}
