import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { testSeed, withSeed } from '../support/seed.ts'

const PROGRAM = join(import.meta.dirname, '../../dist/test/soak/main.js')

/** The program as a user runs it, only shorter; what it holds and how is told in test/soak. */
async function soak(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  // It ends all that it has started, which SIGKILL would not let it.
  onTestFinished(async () => {
    if (child.exitCode !== null || !child.kill('SIGTERM')) return
    await once(child, 'exit')
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { summary: stdout === '' ? null : JSON.parse(stdout), stderr }
}

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
