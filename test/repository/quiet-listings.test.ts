import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LISTING_INTERVAL_MS, type Listing, listingOf } from '../../src/event-log/listing.ts'
import { QuietListings } from '../../src/repository/quiet-listings.ts'
import { newState, range } from '../support/tasks.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const listing = (serial: number, status: Listing['status'] = 'RUNNING'): Listing =>
  listingOf({ state: { ...newState(), status }, top: { generation: 'g', offset: 1 }, serial, revision: 0 })

function open() {
  const looked: number[] = []
  const quiet = new QuietListings(async (serial) => {
    looked.push(serial)
  })
  return { quiet, looked }
}

it('a task that was listed and not again is looked at once, when its writer would have listed it', async () => {
  const { quiet, looked } = open()
  quiet.note(listing(1))
  await vi.advanceTimersByTimeAsync(LISTING_INTERVAL_MS)
  quiet.note(listing(2))
  expect(looked).toEqual([])
  await vi.advanceTimersByTimeAsync(2000)
  expect(looked).toEqual([1])
  await vi.advanceTimersByTimeAsync(LISTING_INTERVAL_MS)
  expect(looked).toEqual([1, 2])
  await vi.advanceTimersByTimeAsync(10 * LISTING_INTERVAL_MS)
  expect(looked).toEqual([1, 2])
  expect([quiet.count, vi.getTimerCount()]).toEqual([0, 0])
})

it('one that is listed again in time is not, nor one that has ended or is gone', async () => {
  const { quiet, looked } = open()
  for (const serial of [1, 2, 3]) quiet.note(listing(serial))
  for (const _ of range(1, 5)) {
    await vi.advanceTimersByTimeAsync(LISTING_INTERVAL_MS)
    quiet.note(listing(1))
    quiet.note(listing(2, 'SUCCESS'))
    quiet.forget(3)
  }
  expect(looked).toEqual([])
  expect(quiet.count).toBe(1)
})

it('many of them are looked at some each second, in the order in which they were listed', async () => {
  const { quiet, looked } = open()
  for (const serial of range(1, 450)) quiet.note(listing(serial))
  await vi.advanceTimersByTimeAsync(LISTING_INTERVAL_MS + 1000)
  expect(looked).toEqual(range(1, 200))
  await vi.advanceTimersByTimeAsync(2000)
  expect(looked).toEqual(range(1, 450))
})

it('nothing is looked at after the close', async () => {
  const { quiet, looked } = open()
  quiet.note(listing(1))
  quiet.close()
  quiet.note(listing(2))
  await vi.advanceTimersByTimeAsync(10 * LISTING_INTERVAL_MS)
  expect([looked, quiet.count, vi.getTimerCount()]).toEqual([[], 0, 0])
})
