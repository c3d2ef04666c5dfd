import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quote } from '../../src/task/errors.ts'
import {
  charactersIn,
  cutToBeginning,
  cutToEnd,
  firstCharacters,
  isUpTo,
  lastCharacters,
} from '../../src/task/text.ts'

const text = fc.string({ unit: 'grapheme-composite', maxLength: 60 })

describe('characters', () => {
  it('are counted and cut as people count them, and no emoji is cut in half', () => {
    fc.assert(
      fc.property(text, fc.nat(60), (value, count) => {
        const all = [...value]
        expect(charactersIn(value)).toBe(all.length)
        expect(isUpTo(value, count)).toBe(all.length <= count)
        expect(firstCharacters(value, count)).toBe(all.slice(0, count).join(''))
        expect(lastCharacters(value, count)).toBe(count === 0 ? '' : all.slice(-count).join(''))
      }),
    )
  })

  it.each(['\ud83d', 'a\ude00', '\ude00\ud83d', '😀'.repeat(3)])('half a pair counts as one: %j', (value) => {
    expect(charactersIn(value)).toBe([...value].length)
    expect(lastCharacters(value, 1)).toBe([...value].at(-1))
  })
})

describe('a text that is too long', () => {
  it('keeps its beginning or its end, with a mark, within the bound', () => {
    const traceback = `${'File "train.py"\n'.repeat(20)}ValueError: loss is NaN 😀`
    const [beginning, end] = [cutToBeginning(traceback, 100), cutToEnd(traceback, 100)]
    expect(beginning).toMatch(/^File "train\.py"\n.* \[cut: 345 characters, at most 100\]$/s)
    expect(end).toMatch(/^\[cut: 345 characters, at most 100\] .*ValueError: loss is NaN 😀$/s)
    expect([charactersIn(beginning), charactersIn(end)]).toEqual([100, 100])
  })

  it('is quoted with its own length, not that of its JSON', () => {
    expect(quote(`"${'x'.repeat(128)}`)).toBe(`"\\"${'x'.repeat(79)}"… (129 characters)`)
    expect(quote('😀'.repeat(81))).toBe(`"${'😀'.repeat(80)}"… (81 characters)`)
    expect(quote('"'.repeat(80))).toBe(JSON.stringify('"'.repeat(80)))
    expect(quote({ a: 'x'.repeat(100) })).toMatch(/… \(108 characters\)$/)
  })
})
