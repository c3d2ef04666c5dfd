import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cursorPrefix, decodeCursor, encodeCursor, isCursor } from '../../src/task/position.ts'

const key = { channelPrefix: 'gan:training', id: '550e8400-e29b-41d4-a716-446655440000' }
const other = { ...key, id: '550e8400-e29b-41d4-a716-446655440001' }

it('a cursor leads back to its position', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/),
      fc.nat({ max: 2 ** 31 }),
      (generation, offset) => {
        const cursor = encodeCursor(key, { generation, offset })
        expect(isCursor(cursor)).toBe(true)
        expect(decodeCursor(key, cursor)).toEqual({ generation, offset })
        expect(cursor).toBe(cursorPrefix(key, generation) + offset.toString(36))
      },
    ),
  )
})

it('a cursor of another task is refused as such', () => {
  const cursor = encodeCursor(other, { generation: 'g', offset: 3 })
  expect(() => decodeCursor(key, cursor)).toThrow(expect.objectContaining({ code: 'CURSOR_OF_ANOTHER_TASK' }))
})

it('no other text is a cursor', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!isCursor(text))
      expect(() => decodeCursor(key, text)).toThrow(expect.objectContaining({ code: 'BAD_CURSOR' }))
    }),
  )
})
