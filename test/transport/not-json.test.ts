import { describe, expect, it } from 'vitest'
import { notJson, notJsonInShort } from '../../src/transport/not-json.ts'

const errorOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}

const inShort = (text: string) => notJsonInShort(text, errorOf(text))

describe('what is said of a message that is no JSON', () => {
  it('has the end of a place that is long, in as many bytes as a close has room for', () => {
    for (const [key, most] of [
      ['k'.repeat(900_000), 119],
      ['ж'.repeat(450_000), 119],
      ['👍'.repeat(225_000), 119],
      [`${'👍'.repeat(40)}k`, 119],
      ['k'.repeat(200), 119],
    ] as const) {
      const reason = inShort(`{"${key}":NaN}`)
      expect(Buffer.byteLength(reason)).toBeGreaterThan(most)
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
      const [place = ''] = reason.split(' is a bare NaN; send the string "NaN"')
      expect(place[0]).toBe('…')
      expect(key.endsWith(place.slice(1))).toBe(true)
      expect(/[\ud800-\udfff]/u.test(place)).toBe(false)
    }
    expect(inShort('{"loss":NaN}')).toBe('loss is a bare NaN; send the string "NaN"')
  })

  it('is as much where the key is as long as a message may be', () => {
    const text = `{"${'k'.repeat(1_000_000)}":{"${'v'.repeat(40_000)}":[1,Infinity]}}`
    expect(inShort(text)).toMatch(/^…v+\[1\] is a bare Infinity; send the string "Infinity"$/)
    expect(notJson(text, errorOf(text)).message).toMatch(/^k{120}… is a bare Infinity, which JSON/)
  })
})
