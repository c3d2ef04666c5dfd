import { expect, it } from 'vitest'
import { listingOf } from '../../src/event-log/listing.ts'
import { StoreRoom } from '../../src/event-log/store-room.ts'
import { newState } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const WORDS = { engine: 'Redis', maxBytes: 'EPOCHCAST_REDIS_BYTES', share: 'EPOCHCAST_STORE_SHARE' }

const listed = (serial: number) =>
  listingOf({ state: newState(), top: { generation: 'g', offset: 1 }, serial, revision: 0, bytes: 1000 })

it('does not count again what was dropped while its list was under way', async () => {
  const [gone, there] = [listed(1), listed(2)]
  const errors: unknown[] = []
  const room = new StoreRoom({
    maxBytes: 1_000_000,
    share: 1,
    words: WORDS,
    listings: async () => {
      // The engine has read its list already; the reply is on its way.
      await new Promise(setImmediate)
      room.hear({ kind: 'dropped', serial: gone.serial })
      return { listings: [there, gone], hasMore: false }
    },
    drop: async () => {},
    onError: (error) => errors.push(error),
  })
  room.load()
  await until('all to be counted', () => room.find(there) !== null)
  expect([room.find(gone), room.bytes, errors]).toEqual([null, there.bytes, []])
  room.close()
})
