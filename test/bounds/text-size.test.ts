import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textSize } from '../../src/bounds/text-size.ts'

describe('the size of a value as text', () => {
  it('is about that of its JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
        const text = JSON.stringify(value)
        const size = textSize(value, 1e9)
        // Numbers are 1 to 25 characters long, null and true and false 4 and 5, and some characters are escaped.
        const atoms = text.match(/-?\d[\d.e+-]*|true|false|null|\\/g)?.length ?? 0
        expect(Math.abs(size - text.length)).toBeLessThanOrEqual(
          20 * atoms + (text.match(/[[{]/g)?.length ?? 0),
        )
      }),
    )
  })

  it('is at least the bound where the value does not fit, whatever else there is', () => {
    const many = Array.from({ length: 1000 }, () => 'x'.repeat(100))
    expect(textSize(many, 1e6)).toBeGreaterThan(100_000)
    expect(textSize(many, 5000)).toBeGreaterThan(5000)
    expect(textSize(many, 5000)).toBeLessThan(5200)
    expect(textSize({ metrics: many, others: many }, 5000)).toBeGreaterThan(5000)
  })

  it('counts what is shared each time that it would be written', () => {
    const metrics = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`metric_${i}`, i]))
    const one = textSize(metrics, 1e9)
    expect(textSize([metrics, metrics, metrics], 1e9)).toBeGreaterThanOrEqual(3 * one)
  })
})
