import { expect, it } from 'vitest'
import { testSeed, withSeed } from '../support/seed.ts'
import { soak } from '../support/soak-program.ts'

it('every subscriber sees every event once and in order, whenever a server with a data directory is killed', async () => {
  await withSeed(testSeed, async (seed) => {
    const { summary, stderr } = await soak(
      ...['--engine', 'lmdb', '--faults', 'kill', '--events', '2000', '--subscribers', '8'],
      ...['--fault-interval-ms', '300', '--seconds', '100', '--seed', String(seed)],
    )
    expect(summary, stderr).toMatchObject({ held: true })
    expect(summary.deliveries).toBe(2 * summary.eventsInLogs)
    expect(summary.faults['server killed']).toBeGreaterThan(0)
  })
}, 120_000)
