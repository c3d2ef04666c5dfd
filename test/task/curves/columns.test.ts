import { describe, expect, it } from 'vitest'
import { ColumnRoom } from '../../../src/task/curves/columns.ts'

describe('room for columns', () => {
  it('has, the next time, room for as many as were taken', () => {
    const room = new ColumnRoom(100)
    const first = [room.floats(60), room.integers(3)]
    expect(first.map(({ byteLength, buffer }) => buffer.byteLength - byteLength)).toEqual([0, 0])
    room.reuse()
    const [a, b, c] = [room.floats(40), room.floats(20), room.integers(3)]
    expect([a.length, b.length, c.length]).toEqual([40, 20, 3])
    expect(b.buffer).toBe(a.buffer)
    expect(b.byteOffset).toBe(a.byteLength)
    a.fill(1)
    b.fill(2)
    expect(a.every((value) => value === 1)).toBe(true)
    // What has no room any more gets its own.
    expect(room.floats(1).buffer).not.toBe(a.buffer)
    room.reuse()
    expect(room.floats(61).buffer.byteLength).toBe(61 * 8)
  })

  it('keeps no more than its bound', () => {
    const room = new ColumnRoom(100)
    for (const length of [100, 101, 5000]) {
      room.floats(length)
      room.integers(length)
      room.reuse()
    }
    expect(room.floats(100).buffer).toBe(room.floats(0).buffer)
    expect(room.floats(1).buffer.byteLength).toBe(8)
    expect(room.integers(100).buffer.byteLength).toBe(400)
    expect(room.integers(1).buffer.byteLength).toBe(4)
  })
})
