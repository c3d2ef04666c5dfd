import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { Random } from '../soak/random.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { testSeed, withSeed } from '../support/seed.ts'

const WRITER = join(import.meta.dirname, '../processes/lmdb-writer.js')
const ENGINE = join(import.meta.dirname, '../../dist/src/event-log/lmdb/lmdb.js')
const TASKS = 8
/** More of them by EPOCHCAST_TEST_KILLS: the same, for as long as you like. */
const KILLS = Number(process.env.EPOCHCAST_TEST_KILLS ?? 8)

// The engine by itself, so that hundreds of kills take minutes; whole servers are killed by test/soak.
it(
  'the lmdb engine, killed at any moment, has what it acknowledged and showed, once and in order',
  () =>
    withSeed(testSeed, async (seed) => {
      const random = new Random(seed, 'kills')
      const path = dataDirectory()
      const known = new Map<string, number>()
      let acknowledged = 0
      const untilKilled = async (lines: number) => {
        const child = spawn(process.execPath, [WRITER, ENGINE, path, `${TASKS}`], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        const ended = once(child, 'exit')
        let found = 0
        for await (const line of createInterface({ input: child.stdout })) {
          const [what, task = '', top = ''] = line.split(' ')
          expect(what, line).not.toBe('damaged')
          if (what === 'found') {
            found++
            expect(Number(top)).toBeGreaterThanOrEqual(known.get(task) ?? 0)
          } else if (--lines === 0) child.kill('SIGKILL')
          if (what === 'acknowledged') acknowledged++
          known.set(task, Math.max(known.get(task) ?? 0, Number(top)))
        }
        expect(await ended).toEqual([null, 'SIGKILL'])
        expect(found).toBe(TASKS)
      }
      for (let kill = 0; kill <= KILLS; kill++) await untilKilled(random.whole(1, 150))
      expect(acknowledged).toBeGreaterThan(KILLS)
      if (process.env.EPOCHCAST_TEST_KILLS)
        console.log({ kills: KILLS + 1, acknowledged, tops: [...known.values()] })
    }),
  60_000 + KILLS * 10_000,
)
