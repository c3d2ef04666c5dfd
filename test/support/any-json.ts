import fc from 'fast-check'

/** What an object has without having it, and what JavaScript calls where it makes a text, a number or a promise of one. */
const SPECIAL = [
  ...['toString', 'valueOf', 'toJSON', 'constructor', 'hasOwnProperty', '__proto__', 'prototype'],
  ...['length', 'then', 'next', 'return', 'get', 'size', '0', ''],
]

const special = (maxDepth: number): fc.Arbitrary<unknown> =>
  fc.object({
    key: fc.constantFrom(...SPECIAL),
    values: [fc.constant(null), fc.boolean(), fc.integer(), fc.string({ maxLength: 5 })],
    maxDepth,
    maxKeys: 3,
  })

/** Any JSON, often with objects whose names mean something to JavaScript, which chance alone would hardly hit upon. */
export const anyJson = (maxDepth = 3): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.jsonValue({ maxDepth }) },
    { weight: 1, arbitrary: special(maxDepth) },
    { weight: 1, arbitrary: fc.array(special(maxDepth - 1), { maxLength: 3 }) },
  )
