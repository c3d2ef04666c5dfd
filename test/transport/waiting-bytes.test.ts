import { expect, it } from 'vitest'
import { type Waiter, WaitingBytes } from '../../src/transport/waiting-bytes.ts'

const waiting = () => new WaitingBytes({ total: 100, each: 50, writeTimeoutMs: 1000 })

function waiter(holder: string, waitingBytes: number) {
  return {
    holder,
    waitingBytes,
    takenBytes: 0,
    isEnded: false,
    standsStill() {
      this.isEnded = true
    },
  } satisfies Waiter & { isEnded: boolean }
}

it('counts what waits for an address and in all, and forgets what has left', () => {
  const bytes = waiting()
  const [one, two] = [waiter('a', 30), waiter('a', 21)]
  bytes.note(one)
  bytes.check('a')
  bytes.note(two)
  expect(() => bytes.check('a')).toThrow('this address has 51 bytes that wait for their clients to read them')
  expect([bytes.isOver('b'), bytes.bytes, bytes.size]).toEqual([false, 51, 2])
  one.waitingBytes = 29
  bytes.note(one)
  expect([bytes.isOver('a'), bytes.bytes]).toEqual([false, 50])
  two.waitingBytes = 0
  bytes.sweep()
  expect([bytes.bytes, bytes.size]).toEqual([29, 1])
  bytes.forget(one)
  bytes.forget(one)
  expect([bytes.bytes, bytes.size]).toEqual([0, 0])
})

it('ends what stands still for so long, and nothing that drains, however slowly', () => {
  const bytes = waiting()
  const [still, slow, uncounted] = [waiter('a', 40), waiter('b', 40), waiter('c', 10)]
  uncounted.takenBytes = Number.NaN
  for (const each of [still, slow, uncounted]) bytes.note(each, 0)
  for (let now = 100; now < 1000; now += 100) {
    slow.takenBytes++
    bytes.sweep(now)
  }
  expect(still.isEnded).toBe(false)
  bytes.sweep(1000)
  expect([still.isEnded, slow.isEnded, uncounted.isEnded]).toEqual([true, false, false])
  // From its last sign on.
  bytes.sweep(1899)
  expect(slow.isEnded).toBe(false)
  bytes.sweep(1900)
  expect([slow.isEnded, uncounted.isEnded]).toEqual([true, false])
})
