import type { IncomingMessage, ServerResponse } from 'node:http'
import { EpochcastError } from '../task/errors.ts'
import type { Callers } from './callers.ts'
import { refuse } from './refusals.ts'

interface GateOptions {
  readonly callers: Callers
  /** What is told of a failure that is nobody's refusal. */
  readonly translate: (error: unknown) => Pick<EpochcastError, 'message' | 'extensions'>
}

/** Stands before every door of HTTP: whoever needs a token shows it here, before anything is read or run. */
export class Gate {
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Serves a request whose caller may come in, or refuses it. */
  pass(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    const { callers } = this.#options
    // A browser asks first, without its token, whether it may send one.
    if (!callers.areKnownByTokens || request.method === 'OPTIONS') return void serve()
    try {
      // An EventSource can set no header.
      const caller = callers.identify(request, { mayHaveTicket: request.method === 'GET' })
      if (!(caller instanceof Promise)) return void serve()
      caller.then(serve).catch((error) => this.#refuse(request, response, error))
    } catch (error) {
      this.#refuse(request, response, error)
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent) return void response.destroy()
    if (!(error instanceof EpochcastError))
      return void refuse(request, response, 500, this.#options.translate(error))
    const [status, headers] = httpRefusal(error)
    refuse(request, response, status, error, headers)
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
