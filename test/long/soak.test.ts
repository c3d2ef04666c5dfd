import { expect, it } from 'vitest'
import { testSeed, withSeed } from '../support/seed.ts'
import { soak } from '../support/soak-program.ts'

it('every subscriber sees every event once and in order, whatever is cut and killed meanwhile', async () => {
  await withSeed(testSeed, async (seed) => {
    const { summary, stderr } = await soak(
      '--events',
      '20000',
      '--fault-interval-ms',
      '400',
      '--seconds',
      '100',
      '--seed',
      String(seed),
    )
    expect(summary, stderr).toMatchObject({ held: true, channelsLeftOpen: 0 })
    // 4 tasks with 5 subscribers each; each log also has its two StatusChanged and its TrainingSucceeded.
    expect(summary.eventsInLogs).toBeGreaterThanOrEqual(20_000 + 4 * 3)
    expect(summary.deliveries).toBe(5 * summary.eventsInLogs)
    expect(Object.values(summary.faults).every((count) => Number(count) > 0)).toBe(true)
  })
}, 120_000)
