import { expect, it } from 'vitest'
import { FrameMeter } from '../../../src/transport/websocket/frame-meter.ts'
import { clientFrame } from '../../support/raw-connection.ts'

const MAX = 1_000_000
/** What the meter adds for a piece, at most, to what it has of one. */
const PIECE = 128

it('knows where messages end, in however many pieces they come', () => {
  const messages = [
    clientFrame('{}'),
    clientFrame('x'.repeat(125)),
    clientFrame('x'.repeat(126)),
    clientFrame(''),
    clientFrame('ping', { opcode: 9 }),
    clientFrame('x', { isFinal: false }),
    clientFrame('', { opcode: 10 }),
    clientFrame('', { opcode: 0, isFinal: false }),
    clientFrame('end', { opcode: 0 }),
    clientFrame('x'.repeat(70_000)),
  ]
  const all = Buffer.concat(messages)
  for (const size of [1, 2, 3, 7, 1000, all.length]) {
    const meter = new FrameMeter(MAX)
    for (let at = 0; at < all.length; at += size) meter.push(all.subarray(at, at + size), at)
    expect([meter.bytes, meter.startedAt]).toEqual([0, null])
    // Nothing was lost of its place in the stream.
    meter.push(clientFrame('x'.repeat(300), { length: 1000 }), 7)
    expect(meter.startedAt).toBe(7)
    expect(meter.bytes).toBe(314 + PIECE)
  }
})

it('counts the fragments of a message from its first byte on, whatever comes between them', () => {
  const meter = new FrameMeter(MAX)
  meter.push(clientFrame('x'.repeat(500), { isFinal: false }), 1)
  const first = meter.bytes
  expect(first).toBeGreaterThanOrEqual(514)
  for (let now = 2; now < 100; now++) meter.push(clientFrame('', { opcode: 9 }), now)
  expect(meter.startedAt).toBe(1)
  meter.push(clientFrame('', { opcode: 0, isFinal: false }), 100)
  // An empty one is held, too.
  expect(meter.bytes).toBeGreaterThan(first)
  meter.push(clientFrame('', { opcode: 0 }), 101)
  expect([meter.bytes, meter.startedAt]).toEqual([0, null])
})

it('counts compressed fragments as what they may be inflated to, up to the largest message', () => {
  const meter = new FrameMeter(MAX)
  meter.push(clientFrame('x'.repeat(100), { isFinal: false, isCompressed: true }), 1)
  expect(meter.bytes).toBeGreaterThan(100_000)
  meter.push(clientFrame('x'.repeat(2000), { opcode: 0, isFinal: false }), 1)
  expect(meter.bytes).toBeLessThan(2.5 * MAX)
  expect(meter.bytes).toBeGreaterThan(MAX)
})
