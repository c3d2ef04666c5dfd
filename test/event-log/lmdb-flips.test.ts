import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, it } from 'vitest'
import { salvage } from '../../src/event-log/lmdb/inspect.ts'
import { type Meta, readMeta } from '../../src/event-log/lmdb/pages.ts'
import { endWithUs } from '../processes/lifetime.ts'
import { Random } from '../soak/random.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { testSeed, withSeed } from '../support/seed.ts'

const PROBER = join(import.meta.dirname, '../processes/lmdb-prober.js')
const ENGINE = join(import.meta.dirname, '../../dist/src/event-log/lmdb/lmdb.js')
const PAGE = 4096
const HEADER = 24
/** Of each kind; more of them by EPOCHCAST_TEST_FLIPS. */
const FLIPS = Number(process.env.EPOCHCAST_TEST_FLIPS ?? 1)

/** A process of its own: what ends it by a signal is what is looked for. */
async function prober(path: string, mode: 'write' | 'probe'): Promise<string[]> {
  const child = endWithUs(
    spawn(process.execPath, [PROBER, ENGINE, path, mode], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  const [stdout, stderr, ended] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  expect(ended, `${stdout}${stderr}`).toEqual([0, null])
  return stdout.trim().split('\n')
}

describe('a data directory with a bit that was flipped', () => {
  let original: string
  let pages: number
  const copy = () => {
    const path = dataDirectory()
    cpSync(original, path, { recursive: true })
    return path
  }

  beforeAll(async () => {
    original = mkdtempSync(join(tmpdir(), 'epochcast-flips-'))
    await prober(original, 'write')
    pages = statSync(fileOf(original)).size / PAGE
    return () => rmSync(original, { recursive: true })
  }, 60_000)

  it.each<[string, (random: Random, path: string) => number]>([
    ['in a meta', (random) => PAGE * random.whole(0, 1) + random.whole(0, 168)],
    ['in the header of a page', (random) => PAGE * random.whole(2, pages - 1) + random.whole(0, HEADER - 1)],
    ['in a page', (random) => PAGE * random.whole(2, pages - 1) + random.whole(HEADER, PAGE - 1)],
    [
      'in the list of free pages',
      (random, path) => PAGE * (metaOf(path).free.root as number) + random.whole(0, PAGE - 1),
    ],
  ])(
    '%s is used without a crash and without a word that is not true, or refused',
    async (kind, place) => {
      await withSeed(testSeed, async (seed) => {
        const random = new Random(seed, kind)
        const outcomes: Record<string, number> = {}
        for (let i = 0; i < FLIPS; i++) {
          const path = copy()
          const at = place(random, path)
          const bit = random.whole(0, 7)
          flip(path, at, bit)
          // As after a crash, half of the time.
          if (random.chance(0.5)) rmSync(join(path, 'closed'))
          const lines = await prober(path, 'probe')
          const words = [...new Set(lines.map((line) => line.split(' ')[0]))].sort().join()
          expect(words, `bit ${bit} of byte ${at}: ${lines.join('\n')}`).toMatch(
            /^(done|done,told|done(,gone)?(,missing)?,told|refused)$/,
          )
          outcomes[words] = (outcomes[words] ?? 0) + 1
          if (words !== 'refused') continue
          const saved = dataDirectory()
          await salvage(path, saved)
          const found = await prober(saved, 'probe')
          expect(found.at(-1)).toBe('done')
          expect(found.filter((line) => !/^(done|gone|missing|told)/.test(line))).toEqual([])
        }
        if (process.env.EPOCHCAST_TEST_FLIPS) console.log({ [kind]: outcomes })
      })
    },
    30_000 + FLIPS * 10_000,
  )

  it.each([
    // The library would take the file for one that is encrypted, and read outside of it.
    ['kind of the list of free pages', 53, 5, /is damaged \(page \d is no meta: trees of kind 8200 and 0\)/],
    ['first page of all', 96 + 40, 1, /is damaged \(page \d+ /],
    ['number of pages', 144 + 6, 5, /its last one should be 90071992547\d+/],
  ])(
    'in the %s of the newest meta is refused, and all of it can be saved',
    async (_, at, bit, words) => {
      const path = copy()
      flip(path, PAGE * (metaOf(path).transaction % 2) + at, bit)
      await expect(prober(path, 'probe')).resolves.toEqual([expect.stringMatching(words)])
      const saved = dataDirectory()
      expect(await salvage(path, saved)).toMatchObject({ left: 0 })
      expect(await prober(saved, 'probe')).toEqual(['done'])
    },
    30_000,
  )

  it('that makes a page another is refused by the number of the page, and all of it can be saved', async () => {
    const path = copy()
    const { root } = metaOf(path).main
    flip(path, PAGE * (root as number), 3)
    await expect(prober(path, 'probe')).resolves.toEqual([
      expect.stringMatching(
        new RegExp(`^refused is .*page ${root} says that it is page .*"epochcast data salvage"$`),
      ),
    ])
    const saved = dataDirectory()
    expect(await salvage(path, saved)).toMatchObject({ left: 0, problems: [expect.any(String)] })
    expect(await prober(saved, 'probe')).toEqual(['done'])
  }, 30_000)

  it('that would have a page in use written over has its list of free pages made anew, and says so', async () => {
    const path = copy()
    const { free, main } = metaOf(path)
    const at = singleFreePage(path, PAGE * (free.root as number))
    write(path, at, Buffer.from(BigUint64Array.of(BigInt(main.root as number)).buffer))
    const lines = await prober(path, 'probe')
    expect(lines).toEqual([
      expect.stringMatching(
        `told .*the list of free pages \\(page ${main.root} \\(free\\) is in use twice\\)`,
      ),
      'done',
    ])
  }, 30_000)
})

/** Where a page of the list has the number of a free page that is not the first of several. */
function singleFreePage(path: string, page: number): number {
  const bytes = readFileSync(fileOf(path))
  // Each node has its own header, a key, how many entries there are, and the entries.
  const nodes = bytes.readUInt16LE(page + HEADER - 4) / 2
  for (let node = 0; node < nodes; node++) {
    const entries = page + HEADER + bytes.readUInt16LE(page + HEADER + 2 * node) + 8 + 8
    const end = entries + 8 + 8 * Number(bytes.readBigUInt64LE(entries))
    for (let at = entries + 8; at < end; at += 8) {
      const entry = bytes.readBigInt64LE(at)
      if (entry > 0) return at
      // So many pages, from the next one on.
      if (entry < 0) at += 8
    }
  }
  throw new Error('no page is free by itself')
}

function flip(path: string, at: number, bit: number): void {
  const byte = readFileSync(fileOf(path))[at] as number
  write(path, at, Buffer.of(byte ^ (1 << bit)))
}

function write(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(fileOf(path), 'r+')
  writeSync(file, bytes, 0, bytes.byteLength, at)
  closeSync(file)
}

function metaOf(path: string): Meta {
  const file = openSync(fileOf(path), 'r')
  try {
    return readMeta(file)
  } finally {
    closeSync(file)
  }
}

const fileOf = (path: string) => join(path, 'data.mdb')
