import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../repository/access.ts'
import { EpochcastError } from '../task/errors.ts'
import type { Callers } from './callers.ts'
import type { Clients } from './clients.ts'
import { refuse } from './refusals.ts'

interface GateOptions {
  readonly clients: Clients
  readonly callers: Callers
  /** Whether a browser that comes by GET gets GraphiQL. */
  readonly graphiql: boolean
  /** What is told of a failure that is nobody's refusal. */
  readonly translate: (error: unknown) => Pick<EpochcastError, 'message' | 'extensions'>
}

interface OpenStream {
  readonly response: ServerResponse
  readonly endsAt: number
}

/** Stands before every door of HTTP: whoever needs a token shows it here, before anything is read or run. */
export class Gate {
  readonly #options: GateOptions
  /** Event streams whose token expires. */
  readonly #streams = new Set<OpenStream>()

  constructor(options: GateOptions) {
    this.#options = options
    options.clients.everySweep(() => this.#endExpired(Date.now()))
  }

  /** Serves a request whose caller may come in, or refuses it. */
  pass(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    const { callers } = this.#options
    if (!callers.areKnownByTokens || this.#isForStrangers(request)) return void serve()
    const enter = (caller: Caller) => {
      this.#watch(request, response, caller)
      serve()
    }
    try {
      // An EventSource can set no header.
      const caller = callers.identify(request, { mayHaveTicket: request.method === 'GET' })
      if (!(caller instanceof Promise)) return void enter(caller)
      caller.then(enter).catch((error) => this.#refuse(request, response, error))
    } catch (error) {
      this.#refuse(request, response, error)
    }
  }

  /** What asks whether it may send something, and the page in which people say who they are. */
  #isForStrangers(request: IncomingMessage): boolean {
    return request.method === 'OPTIONS' || (this.#options.graphiql && asksForPage(request))
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent) return void response.destroy()
    if (!(error instanceof EpochcastError))
      return void refuse(request, response, 500, this.#options.translate(error))
    const [status, headers] = httpRefusal(error)
    refuse(request, response, status, error, headers)
  }

  #watch({ headers }: IncomingMessage, response: ServerResponse, { expiresAt }: Caller): void {
    if (expiresAt === null || !headers.accept?.includes('text/event-stream')) return
    const stream = { response, endsAt: expiresAt + this.#options.callers.graceMs }
    this.#streams.add(stream)
    response.once('close', () => this.#streams.delete(stream))
  }

  /** Broken off, and not completed: the client is to come back, with a fresh token. */
  #endExpired(now: number): void {
    for (const { response, endsAt } of this.#streams) if (endsAt <= now) response.destroy()
  }
}

/** Whether a browser asks for the page at the endpoint. */
export const asksForPage = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.accept?.includes('text/html') === true

/** The status of what is refused before there is an operation, and what goes with it (RFC 6750, section 3). */
export function httpRefusal(error: EpochcastError): readonly [number, Readonly<Record<string, string>>] {
  if (error.code !== 'UNAUTHENTICATED') return [503, {}]
  const { reason } = error.details
  const challenge = reason === 'missing' ? '' : ', error="invalid_token"'
  return [401, { 'WWW-Authenticate': `Bearer realm="epochcast"${challenge}` }]
}
