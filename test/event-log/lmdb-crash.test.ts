import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { end, endWithUs } from '../processes/lifetime.ts'
import { PowerDisk, whyNoPowerDisk } from '../processes/power-disk.ts'
import { Random } from '../soak/random.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { testSeed, withSeed } from '../support/seed.ts'

const WRITER = join(import.meta.dirname, '../processes/lmdb-writer.js')
const ENGINE = join(import.meta.dirname, '../../dist/src/event-log/lmdb/lmdb.js')
const TASKS = 8
/** More of each by EPOCHCAST_TEST_KILLS: the same, for as long as you like. */
const MORE = process.env.EPOCHCAST_TEST_KILLS
const KILLS = Number(MORE ?? 8)
const CUTS = Number(MORE ?? 3)
/** Of one crash and the start after it. */
const MAX_CRASH_MS = 10_000
const noPower = whyNoPowerDisk()

// The engine by itself, so that hundreds of kills take minutes; whole servers are killed by test/soak.
it(
  'the lmdb engine, killed at any moment, has what it acknowledged and showed, once and in order',
  () => crashes('kills', KILLS, dataDirectory(), async (child) => void child.kill('SIGKILL')),
  60_000 + KILLS * MAX_CRASH_MS,
)

// Only what was flushed is there afterwards.
it.skipIf(noPower !== null)(
  `the same where the power is cut at any moment${noPower ? ` (skipped: ${noPower})` : ''}`,
  () => {
    const disk = new PowerDisk()
    onTestFinished(() => disk.close())
    return crashes('power cuts', CUTS, join(disk.path, 'data'), async (child, ended) => {
      await disk.cut()
      child.kill('SIGKILL')
      await ended
      disk.restore()
    })
  },
  60_000 + CUTS * MAX_CRASH_MS,
)

type Crash = (child: ChildProcess, ended: Promise<unknown>) => Promise<void>

/** Runs a writer again and again until it has printed some lines, crashes it, and holds what the next one finds against them. */
function crashes(name: string, count: number, path: string, crash: Crash): Promise<void> {
  return withSeed(testSeed, async (seed) => {
    const random = new Random(seed, name)
    const known = new Map<string, number>()
    let acknowledged = 0
    const untilCrashed = async (lines: number) => {
      const child = endWithUs(
        spawn(process.execPath, [WRITER, ENGINE, path, `${TASKS}`], { stdio: ['ignore', 'pipe', 'pipe'] }),
      )
      onTestFinished(() => end(child))
      const words = text(child.stderr)
      const ended = once(child, 'exit')
      let crashed: Promise<void> | undefined
      let found = 0
      for await (const line of createInterface({ input: child.stdout })) {
        const [what, task = '', top = ''] = line.split(' ')
        expect(what, line).not.toBe('damaged')
        if (what === 'found') {
          found++
          expect(Number(top)).toBeGreaterThanOrEqual(known.get(task) ?? 0)
        } else if (--lines === 0) crashed = crash(child, ended)
        if (what === 'acknowledged') acknowledged++
        known.set(task, Math.max(known.get(task) ?? 0, Number(top)))
      }
      expect(crashed, `it ended by itself: ${await words}`).toBeDefined()
      await Promise.all([crashed, ended])
      expect(found).toBe(TASKS)
    }
    for (let i = 0; i <= count; i++) await untilCrashed(random.whole(1, 150))
    expect(acknowledged).toBeGreaterThan(count)
    if (MORE) console.log({ [name]: count + 1, acknowledged, tops: [...known.values()] })
  })
}
