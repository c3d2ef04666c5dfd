import type { IncomingMessage } from 'node:http'
import { EpochcastError, quote } from '../task/errors.ts'
import type { MediaType } from './regular-response.ts'

/** Whether a request is what nearly everybody sends: JSON, and nothing in its URL. */
export function isJsonPost({ url, headers }: IncomingMessage): boolean {
  return url?.includes('?') === false && JSON_TYPE.test(headers['content-type'] ?? '')
}

const JSON_TYPE = /^application\/json(; ?charset=utf-8)?$/i

/** What Yoga reads as JSON. */
export const isJson = ({ headers }: IncomingMessage): boolean =>
  /^application\/(graphql\+)?json($|[;,])/i.test(headers['content-type'] ?? '')

export function notJsonType({ headers }: IncomingMessage): EpochcastError {
  const { 'content-type': type } = headers
  const found =
    type === undefined ? 'there is no Content-Type header' : `the Content-Type header is ${quote(type)}`
  return new EpochcastError('BAD_REQUEST', `${found}; expected application/json`)
}

export const NOT_UTF8 = new EpochcastError('BAD_REQUEST', 'the request body is not UTF-8')

/** The first media type of the Accept header that is ours, as Yoga reads it; null where there is none. */
export function mediaTypeFor(accept = '*/*'): MediaType | null {
  if (accept === '*/*' || accept === 'application/json') return 'application/json'
  for (const range of accept.replace(/\s/g, '').toLowerCase().split(',')) {
    const [mediaType, ...params] = range.split(';')
    const charset = params.find((param) => param.includes('charset='))
    if (charset !== undefined && charset !== 'charset=utf-8') continue
    if (mediaType === 'application/graphql-response+json') return mediaType
    if (mediaType === 'application/json' || mediaType === 'application/*' || mediaType === '*/*') {
      return 'application/json'
    }
  }
  return null
}
