import { expect, it } from 'vitest'
import { LocalLeases } from '../../src/event-log/local-leases.ts'

// What they promise as leases is in the contract of the engines.
it('leases that have ended take no room, however many there were', async () => {
  let now = 0
  const leases = new LocalLeases(() => now)
  expect(await leases.lease('kept', 'first', 1_000_000)).toBe(true)
  // As of tickets, each of which is another.
  for (let i = 0; i < 10_000; i++) {
    expect(await leases.lease(`ticket:${i}`, 'one', 50)).toBe(true)
    expect(await leases.lease(`ticket:${i}`, 'another', 50)).toBe(false)
    now++
  }
  expect(leases.size).toBeLessThan(250)
  expect(await leases.lease('kept', 'second', 1)).toBe(false)
  expect(await leases.lease('ticket:0', 'another', 50)).toBe(true)
})
