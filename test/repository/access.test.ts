import { describe, expect, it } from 'vitest'
import { ANYONE, authorize, type Caller, mayRead, prefixesOf, SCOPES } from '../../src/repository/access.ts'

const key = { channelPrefix: 'ml:training', id: 't1' }
const reporter: Caller = {
  subject: 'trainer 7',
  address: null,
  scopes: new Set(['tasks:report']),
  taskIds: new Set(['t1']),
  channelPrefixes: new Set(['ml:training']),
  expiresAt: 2000,
}

describe('a caller', () => {
  it('without authentication may do everything', () => {
    for (const scope of SCOPES) authorize(ANYONE, scope, key)
    expect(mayRead(ANYONE, key)).toBe(true)
    expect(prefixesOf(ANYONE, ['a', 'b'])).toEqual(['a', 'b'])
  })

  it('may do what its scopes, tasks and prefixes allow, up to its expiry', () => {
    authorize(reporter, 'tasks:report', key, 1999)
    authorize(reporter, 'tasks:report', {}, 1999)
    expect(mayRead(reporter, key)).toBe(true)
    expect(prefixesOf(reporter, ['gan:training', 'ml:training'])).toEqual(['ml:training'])
  })

  it.each([
    ['another scope', 'tasks:read', key, 1000, 'lacks the scope tasks:read'],
    ['another task', 'tasks:report', { ...key, id: 't2' }, 1000, 'not for task "t2"'],
    ['another prefix', 'tasks:report', { ...key, channelPrefix: 'x' }, 1000, 'not for channelPrefix "x"'],
    ['an expired token', 'tasks:report', key, 2000, 'expired at 1970-01-01T00:00:02.000Z'],
  ] as const)('is refused for %s, and told why', (_, scope, where, now, reason) => {
    let refusal: unknown
    try {
      authorize(reporter, scope, where, now)
    } catch (error) {
      refusal = error
    }
    expect(refusal).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining(reason) })
    expect(refusal).toMatchObject({ message: expect.stringContaining('"trainer 7" may not') })
  })

  it('does not see tasks of others in lists', () => {
    expect(mayRead(reporter, { ...key, id: 't2' })).toBe(false)
    expect(mayRead(reporter, { ...key, channelPrefix: 'gan:training' })).toBe(false)
  })
})
