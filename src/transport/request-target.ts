import type { IncomingMessage } from 'node:http'
import { EpochcastError, quote } from '../task/errors.ts'
import type { OriginRule } from './origin.ts'

/**
 * The path that a request asks for. A target may name a host, which then counts instead of the Host header; what follows
 * finds the target without it.
 *
 * @throws EpochcastError BAD_REQUEST, and ORIGIN_NOT_ALLOWED for the host of another server
 */
export function pathOf(request: IncomingMessage, origins: OriginRule): string {
  const { url = '/', httpVersionMinor, headers } = request
  if (headers.host === undefined && httpVersionMinor > 0)
    throw new EpochcastError('BAD_REQUEST', 'the request has no Host header; expected one, as of HTTP/1.1')
  if (!url.startsWith('/') && url !== '*') request.url = withoutHost(url, origins)
  const target = request.url ?? '/'
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}

function withoutHost(target: string, origins: OriginRule): string {
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) {
    throw new EpochcastError(
      'BAD_REQUEST',
      `the request's target is ${quote(target)}; expected a path such as /graphql`,
    )
  }
  const { host, pathname, search } = new URL(target)
  origins.checkHost(host)
  return `${pathname}${search}`
}

/** What GraphQL over HTTP reads from a query string; anything else in it is nobody's. */
const PARAMS = ['query', 'operationName', 'variables', 'extensions', 'documentId']
const OBJECTS = ['variables', 'extensions']

/**
 * Checks the query string of an operation by GET, which says what is asked for in one way only.
 *
 * @throws EpochcastError BAD_REQUEST
 */
export function checkQueryString(url: string): void {
  const search = url.includes('?') ? url.slice(url.indexOf('?') + 1) : ''
  if (!isPercentEncoded(search)) {
    throw new EpochcastError('BAD_REQUEST', 'the query string is not UTF-8 with percent-encoding')
  }
  const params = new URLSearchParams(search)
  for (const name of PARAMS) {
    const { length } = params.getAll(name)
    if (length > 1)
      throw new EpochcastError(
        'BAD_REQUEST',
        `the query string has ${name} ${length} times; expected it once`,
      )
  }
  for (const name of OBJECTS) {
    const text = params.get(name)
    if (text && !isObject(text)) {
      throw new EpochcastError(
        'BAD_REQUEST',
        `${name} in the query string is ${quote(text)}; expected a JSON object`,
      )
    }
  }
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** What is no JSON is left to what tells where it is none (`url-params.ts`). */
function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return value === null || (typeof value === 'object' && !Array.isArray(value))
  } catch {
    return true
  }
}
