import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { type Command, Daemon, type OnCrash } from './daemon.ts'

const MAX_ANSWER_MS = 2000
const MAX_ERRORS = 30
const MAX_ERROR_LENGTH = 2000
/** Lines of the log that are no errors. */
const HARMLESS = /^\{"level":[1-4]0,/

export interface ServerOptions {
  readonly name: string
  readonly command: Command
  /** Settings; nothing else of this process's environment may change what the server does. */
  readonly env?: Readonly<Record<string, string>>
  /** The path at which it answers with 200 once it is up; `/health` by default. */
  readonly upAt?: '/health' | '/ready'
  /** Whether there is a channel to it, for messages. */
  readonly hasChannel?: boolean
  readonly onCrash?: OnCrash
}

/** A server of the built program, or one to compare it with. It takes its port from `PORT`. */
export class ServerProcess extends Daemon {
  readonly #options: ServerOptions
  readonly #lastErrors: string[] = []

  /** @param port a free one, and its own from then on */
  constructor(options: ServerOptions, port: number) {
    super(options.name, port, options.onCrash)
    this.#options = options
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql`
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.port}/graphql`
  }

  /** The newest errors of its log, and whatever it printed that is no log. */
  get lastErrors(): readonly string[] {
    return this.#lastErrors
  }

  async start(): Promise<void> {
    const { command, env, hasChannel } = this.#options
    const child: ChildProcess = this.spawn(command, {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: `${this.port}`,
        // Nothing is left behind, unless somebody asks for it.
        EPOCHCAST_DATA: 'none',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe', ...(hasChannel ? (['ipc'] as const) : [])],
    })
    for (const stream of [child.stdout, child.stderr]) {
      readLines(stream, (line) => {
        if (!HARMLESS.test(line)) this.#keepError(line)
      })
    }
    await this.whenUp()
  }

  protected async isUp(): Promise<boolean> {
    const { upAt = '/health' } = this.#options
    try {
      const response = await fetch(new URL(upAt, this.url), { signal: AbortSignal.timeout(MAX_ANSWER_MS) })
      await response.arrayBuffer()
      return response.ok
    } catch {
      return false
    }
  }

  protected override get lastWords(): string {
    return this.#lastErrors.join('\n')
  }

  #keepError(line: string): void {
    this.#lastErrors.push(line.slice(0, MAX_ERROR_LENGTH))
    if (this.#lastErrors.length > MAX_ERRORS) this.#lastErrors.shift()
  }
}

function readLines(stream: Readable | null, take: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}
