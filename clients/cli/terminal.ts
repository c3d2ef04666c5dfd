import type { Readable, Writable } from 'node:stream'
import { EXIT } from './exit-codes.ts'

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** What a command may touch of the process it runs in; tests bring their own. */
export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted by Ctrl-C. From the first call on, Ctrl-C no longer ends the process at once. */
  interrupted(): AbortSignal
}

/** Ends the process quietly once nobody reads its output any more, as in `epochcast watch … | head`. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process
  for (const output of [stdout, stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(0)
    })
  }
  let controller: AbortController | undefined
  return {
    stdin,
    stdout,
    stderr,
    env,
    interrupted: () => {
      if (!controller) {
        const created = new AbortController()
        // Not `once`: log-update ends the process on a signal that nobody else listens to.
        process.on('SIGINT', () => {
          // The second Ctrl-C means "now".
          if (created.signal.aborted) process.exit(EXIT.interrupted)
          created.abort()
        })
        controller = created
      }
      return controller.signal
    },
  }
}

export function writeLine(output: Output, line: string): void {
  output.write(`${line}\n`)
}
