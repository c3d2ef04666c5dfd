import type { Command } from 'commander'
import { createClient, type EpochcastClient, EpochcastClientError } from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { hasColors, paint } from './render/styles.ts'
import { printable } from './render/text.ts'
import { type Terminal, writeLine } from './terminal.ts'

/** One run of the program: where its commands read and write, and what it ends with. */
export interface Session {
  readonly terminal: Terminal
  exitCode: number
}

interface ServerOptions {
  readonly url?: string
  readonly token?: string
}

export const DEFAULT_URL = 'http://localhost:4000/graphql'

/** What a command that talks to the server works with. */
export interface Connection {
  readonly client: EpochcastClient
  readonly terminal: Terminal
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** A command line that reaches the same server, for a person to copy. */
  commandLine(...words: readonly string[]): string
}

/** Runs a command's body with a client, and turns what comes of it into the program's exit code. */
export async function withConnection(
  session: Session,
  command: Command,
  body: (connection: Connection) => Promise<number>,
): Promise<void> {
  const { terminal } = session
  const { url, token } = command.optsWithGlobals<ServerOptions>()
  const signal = terminal.interrupted()
  let client: EpochcastClient | undefined
  try {
    client = createClient({
      url: endpoint(url ?? terminal.env.EPOCHCAST_URL ?? DEFAULT_URL),
      token: token ?? terminal.env.EPOCHCAST_TOKEN,
      webSocketImpl: await webSocket(),
    })
    const commandLine = (...words: readonly string[]) =>
      ['epochcast', ...words, ...(url === undefined ? [] : ['--url', url])].map(quoted).join(' ')
    session.exitCode = await body({ client, terminal, signal, commandLine })
  } catch (error) {
    session.exitCode = reportError(terminal, error, signal)
  } finally {
    await client?.dispose()
  }
}

/** A mistake in how the program was called that only the command itself can see. */
export class UsageError extends Error {}

/** One line on stderr; gives the exit code. */
export function reportError(terminal: Terminal, error: unknown, signal?: AbortSignal): number {
  if (signal?.aborted) return EXIT.interrupted
  const message = error instanceof Error ? error.message : String(error)
  writeError(terminal, codeOf(error), message)
  return EXIT.error
}

function codeOf(error: unknown): string {
  if (error instanceof EpochcastClientError) return error.code
  return error instanceof UsageError ? 'USAGE' : 'UNEXPECTED'
}

export function writeError(terminal: Terminal, code: string, message: string): void {
  const colors = hasColors(terminal.stderr, terminal.env)
  const spans = [
    { text: `error ${printable(code)}:`, style: 'red' as const },
    { text: ` ${printable(message)}` },
  ]
  writeLine(terminal.stderr, paint(spans, Number.POSITIVE_INFINITY, colors))
}

/** @throws UsageError */
export function endpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new UsageError(`the server's URL is ${JSON.stringify(text)}; expected one such as ${DEFAULT_URL}`)
  }
  if (url.pathname === '/') url.pathname = '/graphql'
  return url.href
}

const HANDSHAKE_TIMEOUT_MS = 10_000

/** Node 20 has none of its own; and a host that swallows packets must not hold a retry for minutes. */
async function webSocket(): Promise<unknown> {
  const { WebSocket } = await import('ws')
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
    }
  }
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
