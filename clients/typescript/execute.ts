import type { GraphQLFormattedError } from 'graphql'
import type { DocumentRequest } from './document.ts'
import { EpochcastClientError, refused, unreachable } from './error.ts'
import { linkSignals } from './stoppable.ts'

export interface HttpRequest {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  readonly authorization: string | undefined
  readonly body: DocumentRequest & { readonly variables: unknown }
  /** The longest wait for the whole response. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** @throws EpochcastClientError; the signal's reason */
export async function post<Data>(request: HttpRequest): Promise<Data> {
  const { url, timeoutMs, signal } = request
  const linked = linkSignals(signal)
  const timer = setTimeout(() => linked.abort(new Error(`no response in ${timeoutMs} ms`)), timeoutMs)
  try {
    return parse(url, await send({ ...request, signal: linked.signal }))
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof EpochcastClientError ? error : unreachable(url, error)
  } finally {
    clearTimeout(timer)
    linked.unlink()
  }
}

interface HttpResponse {
  readonly status: number
  readonly statusText: string
  readonly text: string
}

async function send({ url, fetch, authorization, body, signal }: HttpRequest): Promise<HttpResponse> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify(body),
    signal,
  })
  const { status, statusText } = response
  return { status, statusText, text: await response.text() }
}

function parse<Data>(url: string, { status, statusText, text }: HttpResponse): Data {
  const { data, errors } = parseObject<Data>(text)
  if (Array.isArray(errors) && errors.length > 0) throw refused(errors)
  if (typeof data === 'object' && data !== null) return data
  const found = `${status} ${statusText}`.trim()
  throw new EpochcastClientError(`${url} responded with ${found}, which is not GraphQL; is the URL right?`, {
    code: 'BAD_RESPONSE',
    retryable: status >= 500 || status === 429,
  })
}

function parseObject<Data>(text: string): { data?: Data; errors?: GraphQLFormattedError[] } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
