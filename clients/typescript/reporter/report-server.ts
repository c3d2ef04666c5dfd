import { REPORTER_LIMITS } from './limits.ts'
import { wordsOf } from './notices.ts'
import { OF_THE_SERVER } from './refusals.ts'

export type CallOutcome =
  | { readonly kind: 'reply'; readonly data: Readonly<Record<string, unknown>> }
  /** The server's own refusal: the same call will never be taken. */
  | { readonly kind: 'refusal'; readonly code: string; readonly message: string }
  /** Whether the call was taken is not known, or it may be later: to be repeated, after `waitMs` where given. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly waitMs: number | null }

export interface HttpReply {
  readonly status: number
  readonly retryAfter: string | null
  readonly text: string
}

/** Follows no redirect, which would make a GET of it. Rejects where there is no reply, and when the signal is aborted. */
export type Post = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  signal: AbortSignal,
) => Promise<HttpReply>

export const fetchPost =
  (fetch: typeof globalThis.fetch): Post =>
  async (url, headers, body, signal) => {
    const request = { method: 'POST', redirect: 'error', headers, body: body as BodyInit, signal } as const
    const response = await fetch(url, request)
    const retryAfter = response.headers.get('retry-after')
    return { status: response.status, retryAfter, text: await response.text() }
  }

export interface ReportServerOptions {
  readonly url: string
  readonly token: string | (() => string | Promise<string>) | undefined
  readonly post: Post
  /** Of Node; pages send what they send as it is. */
  readonly gzip: ((text: string) => Promise<Uint8Array>) | null
  readonly callMs?: number
}

/** Calls of the server over HTTP, each with a deadline, and what the replies mean. Never rejects. */
export class ReportServer {
  readonly #options: ReportServerOptions
  /** Of the run itself, once it is registered. */
  #reportToken: string | null = null
  #call: AbortController | null = null

  constructor(options: ReportServerOptions) {
    this.#options = options
  }

  /** @param token null for the caller's own again */
  useReportToken(token: string | null): void {
    this.#reportToken = token
  }

  /** @param variables JSON */
  async call(query: string, operationName: string, variables: string): Promise<CallOutcome> {
    const { url, token, post, gzip, callMs = REPORTER_LIMITS.callMs } = this.#options
    const call = new AbortController()
    this.#call = call
    const timer = setTimeout(() => call.abort(new Error(`no response in ${callMs} ms`)), callMs)
    try {
      const bearer = this.#reportToken ?? (typeof token === 'function' ? await token() : token)
      const text = `{"query":${JSON.stringify(query)},"operationName":"${operationName}","variables":${variables}}`
      const isLarge = gzip !== null && text.length >= REPORTER_LIMITS.gzipBytes
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(isLarge && { 'content-encoding': 'gzip' }),
        ...(bearer && { authorization: `Bearer ${bearer}` }),
      }
      return outcomeOf(await post(url, headers, isLarge ? await gzip(text) : text, call.signal))
    } catch (error) {
      const reason = call.signal.aborted ? call.signal.reason : error
      return { kind: 'unavailable', reason: wordsOf(reason), waitMs: null }
    } finally {
      clearTimeout(timer)
      this.#call = null
    }
  }

  /** Ends the call that is under way. */
  abort(): void {
    this.#call?.abort(new Error('nobody waits for it any more'))
  }
}

interface ReplyError {
  readonly message?: unknown
  readonly extensions?: {
    readonly code?: unknown
    readonly retryable?: unknown
    readonly retryAfterMs?: unknown
  }
}

function outcomeOf({ status, retryAfter, text }: HttpReply): CallOutcome {
  const { data, errors } = parsed(text)
  const [error] = Array.isArray(errors) ? (errors as ReplyError[]) : []
  if (!error && typeof data === 'object' && data !== null)
    return { kind: 'reply', data: data as Readonly<Record<string, unknown>> }
  const waitMs = retryAfterMs(retryAfter)
  if (!error && status === 413)
    return { kind: 'refusal', code: 'BODY_TOO_LARGE', message: 'a proxy takes no body of this size' }
  // Not GraphQL's: a proxy's, or another server's.
  if (!error) return { kind: 'unavailable', reason: `the server responded with ${status}`, waitMs }
  const { code, retryable, retryAfterMs: given } = error.extensions ?? {}
  const message = String(error.message)
  if (retryable !== false || status === 401 || status === 403 || OF_THE_SERVER.has(code)) {
    const wanted = typeof given === 'number' ? bounded(given) : waitMs
    return { kind: 'unavailable', reason: `${code ?? status}: ${message}`, waitMs: wanted }
  }
  return { kind: 'refusal', code: String(code), message }
}

function parsed(text: string): { readonly data?: unknown; readonly errors?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function retryAfterMs(header: string | null): number | null {
  if (header === null) return null
  const seconds = Number(header)
  if (header.trim() !== '' && Number.isFinite(seconds)) return bounded(seconds * 1000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? null : bounded(date - Date.now())
}

const bounded = (ms: number): number => Math.min(Math.max(ms, 0), REPORTER_LIMITS.maxRetryAfterMs)
