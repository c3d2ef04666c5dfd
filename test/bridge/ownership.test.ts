import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LEASE_MS, Ownership } from '../../src/bridge/ownership.ts'
import type { Leases } from '../../src/event-log/leases.ts'
import { LocalLeases } from '../../src/event-log/local-leases.ts'

let leases: LocalLeases
let open: Ownership[]
beforeEach(() => {
  vi.useFakeTimers()
  leases = new LocalLeases(() => performance.now())
  open = []
})
afterEach(async () => {
  for (const each of open) await each.close()
  vi.useRealTimers()
})

function server(serverId: string, { isAlone = false, of = leases as Leases } = {}) {
  const errors: unknown[] = []
  let changes = 0
  const onError = (error: unknown) => errors.push(error)
  const ownership = new Ownership(of, { serverId, isAlone, onError, onChange: () => changes++ })
  open.push(ownership)
  ownership.start()
  return { ownership, errors, changes: () => changes }
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('of several servers that hear the same', () => {
  it('one has the turn, and keeps it', async () => {
    const [a, b] = [server('a'), server('b')]
    a.ownership.hearing(true)
    b.ownership.hearing(true)
    await pass(10 * LEASE_MS)
    expect([a.ownership.isOwner, b.ownership.isOwner]).toEqual([true, false])
    expect([a.ownership.isOthers, b.ownership.isOthers]).toEqual([false, true])
    expect([a.changes(), b.changes()]).toEqual([1, 0])
  })

  it('nobody has it before it hears', async () => {
    const { ownership } = server('a')
    await pass(LEASE_MS)
    expect(ownership.isOwner).toBe(false)
  })

  it('another has it within its time and a second after the first is gone', async () => {
    const [a, b] = [server('a'), server('b')]
    a.ownership.hearing(true)
    b.ownership.hearing(true)
    await pass(1000)
    a.ownership.start = () => {}
    vi.clearAllTimers()
    b.ownership.start()
    await pass(LEASE_MS + 1000)
    expect(b.ownership.isOwner).toBe(true)
    // By its own clock the first knows that it has no turn any more.
    expect(a.ownership.isOwner).toBe(false)
  })

  it('one that stops gives its turn away', async () => {
    const [a, b] = [server('a'), server('b')]
    a.ownership.hearing(true)
    b.ownership.hearing(true)
    await pass(1000)
    await a.ownership.close()
    await pass(1001)
    expect(b.ownership.isOwner).toBe(true)
  })

  it('one that missed something leaves the next turn to another', async () => {
    const [a, b] = [server('a'), server('b')]
    a.ownership.hearing(true)
    b.ownership.hearing(true)
    await pass(1000)
    a.ownership.hearing(false)
    a.ownership.hearing(true)
    expect(a.ownership.isOwner).toBe(false)
    await pass(LEASE_MS + 1000)
    expect([a.ownership.isOwner, b.ownership.isOwner]).toEqual([false, true])
  })

  it('one that nobody else replaces has its turn again', async () => {
    const { ownership } = server('a')
    ownership.hearing(true)
    await pass(1000)
    ownership.hearing(false)
    ownership.hearing(true)
    await pass(LEASE_MS + 3000)
    expect(ownership.isOwner).toBe(true)
  })
})

it('a server that is alone has its turn as soon as it hears', async () => {
  const { ownership } = server('a', { isAlone: true })
  ownership.hearing(true)
  await pass(0)
  expect([ownership.isOwner, ownership.since]).toEqual([true, null])
  ownership.hearing(false)
  expect(ownership.isOwner).toBe(false)
  ownership.hearing(true)
  expect(ownership.isOwner).toBe(true)
})

it('a turn that cannot be renewed ends by itself, and is nobody else’s as far as is known', async () => {
  let isAway = false
  const of: Leases = {
    lease: async (...args) => {
      if (isAway) throw new Error('away')
      return leases.lease(...args)
    },
    isLeased: (name) => leases.isLeased(name),
  }
  const { ownership, errors, changes } = server('a', { of })
  ownership.hearing(true)
  await pass(1000)
  isAway = true
  await pass(2 * LEASE_MS)
  expect([ownership.isOwner, ownership.isOthers, changes()]).toEqual([false, false, 2])
  expect(errors.length).toBeGreaterThan(0)
  isAway = false
  await pass(1000)
  expect(ownership.isOwner).toBe(true)
})
