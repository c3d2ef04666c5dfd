import { describe, expect, it } from 'vitest'
import {
  ANYONE,
  accountOf,
  authorize,
  authorizeStart,
  type Caller,
  checkLabels,
  holdersOf,
  NOBODY,
  prefixesOf,
  reaches,
  reachesAll,
  reachesAtLeast,
  SCOPES,
} from '../../src/repository/access.ts'

const task = {
  channelPrefix: 'ml:training',
  id: 't1',
  createdAt: 1000,
  labels: { team: 'vision', nested: { team: 'audio' } },
}
const reporter: Caller = {
  ...ANYONE,
  subject: 'trainer 7',
  scopes: new Set(['tasks:report', 'tasks:start']),
  taskIds: new Set(['t1']),
  channelPrefixes: new Set(['ml:training']),
  expiresAt: 2000,
}
const withLabels = (labels: Record<string, readonly (string | number | boolean)[]>): Caller => ({
  ...ANYONE,
  labels: new Map(Object.entries(labels).map(([name, values]) => [name, new Set(values)])),
})

function refusalOf(act: () => void): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return 'none'
}

describe('a caller', () => {
  it('without authentication may do everything', () => {
    for (const scope of SCOPES) authorize(ANYONE, scope)
    expect(reaches(ANYONE, task)).toBe(true)
    expect(reachesAll(ANYONE)).toBe(true)
    expect(prefixesOf(ANYONE, ['a', 'b'])).toEqual(['a', 'b'])
  })

  it('that has shown no token may do nothing, not even what needs no scope', () => {
    for (const scope of [...SCOPES, null]) {
      expect(refusalOf(() => authorize(NOBODY, scope))).toMatchObject({
        code: 'UNAUTHENTICATED',
        details: { reason: 'missing' },
      })
    }
  })

  it('may do what its scopes allow, up to its expiry', () => {
    authorize(reporter, 'tasks:report', 1999)
    expect(refusalOf(() => authorize(reporter, 'tasks:read', 1999))).toMatchObject({
      code: 'FORBIDDEN',
      message: '"trainer 7" may not read tasks: the token lacks the scope tasks:read',
    })
    expect(refusalOf(() => authorize(reporter, null, 2000))).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'the token expired at 1970-01-01T00:00:02.000Z',
      details: { reason: 'expired' },
    })
  })

  it.each([
    ['another task', reporter, { ...task, id: 't2' }],
    ['its id, of another start', { ...ANYONE, taskCreatedAt: 999 }, task],
    ['another prefix', reporter, { ...task, channelPrefix: 'gan:training' }],
    ['another label', withLabels({ team: ['audio'] }), task],
    ['one of two labels', withLabels({ team: ['vision'], stage: ['prod'] }), task],
    ['a label of another type', withLabels({ n: ['1'] }), { ...task, labels: { n: 1 } }],
    ['a label that every object has', withLabels({ constructor: ['x'] }), task],
    ['labels that are a list', withLabels({ '0': ['vision'] }), { ...task, labels: ['vision'] }],
    ['no labels', withLabels({ team: ['vision'] }), { ...task, labels: null }],
  ])('does not reach a task with %s', (_, caller, other) => {
    expect(reaches(caller, other)).toBe(false)
    expect(reachesAll(caller)).toBe(false)
  })

  it('reaches tasks with any of the values that its labels may have', () => {
    expect(reaches(withLabels({ team: ['audio', 'vision'] }), task)).toBe(true)
  })

  it('starts tasks only within its own reach', () => {
    expect(refusalOf(() => authorizeStart(reporter, task))).toMatchObject({ code: 'FORBIDDEN' })
    const ofPrefix = { ...reporter, taskIds: null }
    authorizeStart(ofPrefix, task)
    expect(refusalOf(() => authorizeStart(ofPrefix, { ...task, channelPrefix: 'x' }))).toMatchObject({
      code: 'FORBIDDEN',
      message: '"trainer 7" may not start trainings: the token is not for channelPrefix "x"',
    })
    expect(refusalOf(() => checkLabels(withLabels({ team: ['a', 'b'] }), 'tasks:write', null))).toMatchObject(
      {
        message:
          'this caller may not change tasks: the token is only for tasks with the labels team "a" or "b"',
      },
    )
  })

  it('uses the share of its subject, and that of its address with it', () => {
    const alice = { subject: 'alice', address: '10.0.0.1' }
    expect(holdersOf(alice)).toEqual(['10.0.0.1', 'subject alice'])
    expect(accountOf(alice)).toBe('subject alice')
    expect(accountOf({ subject: null, address: '10.0.0.1' })).toBe('10.0.0.1')
    expect(holdersOf(ANYONE)).toEqual([])
  })

  it.each([
    ['the same', reporter, reporter, true],
    ['a later end', { ...reporter, expiresAt: 9000 }, reporter, true],
    ['all tasks', { ...reporter, taskIds: null }, reporter, true],
    ['a scope less', { ...reporter, scopes: new Set(['tasks:report']) } as Caller, reporter, false],
    ['another task', { ...reporter, taskIds: new Set(['t2']) }, reporter, false],
    ['another subject', { ...reporter, subject: 'x' }, reporter, false],
    ['labels that were not asked for', withLabels({ team: ['a'] }), ANYONE, false],
    ['more values of a label', withLabels({ team: ['a', 'b'] }), withLabels({ team: ['a'] }), true],
    ['fewer values of a label', withLabels({ team: ['a'] }), withLabels({ team: ['a', 'b'] }), false],
  ])('may go on with a token that gives %s: %#', (_, caller, before, may) => {
    expect(reachesAtLeast(caller, before)).toBe(may)
  })
})
