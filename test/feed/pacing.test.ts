import { describe, expect, it } from 'vitest'
import { heartbeatStream } from '../../src/feed/heartbeat.ts'
import { Pacing } from '../../src/feed/pacing.ts'

const open = (pacing: Pacing, address: string, count: number) =>
  Array.from({ length: count }, () => pacing.open(address))

/** Of the drawn ones, many. */
const intervals = (pace: ReturnType<Pacing['open']>, askedMs: number, values?: number) =>
  Array.from({ length: 100 }, () => pace.intervalMs(askedMs, values))

describe('pacing', () => {
  it('gives what was asked for while few ask', () => {
    const pacing = new Pacing(1000)
    const [pace] = open(pacing, 'a', 50)
    // 50 streams at 100 ms are 500 a second, which is half of the rate.
    expect(pace?.intervalMs(100)).toBe(100)
    expect(pace?.intervalMs(99)).toBeGreaterThanOrEqual(100)
    expect(pace?.intervalMs(60_000)).toBe(60_000)
  })

  it('keeps all streams of an address within its part of the rate', () => {
    const pacing = new Pacing(1000)
    const [greedy] = open(pacing, 'a', 5000)
    for (const ms of intervals(greedy as never, 100)) {
      expect(ms).toBeGreaterThanOrEqual(10_000)
      expect(ms).toBeLessThanOrEqual(15_000)
    }
    // Ten values at once wait for ten.
    for (const ms of intervals(greedy as never, 0, 10)) expect(ms).toBeGreaterThanOrEqual(100_000)
    // They do not all go on at the same time.
    expect(new Set(intervals(greedy as never, 100)).size).toBeGreaterThan(50)
    const [viewer] = open(pacing, 'b', 1)
    expect(viewer?.intervalMs(100)).toBe(100)
    for (const ms of intervals(viewer as never, 0)) expect(ms).toBeLessThanOrEqual(3)
  })

  it('divides the rate among the addresses there are', () => {
    const pacing = new Pacing(1000)
    const paces = Array.from({ length: 10 }, (_, i) => pacing.open(`${i}`))
    for (const ms of intervals(paces[0] as never, 0)) expect(ms).toBeGreaterThanOrEqual(10)
    expect(pacing.size).toBe(10)
    for (const pace of paces) {
      pace.close()
      pace.close()
    }
    expect(pacing.size).toBe(0)
  })
})

it('beats that are due while the engine is asked share its answer', async () => {
  let asked = 0
  const respond: (() => void)[] = []
  const engine = {
    status: () => {
      asked++
      return new Promise<{ name: string; connected: boolean }>((resolve) =>
        respond.push(() => resolve({ name: 'memory', connected: true })),
      )
    },
  }
  const options = { intervalMs: 100, maxStreamMs: null, pacing: new Pacing(), account: 'a' }
  const streams = [1, 2, 3].map(() => heartbeatStream(engine as never, options))
  const first = streams.map((stream) => stream.next())
  await Promise.resolve()
  expect(asked).toBe(1)
  respond[0]?.()
  for (const beat of await Promise.all(first)) expect(beat.value).toMatchObject({ sequence: 1 })
  for (const stream of streams) await stream.return?.()
  expect(options.pacing.size).toBe(0)
})
