import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Listing } from '../../src/event-log/listing.ts'
import { CatalogIndex } from '../../src/repository/catalog-index.ts'
import { CatalogWalk } from '../../src/repository/catalog-walk.ts'
import { Effort } from '../../src/repository/effort.ts'
import { type TaskFilter, taskQuery } from '../../src/repository/task-filter.ts'
import { isFinalStatus, TASK_STATUSES } from '../../src/task/task.ts'
import { eventLoopTurns } from '../support/event-loop-turns.ts'
import { listingAt } from '../support/listings.ts'
import { range } from '../support/tasks.ts'

describe('any filter finds what a look at each task would', () => {
  const name = fc.constantFrom('alpha', 'Beta run', 'gamma', 'alphabet', 'ÅNGSTRÖM', 'k')
  const value = fc.oneof(
    fc.constantFrom('vision', 'VISION', 'nlp', 'x'),
    fc.integer({ min: 0, max: 2 }),
    fc.boolean(),
  )
  const labels = fc.oneof(
    fc.constant(null),
    fc.dictionary(fc.constantFrom('team', 'opt', '__proto__'), fc.oneof(value, fc.record({ lr: value })), {
      maxKeys: 3,
    }),
  )
  const time = fc.integer({ min: 1000, max: 1020 })
  const listing = fc.record({
    channelPrefix: fc.constantFrom('gan:training', 'llm:training'),
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e1', 'e2'),
    serial: fc.integer({ min: 1, max: 2000 }),
    version: fc.nat(),
    name: fc.option(name),
    trainer: fc.constantFrom('tvae', 'external'),
    machineId: fc.option(fc.constantFrom('m1', 'm2')),
    labels,
    status: fc.constantFrom(...TASK_STATUSES),
    createdAt: time,
    updatedAt: time,
    finishedAt: fc.option(time),
  }) as fc.Arbitrary<Listing>
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
  const iso = (at: number) => new Date(at).toISOString()
  const filter = fc.record({
    ids: optional(fc.array(fc.constantFrom('a', 'b', 'e1', 'none'), { maxLength: 3 })),
    statuses: optional(fc.array(fc.constantFrom(...TASK_STATUSES), { maxLength: 4 })),
    channelPrefix: optional(fc.constantFrom('gan:training', 'none')),
    machineId: optional(fc.constantFrom('m1', 'm3')),
    trainer: optional(fc.constantFrom('tvae', 'none')),
    text: optional(
      fc.constantFrom('', 'a', 'alph', 'ALPHA', 'beta run', 'ångström', 'vision tvae', 'nowhere', 'true m1'),
    ),
    labels: optional(fc.constantFrom({ team: 'vision' }, { opt: { lr: 1 } }, { team: true, opt: 'x' }, {})),
    createdAfter: optional(time.map(iso)),
    createdBefore: optional(time.map(iso)),
  }) as fc.Arbitrary<TaskFilter>
  const change = fc.oneof(
    { weight: 5, arbitrary: listing.map((set) => ({ set })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 2000 }).map((drop) => ({ drop })) },
  )

  it('in each order, from any place on, after any changes', () => {
    return fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 80 }),
        fc.array(filter, { minLength: 3, maxLength: 6 }),
        time,
        async (changes, filters, at) => {
          const index = new CatalogIndex()
          // So little at a time that every walk pauses.
          const walk = new CatalogWalk(index, new Effort(3))
          const all = Number.POSITIVE_INFINITY
          const model = new Map<number, Listing>()
          for (const step of changes) {
            if ('drop' in step) {
              index.delete(step.drop)
              model.delete(step.drop)
            } else {
              // What is fixed when a task is created does not change under a serial.
              const { channelPrefix, id, trainer, machineId, createdAt } =
                model.get(step.set.serial) ?? step.set
              const { status, updatedAt } = step.set
              const finishedAt = isFinalStatus(status)
                ? Math.min(updatedAt, step.set.finishedAt ?? 1010)
                : null
              const set = { ...step.set, channelPrefix, id, trainer, machineId, createdAt, finishedAt }
              index.set(set)
              model.set(set.serial, set)
            }
          }
          for (const filter of filters) {
            const query = taskQuery(filter)
            const matching = [...model.values()].filter((listing) => query.matches(listing))
            const newest = matching.toSorted((a, b) => b.serial - a.serial)
            expect([...index.byCreation(query, true)]).toEqual(newest)
            expect([...index.byCreation(query, false)]).toEqual(newest.toReversed())
            const middle = newest[newest.length >> 1]
            if (middle) {
              expect([...index.byCreation(query, true, middle.serial)]).toEqual(
                newest.slice((newest.length >> 1) + 1),
              )
              const older = newest.slice(0, newest.length >> 1).toReversed()
              expect([...index.byCreation(query, false, middle.serial)]).toEqual(older)
            }
            const changed = matching.toSorted((a, b) => b.updatedAt - a.updatedAt || b.serial - a.serial)
            expect(await collected(walk.byCreation(query, true))).toEqual(newest)
            expect(await collected(walk.byCreation(query, false))).toEqual(newest.toReversed())
            for (const steps of [0, 3, 1024])
              expect(await collected(walk.byChange(query, null, all, steps))).toEqual(changed)
            expect(await collected(walk.byChange(query, null, 3, 2))).toEqual(changed.slice(0, 3))
            const place = changed[changed.length >> 1]
            if (place)
              expect(await collected(walk.byChange(query, place, all))).toEqual(
                changed.slice((changed.length >> 1) + 1),
              )
            const isShown = ({ status, finishedAt }: Listing) =>
              !isFinalStatus(status) || (finishedAt !== null && finishedAt >= at)
            const shown = await collected(walk.unfinishedOrEnded(query, at))
            expect(shown.toSorted((a, b) => b.serial - a.serial)).toEqual(newest.filter(isShown))
          }
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('text', () => {
  it.each([
    ['İstanbul', ['istanbul', 'İSTANBUL', 'ISTANBUL']],
    ['straße', ['STRASSE', 'STRAẞE', 'strasse', 'Straße']],
    ['ΟΔΟΣΑ', ['ΟΔΟΣ', 'οδος', 'οδοσα']],
    ['cafe\u0301', ['CAFÉ', 'caf\u00e9']],
    ['résumé I', ['RÉSUMÉ i']],
  ])('%s is found, whatever the case of its letters', (name, texts) => {
    const index = new CatalogIndex()
    index.set({ ...listingAt(1), name })
    for (const text of texts) expect([...index.byCreation(taskQuery({ text }), true)], text).toHaveLength(1)
  })
})

describe('with 100,000 tasks', () => {
  const TASKS = 100_000
  const index = new CatalogIndex()
  for (let i = 1; i <= TASKS; i++) index.set(listingAt(i))

  const firstPage = async (filter: TaskFilter, order: 'created' | 'changed' = 'created') => {
    const before = index.examined
    const query = taskQuery(filter)
    const found: string[] = []
    const walk = new CatalogWalk(index)
    const listings = order === 'created' ? walk.byCreation(query, true) : walk.byChange(query, null, 51)
    for await (const { id } of listings) {
      found.push(id)
      if (found.length > 50) break
    }
    return { found: found.length, examined: index.examined - before }
  }

  it.each<[string, TaskFilter, number]>([
    ['everything', {}, 51],
    ['a status of most', { statuses: ['SUCCESS'] }, 51],
    ['a status of few', { statuses: ['STALLED'] }, 3],
    ['a machine', { machineId: 'machine-7' }, 51],
    [
      'two conditions that hold for half of all, and together for three',
      { trainer: 'tvae', labels: { half: 'b' } },
      3,
    ],
    ['a label deep inside', { labels: { rare: { seed: 33_333 } } }, 3],
    ['one task by its id', { ids: ['00000bad-0000-4000-8000-000000000bad'] }, 1],
    ['a word of every name', { text: 'resnet' }, 51],
    ['a word of three names', { text: 'unicorn' }, 3],
    ['a word of none', { text: 'nowhere' }, 0],
    ['digits that occur in many ids, with a word of three names', { text: '00 unicorn' }, 3],
    ['the oldest, by date', { createdBefore: new Date(listingAt(4).createdAt).toISOString() }, 3],
    [
      'a date and a word',
      { createdAfter: new Date(listingAt(60_000).createdAt).toISOString(), text: 'unicorn' },
      1,
    ],
  ])('the first page looks at hardly more listings than it shows: %s', async (_, filter, found) => {
    // A block of neighbours is the grain of dates.
    const mayExamine = filter.createdBefore || filter.createdAfter ? 600 : found
    const page = await firstPage(filter)
    expect(page.found).toBe(found)
    expect(page.examined).toBeLessThanOrEqual(mayExamine)
    const changed = await firstPage(filter, 'changed')
    expect(changed.found).toBe(found)
    expect(changed.examined).toBeLessThanOrEqual(5000)
  })

  it('what is unfinished or has just ended is found without a walk over the rest', async () => {
    const walk = new CatalogWalk(index)
    const before = index.examined
    const query = taskQuery({ text: 'unicorn' })
    const found = await collected(walk.unfinishedOrEnded(query, listingAt(TASKS - 100).updatedAt))
    expect(found).toHaveLength(2)
    expect(index.examined - before).toBeLessThanOrEqual(250)
    // All of them ended since then, and three have the word.
    const examined = index.examined
    expect(await collected(walk.unfinishedOrEnded(query, listingAt(1).updatedAt))).toHaveLength(3)
    expect(index.examined - examined).toBeLessThanOrEqual(10)
  })

  it('twenty searches at once, each for what is nowhere, share what a turn of the event loop may take', async () => {
    const effort = new Effort()
    const walk = new CatalogWalk(index, effort)
    const turns = eventLoopTurns()
    const rare = { trainer: 'tvae', labels: { half: 'b' }, text: 'no' }
    const searches = Array.from({ length: 20 }, (_, i) => {
      const query = taskQuery(i % 2 === 0 ? { text: 'qz' } : rare)
      return collected(i % 3 === 0 ? walk.byChange(query, null, 51) : walk.byCreation(query, i % 3 === 1))
    })
    expect((await Promise.all(searches)).flat()).toEqual([])
    expect(turns.count).toBeGreaterThan(40)
    // One step may be as much as a block of texts, or the test of 64 listings.
    expect(effort.most).toBeLessThanOrEqual(20_000 + 1000)
  })

  it('a walk goes on where it stands while tasks come and go', async () => {
    const some = new CatalogIndex()
    for (let i = 1; i <= 1000; i++) some.set(listingAt(i))
    const walk = new CatalogWalk(some, new Effort(10))
    const seen: number[] = []
    for await (const { serial } of walk.byCreation(taskQuery({}), true)) {
      seen.push(serial)
      if (serial === 900) for (let i = 2; i < 900; i += 2) some.delete(i)
      if (serial === 899) some.set(listingAt(1001))
    }
    expect(seen).toEqual([...range(899, 1000).reverse(), ...range(0, 448).map((i) => 897 - 2 * i)])
  })
})

async function collected(listings: AsyncIterable<Listing>): Promise<Listing[]> {
  const all: Listing[] = []
  for await (const listing of listings) all.push(listing)
  return all
}
