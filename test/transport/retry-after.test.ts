import { GraphQLError } from 'graphql'
import { describe, expect, it } from 'vitest'
import { toGraphQLError } from '../../src/schema/errors.ts'
import { EpochcastError, ERROR_CODES, type ErrorCode } from '../../src/task/errors.ts'
import { withRetryAfter } from '../../src/transport/retry-after.ts'
import { statusOf } from '../../src/transport/streams/stream-requests.ts'

const CODES = Object.keys(ERROR_CODES) as ErrorCode[]
const RETRYABLE = CODES.filter((code) => ERROR_CODES[code].retryable)
const FINAL = CODES.filter((code) => !ERROR_CODES[code].retryable)

const failed = (code: ErrorCode, path: string[] = [], details: Record<string, unknown> = {}) =>
  toGraphQLError(
    new GraphQLError('x', { path, originalError: new EpochcastError(code, 'x', { details }) }),
    () => expect.unreachable(),
  )
const hintOf = (result: Parameters<typeof withRetryAfter>[0]) =>
  withRetryAfter(result).errors?.[0]?.extensions.http

describe('an error', () => {
  it.each(RETRYABLE)('%s says when to try again, over HTTP by its status, too', (code) => {
    const { retryAfterMs, retryable } = new EpochcastError(code, 'x').extensions
    expect([typeof retryAfterMs, retryable]).toEqual(['number', true])
    const status = code === 'RATE_LIMITED' ? 429 : code === 'INTERNAL_SERVER_ERROR' ? 500 : 503
    expect(statusOf(failed(code))).toBe(status)
    // A failure, and no refusal; at the doors without GraphQL, whose clients look at nothing else, it has a status all the same.
    if (code === 'INTERNAL_SERVER_ERROR') return expect(hintOf({ errors: [failed(code)] })).toBeUndefined()
    const headers = { 'retry-after': String(Math.ceil((retryAfterMs as number) / 1000)) }
    for (const result of [
      { errors: [failed(code)] },
      { errors: [failed(code, ['a'])], data: null },
      { errors: [failed(code, ['a']), failed(code, ['b', 'c'])], data: { a: null, b: null } },
    ])
      expect(hintOf(result)).toEqual({ status, headers })
    const details = { retryAfterMs: 70_500 }
    expect(hintOf({ errors: [failed(code, [], details)] })).toEqual({
      status,
      headers: { 'retry-after': '71' },
    })
  })

  it.each(FINAL)('%s says nothing of the kind', (code) => {
    expect(new EpochcastError(code, 'x').extensions).toEqual({ code, retryable: false })
    expect(hintOf({ errors: [failed(code)] })).toBeUndefined()
    expect(hintOf({ errors: [failed('OVERLOADED'), failed(code)] })).toBeUndefined()
  })

  it('beside what succeeded leaves the status alone', () => {
    const errors = [failed('OVERLOADED', ['a'])]
    expect(hintOf({ errors, data: { a: null, b: 1 } })).toBeUndefined()
    // Missing, and without an error: that is its answer.
    expect(hintOf({ errors, data: { a: null, b: null } })).toBeUndefined()
    expect(withRetryAfter({ data: { a: null } })).toEqual({ data: { a: null } })
  })

  it('that lasts the longest tells when to try again', () => {
    const errors = [failed('RATE_LIMITED', ['a'], { retryAfterMs: 9000 }), failed('OVERLOADED', ['b'])]
    expect(hintOf({ errors, data: null })).toEqual({ status: 503, headers: { 'retry-after': '9' } })
  })
})
