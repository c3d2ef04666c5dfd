import { expect, it } from 'vitest'
import { OutputTail } from '../../clients/output/output-tail.ts'

const tailOf = (maxBytes: number, ...chunks: string[]): string => {
  const tail = new OutputTail(maxBytes)
  for (const chunk of chunks) tail.push(Buffer.from(chunk))
  return tail.toString()
}

it('keeps all of what fits, to the byte', () => {
  expect(tailOf(10, '12345', '67890')).toBe('1234567890')
  expect(tailOf(10, 'abc\n')).toBe('abc')
  expect(tailOf(10)).toBe('')
})

it('keeps the newest of what does not, from a whole line on', () => {
  expect(tailOf(10, 'first\n', 'second\nthird\n')).toBe('…third')
  expect(tailOf(10, 'x'.repeat(100))).toBe(`…${'x'.repeat(10)}`)
})

it('holds no more than it must', () => {
  const tail = new OutputTail(100)
  for (let i = 0; i < 10_000; i++) tail.push(Buffer.from(`line ${i}\n`))
  expect(tail.toString().length).toBeLessThanOrEqual(101)
  expect(tail.toString()).toMatch(/line 9999$/)
})
