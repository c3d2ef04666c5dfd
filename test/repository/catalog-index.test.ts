import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Listing } from '../../src/event-log/listing.ts'
import { CatalogIndex } from '../../src/repository/catalog-index.ts'
import { type TaskFilter, taskQuery } from '../../src/repository/task-filter.ts'
import { isFinalStatus, TASK_STATUSES } from '../../src/task/task.ts'
import { listingAt } from '../support/listings.ts'

const ids = (listings: Iterable<Listing>) => Array.from(listings, ({ id }) => id)

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
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 80 }),
        fc.array(filter, { minLength: 3, maxLength: 6 }),
        time,
        (changes, filters, at) => {
          const index = new CatalogIndex()
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
            expect([...index.byChange(query)]).toEqual(changed)
            for (const walk of [0, 3]) expect([...index.byChange(query, null, walk)]).toEqual(changed)
            const place = changed[changed.length >> 1]
            if (place)
              expect([...index.byChange(query, place)]).toEqual(changed.slice((changed.length >> 1) + 1))
            const isShown = ({ status, finishedAt }: Listing) =>
              !isFinalStatus(status) || (finishedAt !== null && finishedAt >= at)
            const shown = [...index.unfinishedOrEnded(query, at)]
            expect(shown.toSorted((a, b) => b.serial - a.serial)).toEqual(newest.filter(isShown))
          }
        },
      ),
      { numRuns: 300 },
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

  const firstPage = (filter: TaskFilter, order: 'created' | 'changed' = 'created') => {
    const before = index.examined
    const query = taskQuery(filter)
    const found: string[] = []
    for (const { id } of order === 'created' ? index.byCreation(query, true) : index.byChange(query)) {
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
  ])('the first page looks at hardly more listings than it shows: %s', (_, filter, found) => {
    // A block of neighbours is the grain of dates.
    const mayExamine = filter.createdBefore || filter.createdAfter ? 600 : found
    const page = firstPage(filter)
    expect(page.found).toBe(found)
    expect(page.examined).toBeLessThanOrEqual(mayExamine)
    const changed = firstPage(filter, 'changed')
    expect(changed.found).toBe(found)
    expect(changed.examined).toBeLessThanOrEqual(5000)
  })

  it('what is unfinished or has just ended is found without a walk over the rest', () => {
    const before = index.examined
    const query = taskQuery({ text: 'unicorn' })
    const found = ids(index.unfinishedOrEnded(query, listingAt(TASKS - 100).updatedAt))
    expect(found).toHaveLength(2)
    expect(index.examined - before).toBeLessThanOrEqual(250)
    // All of them ended since then, and three have the word.
    const examined = index.examined
    expect(ids(index.unfinishedOrEnded(query, listingAt(1).updatedAt))).toHaveLength(3)
    expect(index.examined - examined).toBeLessThanOrEqual(10)
  })
})
