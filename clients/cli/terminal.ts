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
  /** From now on the process goes on where nobody reads its output any more. */
  outliveReaders(): void
}

/** Ends the process quietly once nobody reads its output any more, as in `epochcast watch … | head`. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process
  let outlivesReaders = false
  for (const output of [stdout, stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (!outlivesReaders) process.exit(0)
    })
  }
  let controller: AbortController | undefined
  return {
    stdin,
    stdout,
    stderr,
    env,
    outliveReaders: () => {
      outlivesReaders = true
    },
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

/** What steers a terminal, or looks like a line of its own; with what makes a colour of it, if it does. */
const STEERING = /([\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069])(\[[\d;]*m)?/gu

/**
 * One line, whatever is in it. Whoever writes texts from outside makes them legible (`render/text.ts`), which takes
 * colours, too; what was forgotten is still not let through here.
 */
export function writeLine(output: Output, line: string): void {
  const legible = line.replace(STEERING, (found, character, color = '') =>
    character === '\u001b' && color !== '' ? found : ` ${color}`,
  )
  output.write(`${legible}\n`)
}

/** A line as it came on stdin: it is not ours, and goes where it would have gone without us. */
export function passLine(output: Output, line: string): void {
  output.write(`${line}\n`)
}
