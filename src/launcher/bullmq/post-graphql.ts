import { wordsOf } from '../../../clients/typescript/reporter/notices.ts'
import { EpochcastError, ERROR_CODES, type ErrorCode } from '../../task/errors.ts'

const REQUEST_MS = 10_000

interface Answer<Data> {
  readonly data?: Data | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[]
}

/**
 * One operation of a worker at its server.
 *
 * @throws EpochcastError with the code of the server's refusal; ENGINE_UNAVAILABLE where there is no answer of it
 */
export async function postGraphQL<Data>(
  url: string,
  query: string,
  variables: unknown,
  token: string | null,
): Promise<Data> {
  const { data, errors } = await answerTo<Data>(url, JSON.stringify({ query, variables }), token)
  const [error] = errors ?? []
  if (!error && data) return data
  const { code = '' } = error?.extensions ?? {}
  const isKnown = Object.hasOwn(ERROR_CODES, code)
  throw new EpochcastError(
    isKnown ? (code as ErrorCode) : 'BAD_REQUEST',
    error?.message ?? `${url} gives no answer of GraphQL`,
  )
}

async function answerTo<Data>(url: string, body: string, token: string | null): Promise<Answer<Data>> {
  const headers = {
    'content-type': 'application/json',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  }
  const isAway = (why: string, cause?: unknown) =>
    new EpochcastError('ENGINE_UNAVAILABLE', `the server at ${url} is out of reach: ${why}`, { cause })
  const [text, status] = await post(url, headers, body).catch((cause) => {
    throw isAway(wordsOf(cause), cause)
  })
  try {
    return JSON.parse(text) as Answer<Data>
  } catch (cause) {
    // A proxy before it, perhaps for a moment only; or an address that is no API.
    throw isAway(`an answer with status ${status} is none of GraphQL`, cause)
  }
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<readonly [text: string, status: number]> {
  const signal = AbortSignal.timeout(REQUEST_MS)
  const response = await fetch(url, { method: 'POST', headers, body, signal })
  return [await response.text(), response.status]
}
