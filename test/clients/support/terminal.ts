import { PassThrough, Readable } from 'node:stream'
import { createProgram, run } from '../../../clients/cli/program.ts'
import type { Terminal } from '../../../clients/cli/terminal.ts'

export interface TestTerminal extends Terminal {
  /** Everything written so far. */
  readonly out: string
  readonly err: string
  /** As Ctrl-C. */
  interrupt(): void
}

export interface TestTerminalOptions {
  readonly stdin?: string | Readable
  readonly isTTY?: boolean
  readonly env?: Record<string, string>
}

export function testTerminal({
  stdin = '',
  isTTY = false,
  env = {},
}: TestTerminalOptions = {}): TestTerminal {
  const controller = new AbortController()
  const written = { out: '', err: '' }
  const output = (name: keyof typeof written) => {
    const stream = new PassThrough({ encoding: 'utf8' }).on('data', (text: string) => {
      written[name] += text
    })
    return Object.assign(stream, { isTTY, columns: 80, rows: 24 })
  }
  return {
    stdin: typeof stdin === 'string' ? Readable.from([stdin]) : stdin,
    stdout: output('out'),
    stderr: output('err'),
    env,
    outliveReaders: () => {},
    interrupted: () => controller.signal,
    interrupt: () => controller.abort(),
    get out() {
      return written.out
    },
    get err() {
      return written.err
    },
  }
}

/** Runs one command line against a server; the exit code, and what was printed. */
export async function epochcast(
  url: string,
  args: readonly string[],
  terminal = testTerminal(),
): Promise<{ code: number; out: string; err: string }> {
  const code = await run(createProgram(terminal, '1.2.3'), [...args, '--url', url])
  // What was written in the last turn is still on its way through the stream.
  await new Promise((resolve) => setImmediate(resolve))
  return { code, out: terminal.out, err: terminal.err }
}
