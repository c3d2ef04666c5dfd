import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainLines, plainText, spansOf } from '../../clients/dashboard/output/ansi.ts'
import { partsOf, patternOf } from '../../clients/dashboard/output/find.ts'

const esc = (code: string) => `\u001b${code}`
const textOf = (text: string) =>
  spansOf(text)
    .map((span) => span.text)
    .join('')

describe('a printed line', () => {
  it.each([
    ['text', 'a <b> & "c"', 'a <b> & "c"'],
    ['colours', `${esc('[1;31m')}red${esc('[0m')} plain`, 'red plain'],
    ['a title of the window', `a${esc(']0;title\u0007')}b`, 'ab'],
    ['a link', `${esc(']8;;https://example.com\u001b\\')}here${esc(']8;;\u001b\\')}`, 'here'],
    ['a title without an end', `a${esc(']0;title')}`, 'a'],
    ['a cursor that moves', `${esc('[2J')}${esc('[10;10H')}x${esc('[?25l')}`, 'x'],
    ['colours of another notation', `${esc('[38:2::255:0:0m')}x`, 'x'],
    ['half an escape code', `x${esc('[3')}`, 'x'],
    ['half of one before colours', `${esc('[3')}${esc('[1m')}x`, 'x'],
    ['a code that is none', `${esc('[ 0')}x`, '0x'],
    ['a code in another', `${esc(esc('[\\['))}x`, '[x'],
    ['an escape alone', `x${esc('')}`, 'x'],
    ['a character set', `${esc('(B')}x`, 'x'],
    ['control characters', 'a\u0000\u0008\u009bb\u202ec', 'a b c'],
    ['tabs', 'a\tb', 'a\tb'],
    ['nothing', '', ''],
  ])('is text without escape codes: %s', (_, text, plain) => {
    expect(plainText(text)).toBe(plain)
    expect(textOf(text)).toBe(plain)
  })

  it('has the colours and weights of its escape codes, which end where they say', () => {
    const spans = spansOf(
      `${esc('[32m')}a${esc('[1m')}b${esc('[K')}c${esc('[22;39m')}d${esc('[48;5;21;38;2;1;2;3m')}e${esc('[0;7m')}f`,
    )
    const looks = spans.map(({ text, color, background, isBold, isInverse }) => [
      ...[text, color, background, isBold, isInverse],
    ])
    expect(looks).toEqual([
      ['a', 'rgb(0, 187, 0)', null, false, false],
      ['bc', 'rgb(0, 187, 0)', null, true, false],
      ['d', null, null, false, false],
      ['e', 'rgb(1, 2, 3)', 'rgb(0, 0, 255)', false, false],
      ['f', null, null, false, true],
    ])
  })

  it('of whatever is printed, no control character is left, and colours are numbers', () => {
    const pieces = fc.constantFrom(
      ...[
        '\u001b',
        '[',
        ']',
        '0;',
        '38;2;',
        '300;',
        ';',
        ':',
        'm',
        'K',
        '\u0007',
        '<',
        'x',
        '\u202e',
        '7',
        '48;5;',
        '\u009b',
        '\\',
      ],
    )
    const texts = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 40 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts, (text) => {
        for (const { text: shown, color, background } of spansOf(text)) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
          expect(shown).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e]/)
          for (const value of [color, background])
            expect(value ?? 'rgb(0, 0, 0)').toMatch(/^rgb\(\d+, ?\d+, ?\d+\)$/)
        }
        expect(textOf(text)).toBe(plainText(text))
      }),
    )
  })

  it('several lines of it are the last states of those that are drawn over themselves', () => {
    expect(plainLines(`10 %\r 50 %\r${esc('[32m')}100 %${esc('[0m')}\r\nnext\n`)).toBe('100 %\nnext\n')
  })
})

describe('a search', () => {
  const found = (text: string, wanted: string) =>
    partsOf(spansOf(text), patternOf(wanted)).map((part) => (part.isMatch ? `[${part.text}]` : part.text))
  it.each([
    ['in any case', 'A needle, a NEEDLE', 'needle', ['A ', '[needle]', ', a ', '[NEEDLE]']],
    ['over a change of colours', `nee${esc('[31m')}dle${esc('[0m')}!`, 'needle', ['[nee]', '[dle]', '!']],
    ['of what means something in patterns', 'f(x) = [a-b]*\\', '[a-b]*\\', ['f(x) = ', '[[a-b]*\\]']],
    ['of whole characters', '😀 a 😀', '😀', ['[😀]', ' a ', '[😀]']],
    ['of nothing', 'all of it', '', ['all of it']],
  ])('finds %s', (_, text, wanted, parts) => {
    expect(found(text, wanted)).toEqual(parts)
  })
})
