import { describe, expect, it } from 'vitest'
import { subjectHolder } from '../../src/bounds/holders.ts'
import { Shares } from '../../src/bounds/shares.ts'

const shares = () =>
  new Shares({
    what: 'open streams',
    total: 4,
    each: 2,
    code: 'TOO_MANY_SUBSCRIPTIONS',
    settings: { total: 'MAX_STREAMS', each: 'MAX_STREAMS_PER_ADDRESS' },
  })

describe('shares', () => {
  it('give each holder its own places, and all of them no more than there are', () => {
    const streams = shares()
    for (const holder of ['a', 'a', 'b', 'b']) streams.take([holder])
    expect(() => streams.take(['c'])).toThrow(
      'the server has 4 open streams; expected at most 4 (MAX_STREAMS)',
    )
  })

  it('refuse a holder that has its share, and nobody else', () => {
    const streams = shares()
    streams.take(['a'])
    streams.take(['a'])
    expect(() => streams.take(['a'])).toThrow(
      'this address has 2 open streams; expected at most 2 (MAX_STREAMS_PER_ADDRESS)',
    )
    streams.take(['b'])
    streams.give(['a'])
    streams.take(['a'])
    expect(streams.count).toBe(3)
  })

  it('do not bound the server itself by a share', () => {
    const streams = shares()
    for (let i = 0; i < 4; i++) streams.take([])
    expect(() => streams.take([])).toThrow('the server has 4')
  })

  it('count for an address and for a subject, and take a place of both or of neither', () => {
    const streams = shares()
    const [alice, bob] = [subjectHolder('alice'), subjectHolder('bob')]
    streams.take(['a', alice])
    streams.take(['b', alice])
    expect(() => streams.take(['a', alice])).toThrow('this subject has 2 open streams; expected at most 2')
    // Of the address nothing was taken.
    streams.take(['a', bob])
    expect(() => streams.take(['a', bob])).toThrow('this address has 2 open streams')
    expect(streams.count).toBe(3)
  })

  it('take several places, or none', () => {
    const streams = shares()
    expect(() => streams.take(['a'], 3)).toThrow('this address has 0')
    streams.take(['a'], 2)
    expect(() => streams.take(['a'])).toThrow('this address has 2')
    streams.give(['a'], 2)
    expect(streams.count).toBe(0)
  })
})
