import { describe, expect, it } from 'vitest'
import { OutputLines } from '../../clients/output/output-lines.ts'
import { Redaction } from '../../clients/output/redaction.ts'
import { Random } from '../soak/random.ts'
import { testSeed, withSeed } from '../support/seed.ts'

const SECRET = 'eyJhbGciOiJIUzI1NiJ9.e30.signature'
const MAX_BYTES = 64

interface Line {
  readonly text: string
  readonly isCut: boolean
}

function linesOf(
  chunks: readonly (string | Buffer)[],
  pauseAfter: readonly number[] = [],
  maxBytes = MAX_BYTES,
): Line[] {
  const found: Line[] = []
  const lines = new OutputLines({
    maxBytes,
    redaction: new Redaction([SECRET, null, 'short']),
    onLine: (text, isCut) => found.push({ text, isCut }),
  })
  for (const [i, chunk] of chunks.entries()) {
    lines.push(Buffer.from(chunk as string), i)
    if (pauseAfter.includes(i)) lines.endPause()
  }
  lines.end()
  return found
}

const textsOf = (...chunks: (string | Buffer)[]): string[] => linesOf(chunks).map(({ text }) => text)

describe('lines of a stream', () => {
  it('are what lies between line ends, and the rest', () => {
    expect(linesOf(['one\n\ntwo\r\nrest'])).toEqual(
      ['one', '', 'two', 'rest'].map((text) => ({ text, isCut: false })),
    )
    expect(textsOf('')).toEqual([])
    expect(textsOf('one\n')).toEqual(['one'])
  })

  it('are the last state of what is drawn over itself', () => {
    expect(textsOf('\r 10 %\r 50 %\r100 %\nnext\n')).toEqual(['100 %', 'next'])
    expect(textsOf('10 %\r', '50 %\r', '\n')).toEqual(['50 %'])
    expect(textsOf('10 %\r', '\r', 'x')).toEqual(['x'])
    expect(textsOf('\r\r\n')).toEqual([''])
    // As a terminal that clears the line, not one on which the longer state would show behind the shorter.
    expect(textsOf('longer\rshort\n')).toEqual(['short'])
  })

  it('have U+FFFD for what is no UTF-8, wherever chunks end, and keep escape codes', () => {
    expect(textsOf(Buffer.from([0x61, 0xff, 0x62, 0xc3, 0x0a]))).toEqual(['a\ufffdb\ufffd'])
    expect(textsOf(Buffer.from([0xf0, 0x9f]), Buffer.from([0x98, 0x80, 0x0a]))).toEqual(['\ud83d\ude00'])
    expect(textsOf('\u001b[31mred\u001b[0m \u0000\n')).toEqual(['\u001b[31mred\u001b[0m \u0000'])
  })

  it('come in marked pieces where they are too long, to the byte', () => {
    const long = 'x'.repeat(MAX_BYTES)
    expect(linesOf([`${long}\n`])).toEqual([{ text: long, isCut: false }])
    expect(linesOf([`${long}y\n`])).toEqual([
      { text: long, isCut: true },
      { text: 'y', isCut: false },
    ])
    // Between two characters.
    expect(linesOf([`${'é'.repeat(MAX_BYTES)}\n`])).toEqual([
      { text: 'é'.repeat(MAX_BYTES / 2), isCut: true },
      { text: 'é'.repeat(MAX_BYTES / 2), isCut: false },
    ])
    expect(linesOf([`x${'é'.repeat(MAX_BYTES / 2)}\n`])).toEqual([
      { text: `x${'é'.repeat(MAX_BYTES / 2 - 1)}`, isCut: true },
      { text: 'é', isCut: false },
    ])
  })

  it('come in pieces where they have no end for a while, and their end is not told twice', () => {
    expect(linesOf(['Name? ', 'Ada\n'], [0])).toEqual([
      { text: 'Name? ', isCut: true },
      { text: 'Ada', isCut: false },
    ])
    expect(linesOf(['Waiting …', '\n', 'next\n'], [0])).toEqual([
      { text: 'Waiting …', isCut: true },
      { text: 'next', isCut: false },
    ])
    // What is drawn over itself is told as it is, and again as it ends.
    expect(linesOf(['\r10 %', '\r20 %\n'], [0])).toEqual([
      { text: '10 %', isCut: true },
      { text: '20 %', isCut: false },
    ])
  })

  it('never have a secret, nor a part of it, however it is cut', () => {
    const text = `token=${SECRET}; ${SECRET}${SECRET}\n`
    const redacted = 'token=[redacted]; [redacted][redacted]'
    for (let at = 0; at <= text.length; at++) {
      const found = linesOf([text.slice(0, at), text.slice(at)], [0])
      expect(found.map(({ text }) => text).join('')).toBe(redacted)
    }
    for (let before = 0; before < MAX_BYTES; before++)
      expect(textsOf(`${'x'.repeat(before)}${SECRET}\n`).join('')).toBe(`${'x'.repeat(before)}[redacted]`)
    // What only begins as one is told.
    expect(linesOf([SECRET.slice(0, -1), 'X\n'], [0])).toEqual([
      { text: `${SECRET.slice(0, -1)}X`, isCut: false },
    ])
  })

  it.each([
    ['of long lines', MAX_BYTES, ['\n', 'é']],
    ['of lines that are drawn over themselves', 100_000, ['\n', '\r', '\r\n']],
  ])('are the same however the stream is cut into chunks, %s', (name, maxBytes, ends) =>
    withSeed(testSeed, async (seed) => {
      const random = new Random(seed, name)
      const pieces = [...ends, 'é', '\ud83d\ude00', SECRET, 'x'.repeat(50), '\u001b[1m', '%', ' ']
      const text = Array.from({ length: 2000 }, () => random.pick(pieces)).join('')
      const bytes = Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xe2, 0x82, 0x0a])])
      const whole = linesOf([bytes], [], maxBytes)
      expect(whole.length).toBeGreaterThan(100)
      for (let round = 0; round < 20; round++) {
        const chunks: Buffer[] = []
        for (let at = 0; at < bytes.length; ) {
          const to = at + random.whole(1, 40)
          chunks.push(bytes.subarray(at, to))
          at = to
        }
        expect(linesOf(chunks, [], maxBytes)).toEqual(whole)
      }
    }),
  )
})
