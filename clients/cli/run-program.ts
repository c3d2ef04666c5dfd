import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Output, Terminal } from './terminal.ts'

/** How a program came to its end; not started, where the system said why. */
export type ProgramEnd =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not started'; readonly error: NodeJS.ErrnoException }

export interface RunProgramOptions {
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly terminal: Pick<Terminal, 'stdout' | 'stderr'>
  /** Told what it prints, beside this one's own output. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void
}

/** Time for output that is on its way when the program has ended: what it started may hold its pipes. */
const OUTPUT_CLOSE_MS = 1000

/** A program of somebody else: its output is passed through as it comes, and signals go to it. */
export class RunProgram {
  /** By then its output has been passed on. */
  readonly ended: Promise<ProgramEnd>
  /** Null where the system did not make a process. */
  readonly #child: ChildProcess | null
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor({ command: [program, ...args], env, terminal, onOutput }: RunProgramOptions) {
    let child: ChildProcess
    try {
      child = spawn(program, args, { env, stdio: ['inherit', 'pipe', 'pipe'] })
    } catch (error) {
      // Some of what the system says is an event, the rest (E2BIG, ENOTDIR) is thrown.
      this.#child = null
      this.ended = Promise.resolve({ kind: 'not started', error: error as NodeJS.ErrnoException })
      return
    }
    this.#child = child
    const pass = (stream: 'stdout' | 'stderr', from: Readable | null, to: Output) => {
      // Without a descriptor to spare there is no pipe.
      if (!from) return
      // With the other end's speed, as if there were nothing in between.
      from.pipe(to, { end: false })
      // A reader that is gone must not stop the program at a full pipe.
      to.on('error', () => from.unpipe(to).resume())
      from.on('data', (chunk: Buffer) => onOutput(stream, chunk))
    }
    pass('stdout', child.stdout, terminal.stdout)
    pass('stderr', child.stderr, terminal.stderr)
    this.ended = new Promise((resolve) => {
      let end: ProgramEnd | undefined
      child.on('error', (error) => {
        end ??= { kind: 'not started', error }
        if (child.pid === undefined) resolve(end)
      })
      child.on('exit', (code, signal) => {
        for (const timer of this.#timers) clearTimeout(timer)
        const exit: ProgramEnd =
          signal === null ? { kind: 'exit', code: code ?? 1 } : { kind: 'signal', signal }
        end ??= exit
        setTimeout(() => resolve(exit), OUTPUT_CLOSE_MS).unref()
      })
      child.on('close', () => end && resolve(end))
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** SIGTERM after a time, unless it has ended by then, and SIGKILL after another. */
  stop(termAfterMs: number, killAfterMs: number): void {
    this.#after(termAfterMs, () => {
      this.signal('SIGTERM')
      this.#after(killAfterMs, () => this.signal('SIGKILL'))
    })
  }

  #after(ms: number, act: () => void): void {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    this.#timers.add(setTimeout(act, ms))
  }
}
