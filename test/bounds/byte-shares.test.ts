import { expect, it } from 'vitest'
import { ByteShares } from '../../src/bounds/byte-shares.ts'

const shares = () =>
  new ByteShares({
    what: 'bytes that wait',
    total: 100,
    each: 60,
    settings: { total: 'TOTAL', each: 'EACH' },
    retryAfterMs: 500,
  })

it('one holder may have its share to the last byte, and is refused beyond, the others not', () => {
  const bytes = shares()
  bytes.add('a', 60)
  bytes.check('a')
  bytes.add('a', 1)
  expect(() => bytes.check('a')).toThrow(
    'this address has 61 bytes that wait; expected at most 60 (EACH). Try again in 500 ms',
  )
  expect(bytes.refusal('a').extensions).toEqual({ code: 'OVERLOADED', retryable: true, retryAfterMs: 500 })
  bytes.check('b')
})

it('all of them together have the whole and no more', () => {
  const bytes = shares()
  bytes.add('a', 50)
  bytes.add('b', 50)
  bytes.check('c')
  bytes.add('b', 1)
  expect(() => bytes.check('c')).toThrow('the server has 101 bytes that wait; expected at most 100 (TOTAL)')
  bytes.add('a', -50)
  bytes.check('c')
  expect([bytes.bytes, bytes.bytesOf('a'), bytes.bytesOf('b')]).toEqual([51, 0, 51])
})
