import { expect, it } from 'vitest'
import { ANYONE } from '../../src/repository/access.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import type { Operations } from '../../src/transport/operations.ts'
import { RelayLane } from '../../src/transport/plain/relay-lane.ts'
import { relayMessage } from '../../src/transport/plain/relay-messages.ts'
import type { RelayRuns } from '../../src/transport/plain/relay-runs.ts'

const SENDER = { taskId: 't', channelPrefix: null, name: null }
const message = (epoch: number, timestamp?: string) =>
  relayMessage(JSON.stringify({ type: 'epoch_start', timestamp, data: { epoch } }))

/** A lane to a server whose responses are in the hands of the test. */
function laneTo(
  respond: (firstSequence: number) => Promise<object>,
  find = async () => ({ channelPrefix: 'p', id: 't' }),
) {
  const operations = {
    prepareOwn: (_: string, { input }: { input: { firstSequence: number } }) => input,
    execute: ({ firstSequence }: { firstSequence: number }) => respond(firstSequence),
  } as unknown as Operations
  const runs = { find, quietMs: 1000 } as unknown as RelayRuns
  return new RelayLane(SENDER, { runs, operations, signal: new AbortController().signal })
}

const taken = async () => ({ data: { reportMetrics: { stopRequested: false, warnings: [] } } })

it('takes so many messages that wait, and says so of one more', () => {
  const lane = laneTo(taken, () => new Promise(() => {}))
  const receive = (epoch: number) => lane.receive(ANYONE, message(epoch))
  // The first is on its way already.
  for (let epoch = 0; epoch <= 1000; epoch++) void receive(epoch)
  expect(() => receive(1001)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }))
})

it('knows the last 64 messages that have a time', async () => {
  const lane = laneTo(taken)
  const isRepeat = async (number: number) =>
    (await lane.receive(ANYONE, message(number, `2026-11-21T10:30:15.${number}`))).isRepeat
  for (let number = 1; number <= 65; number++) expect(await isRepeat(number)).toBe(false)
  expect(await isRepeat(2)).toBe(true)
  expect(await isRepeat(1)).toBe(false)
})

it('repeats a call whose reply was lost under the same numbers', async () => {
  const seen: number[] = []
  const lane = laneTo(async (firstSequence) => {
    seen.push(firstSequence)
    if (seen.length === 2) throw new EpochcastError('ENGINE_UNAVAILABLE', 'its reply was lost')
    return taken()
  })
  for (const epoch of [1, 2, 3]) await lane.receive(ANYONE, message(epoch))
  expect(seen).toEqual([1, 2, 2, 3])
})

it('refuses what does not pass at once, one by one, and counts no sequence for it', async () => {
  const seen: number[] = []
  const lane = laneTo(async (firstSequence) => {
    seen.push(firstSequence)
    if (seen.length === 2 || seen.length === 4) throw new EpochcastError('BAD_METRICS', 'no such metric')
    return taken()
  })
  const results = await Promise.allSettled([1, 2, 3, 4].map((epoch) => lane.receive(ANYONE, message(epoch))))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  // The first, then the three together, then each by itself.
  expect(seen).toEqual([1, 2, 2, 3, 3])
})
