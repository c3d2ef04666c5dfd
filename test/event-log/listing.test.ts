import { describe, expect, it } from 'vitest'
import { isListingDue, LISTING_INTERVAL_MS } from '../../src/event-log/listing.ts'
import { newState } from '../support/tasks.ts'

const RUNNING = { ...newState(), status: 'RUNNING' } as const
const NOW = 1_000_000

describe('a task is listed again', () => {
  it.each([
    ['when its status changes', { ...RUNNING, status: 'STALLED' } as const, NOW, true],
    ['when it is asked to stop', { ...RUNNING, stopRequested: true }, NOW, true],
    ['when nobody here has listed it', RUNNING, undefined, true],
    ['when it was not listed for a while', RUNNING, NOW - LISTING_INTERVAL_MS, true],
    ['not for a change alone', { ...RUNNING, current: 7 }, NOW - LISTING_INTERVAL_MS + 1, false],
  ])('%s', (_, after, listedAt, isDue) => {
    expect(isListingDue(RUNNING, after, listedAt, NOW)).toBe(isDue)
  })
})
