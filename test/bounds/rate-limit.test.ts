import { describe, expect, it } from 'vitest'
import { RateLimit } from '../../src/bounds/rate-limit.ts'

const limit = (rate = { perSecond: 10, burst: 3 }, maxKeys?: number) =>
  new RateLimit('calls of one address', rate, 'EPOCHCAST_CALLS', maxKeys)

describe('a rate limit', () => {
  it('lets a burst pass, and then so many a second', () => {
    const calls = limit()
    expect([0, 1, 2].map(() => calls.waitMs('a', 1, 0))).toEqual([0, 0, 0])
    expect(calls.waitMs('a', 1, 0)).toBe(100)
    expect(calls.waitMs('a', 1, 99)).toBe(1)
    expect(calls.waitMs('a', 1, 100)).toBe(0)
    expect(calls.waitMs('a', 1, 100)).toBe(100)
  })

  it('counts each key by itself', () => {
    const calls = limit()
    expect(calls.waitMs('a', 3, 0)).toBe(0)
    expect(calls.waitMs('b', 3, 0)).toBe(0)
    expect(calls.waitMs('a', 1, 0)).toBeGreaterThan(0)
  })

  it('takes all or none, and saves no more than a burst', () => {
    const calls = limit()
    expect(calls.waitMs('a', 2, 0)).toBe(0)
    expect(calls.waitMs('a', 2, 0)).toBe(100)
    expect(calls.waitMs('a', 1, 0)).toBe(0)
    expect(calls.waitMs('a', 3, 3_600_000)).toBe(0)
    expect(calls.waitMs('a', 1, 3_600_000)).toBe(100)
  })

  it('takes more than a burst where there is all of one, and then lets nothing pass until it is paid', () => {
    const calls = limit()
    expect(calls.waitMs('a', 10, 0)).toBe(0)
    // Seven are owed, and one is to be there.
    expect(calls.waitMs('a', 1, 0)).toBe(800)
    expect(calls.waitMs('a', 10, 900)).toBe(100)
    expect(calls.waitMs('a', 10, 1000)).toBe(0)
  })

  it('says what was too much, how much is allowed, by what name, and when to come back', () => {
    const calls = limit()
    calls.take('a', 3, 0)
    expect(() => calls.take('a', 1, 50)).toThrow(
      expect.objectContaining({
        code: 'RATE_LIMITED',
        message:
          'too many calls of one address; expected at most 10 a second and 3 at once (EPOCHCAST_CALLS). Try again in 50 ms',
        extensions: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 50 },
      }),
    )
  })

  it('remembers so many keys and no more', () => {
    const calls = limit(undefined, 2)
    for (const key of ['a', 'b', 'c']) calls.take(key, 3, 0)
    expect(calls.size).toBe(2)
    expect(calls.waitMs('c', 1, 0)).toBe(100)
  })
})
