import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isExact as isExactOnCommandLine } from '../../clients/cli/exact-numbers.ts'
import {
  InexactNumber,
  isExact,
  mayBeInexact,
  parseJson,
  parseText,
  TooManyContainersError,
} from '../../src/task/json.ts'
import { LIMITS } from '../../src/task/limits.ts'

const EXACT = [
  '0',
  '-0',
  '-0.0',
  '0e999',
  '9007199254740991',
  '-9007199254740991',
  '9007199254740992',
  '9007199254740992.0',
  '100000000000000000000',
  '1e22',
  '1E+30',
  '1.7976931348623157e308',
  '5e-324',
  '12345678901234567000',
  // As a printf of doubles has them.
  '12345678901234567168.000000',
  '1.2345678901234567e+19',
  '1.1529215046068470e+18',
  // Fractions are rounded by everybody.
  '0.1000000000000000055511151231257827021181583404541015625',
  '-0.1234567890123456789012345678901234567890',
  '9007199254740993.5',
  '12345678901234567.25',
]
const INEXACT = [
  '9007199254740993',
  '-9007199254740993',
  '9007199254740993.0',
  '9.007199254740993e15',
  '12345678901234567890',
  '18446744073709551615',
  // A double, but one that JSON writes as 18446744073709552000.
  '18446744073709551616',
  '1000000000000000019884624838656',
  '1e400',
  '-1e309',
  '1.7976931348623159e308',
  '1e-400',
  '2e-324',
  `0.${'0'.repeat(400)}1`,
  '1'.repeat(400),
]

describe('a number in JSON', () => {
  it.each(EXACT)('%s is taken as it is', (text) => {
    expect(isExact(text)).toBe(true)
    expect(parseJson(`{"a":[${text}]}`)).toEqual({ a: [Number(text)] })
  })

  it.each(INEXACT)('%s keeps its text', (text) => {
    expect(isExact(text)).toBe(false)
    for (const json of [`{"a":[${text}]}`, `{ "a" : [\n${text}\t] }`])
      expect(parseJson(json)).toEqual({ a: [new InexactNumber(text)] })
    expect(parseJson(text.padStart(text.length + 1))).toEqual(new InexactNumber(text))
  })

  it.each([...EXACT, ...INEXACT])('%s is judged alike on the command line', (text) => {
    expect(isExactOnCommandLine(text)).toBe(isExact(text))
  })

  it('is exact wherever a program wrote a double', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(double, fc.integer({ min: 17, max: 30 }), (value, precision) => {
        expect(isExact(JSON.stringify(value))).toBe(true)
        const text = value.toPrecision(precision)
        if (/[.e]/.test(text)) expect(isExact(text)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  it('beside others and in strings leaves them as JSON.parse has them', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, text) => {
        const hidden = `${text}, 9007199254740993, "[1e400]" \\`
        const json = JSON.stringify([value, hidden, { [hidden]: 1 }])
        expect(parseJson(json)).toEqual(JSON.parse(json))
        expect(parseJson(`[${json},1e400]`)).toEqual([JSON.parse(json), new InexactNumber('1e400')])
      }),
    )
  })

  it('may stand under a name that objects have of their own', () => {
    const { value } = parseJson('{"value":{"__proto__":9007199254740993,"toJSON":1e400}}') as {
      value: object
    }
    expect(Object.entries(value)).toEqual([
      ['__proto__', new InexactNumber('9007199254740993')],
      ['toJSON', new InexactNumber('1e400')],
    ])
  })

  it('is looked for in texts of any depth and length', () => {
    const deep = `${'['.repeat(5000)}1e400${']'.repeat(5000)}`
    let inner = parseJson(deep)
    while (Array.isArray(inner)) inner = inner[0]
    expect(inner).toEqual(new InexactNumber('1e400'))
    const long = JSON.stringify('\\"'.repeat(1_000_000))
    expect(parseJson(`[${long},1e400]`)).toEqual([JSON.parse(long), new InexactNumber('1e400')])
  })

  it('is not looked for in ordinary reports', () => {
    const report = { taskId: '550e8400-e29b-41d4-a716-446655440000', timestamp: '2026-11-21T10:30:15.123Z' }
    const metrics = { loss: Math.PI / 10, lr: 1e-5, tiny: 1.2345678901234567e-12, tokens: 123_456_789_012 }
    expect(mayBeInexact(JSON.stringify({ ...report, metrics }))).toBe(false)
  })
})

describe('a text from outside', () => {
  const { jsonContainers } = LIMITS
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

  it('is parsed with as many lists and objects as it may have, and no more', () => {
    const half = jsonContainers / 2
    const objects = `{"a":${'{"a":'.repeat(half - 1)}0${'}'.repeat(half)}`
    expect(parseText(`[${nested(half - 1)},${objects}]`)).toHaveLength(2)
    for (const parse of [parseText, parseJson]) {
      expect(() => parse(`[${nested(half)},${objects}]`)).toThrow(TooManyContainersError)
      // Beside one another, too, and whether or not it is whole.
      expect(() => parse(`[${'[],'.repeat(jsonContainers)}0]`)).toThrow(TooManyContainersError)
      expect(() => parse('['.repeat(1_000_000))).toThrow(TooManyContainersError)
    }
  })

  it('may have any brackets in its strings', () => {
    const text = ['"[]', '\\', '[{'.repeat(jsonContainers)]
    expect(parseText(JSON.stringify(text))).toEqual(text)
    expect(parseText(JSON.stringify({ [text.join('')]: text }))).toEqual({ [text.join('')]: text })
  })

  it('without an end says so', () => {
    const open = `[0,"${'['.repeat(jsonContainers + 1)}`
    expect(() => parseText(open)).toThrow(SyntaxError)
    expect(() => parseText(open)).not.toThrow(TooManyContainersError)
  })
})
