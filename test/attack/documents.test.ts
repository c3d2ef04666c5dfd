import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/task/limits.ts'
import { type Asked, ask, DOOR_NAMES } from '../support/doors.ts'
import type { Result } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { ATTACKER } from './support/attacked-server.ts'
import { Bystander } from './support/bystander.ts'
import { Victim } from './support/victim.ts'

/** Far less than what was kept of the documents here. */
const HEAP_MIB = 256
const MOST_MIB = 200

const version = '{ server { version } }'
const many = (count: number, text: (index: number) => string) =>
  range(0, count - 1)
    .map(text)
    .join(' ')
const codeOf = ({ errors }: Result) => errors?.[0]?.extensions.code

/** Four at a time, as one client after the other would. */
async function send(door: string, url: string, documents: readonly Asked[]): Promise<Result[]> {
  const results: Result[] = []
  const queue = [...documents]
  const next = async () => {
    for (let asked = queue.shift(); asked; asked = queue.shift())
      results.push(await ask(door, { url }, asked))
  }
  await Promise.all([next(), next(), next(), next()])
  return results
}

describe.each(DOOR_NAMES.filter((door) => door !== 'GET'))('by %s', (door) => {
  it('260 different documents of a megabyte are refused and forgotten', async () => {
    const victim = await Victim.start({}, HEAP_MIB)
    const before = victim.residentMiB
    const results = await send(
      door,
      victim.url,
      range(1, 260).map((i) => ({ query: `${version} #${i}`.padEnd(1_000_000, 'x') })),
    )
    expect(new Set(results.map(codeOf))).toEqual(new Set(['DOCUMENT_TOO_LARGE']))
    expect(victim.hasCrashed).toBe(false)
    expect(victim.peakMiB - before).toBeLessThan(MOST_MIB)
  })
})

describe('different documents that are as large as they may be', () => {
  const filled = (i: number) => `query Q${i} ${version}\n${'#\n'.repeat(LIMITS.documentTokens - 9)}`

  it('are remembered within their bytes, valid or not', async () => {
    const victim = await Victim.start({}, HEAP_MIB)
    const before = victim.residentMiB
    const valid = await send(
      'POST',
      victim.url,
      range(1, 600).map((i) => ({ query: filled(i) })),
    )
    expect(valid.every(({ data }) => data.server.version)).toBe(true)
    const bad = (i: number) => `{ wrong${i} ${'no '.repeat(40)} } #${i}`.padEnd(LIMITS.documentBytes, 'x')
    const refused = await send(
      'POST',
      victim.url,
      range(1, 600).map((i) => ({ query: bad(i) })),
    )
    expect(new Set(refused.map(codeOf))).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']))
    expect(victim.hasCrashed).toBe(false)
    expect(victim.peakMiB - before).toBeLessThan(MOST_MIB)
  })

  it('are bounded where open subscriptions use them', async () => {
    const victim = await Victim.start({}, HEAP_MIB)
    const before = victim.residentMiB
    const client = await ProtocolClient.open(victim.webSocketUrl)
    const document = (i: number) =>
      `subscription Q${i} { heartbeat { sequence } }\n${'#\n'.repeat(LIMITS.documentTokens - 9)}`
    for (const i of range(1, 100)) client.subscribe(String(i), document(i))
    await until('all of them', () => range(1, 100).every((i) => client.results(String(i)).length > 0))
    const codes = range(1, 100).map((i) => codeOf(client.results(String(i))[0] as Result))
    expect(codes.slice(0, 10)).toEqual(range(1, 10).map(() => undefined))
    expect(codes.slice(15)).toEqual(range(16, 100).map(() => 'TOO_MANY_SUBSCRIPTIONS'))
    // The share of one address; another has its own.
    const other = await ProtocolClient.open(victim.webSocketUrl, { localAddress: ATTACKER })
    other.subscribe('1', document(101))
    await until('the first value', () => other.results('1').length > 0)
    expect(codeOf(other.results('1')[0] as Result)).toBe(undefined)
    expect(victim.hasCrashed).toBe(false)
    expect(victim.peakMiB - before).toBeLessThan(MOST_MIB)
  })
})

/** What made validation, or the parser, expensive. */
const EXPENSIVE: readonly [string, (i: number) => Asked][] = [
  ['a field 1,200 times', (i) => ({ query: `{ server { ${'version '.repeat(1200)} } } #${i}` })],
  ['a nested field 1,200 times', (i) => ({ query: `{ ${'server { version } '.repeat(1200)} } #${i}` })],
  [
    'fragments in circles',
    (i) => ({
      query: `{ ...F0 } ${many(120, (f) => `fragment F${f} on Query { server { version } ...F${(f + 1) % 120} ...F${(f + 7) % 120} }`)} #${i}`,
    }),
  ],
  [
    'fragments that double',
    (i) => ({
      query: `{ ...F0 } ${many(60, (f) => `fragment F${f} on Query { a: server { ...S } ...F${f + 1} ...F${f + 1} }`)} fragment F60 on Query { server { version } } fragment S on ServerInfo { version } #${i}`,
    }),
  ],
  ['unknown fields', (i) => ({ query: `{ server { ${many(900, (f) => `versoin${i}_${f}`)} } }` })],
  [
    'long unknown names',
    (i) => ({ query: `{ server { ${many(400, (f) => `${'versio'.repeat(20)}${i}_${f}`)} } }` }),
  ],
  ['directives', (i) => ({ query: `{ server ${'@a '.repeat(2400)} { version } } #${i}` })],
  ['brackets', (i) => ({ query: `{ tasks(filter: { ids: ${'['.repeat(4900)} #${i}` })],
  [
    'fields of an input that it does not have',
    (i) => ({
      query: 'mutation ($i: StartTrainingInput!) { startTraining(input: $i) { task { id } } }',
      variables: { i: Object.fromEntries(range(1, 40_000).map((field) => [`epoch${i}_${field}`, field])) },
    }),
  ],
]

describe.each(EXPENSIVE)('%s', (_, asked) => {
  it('are refused before anybody has to wait for them, and again at once', async () => {
    const victim = await Victim.start({}, HEAP_MIB)
    const bystander = await Bystander.on(victim.url)
    await bystander.quietly(20)
    const results: Result[] = []
    const seen = await bystander.during(async () => {
      for (const door of ['POST', 'POST with a query string', 'WebSocket']) {
        for (const i of range(1, 10)) results.push(await ask(door, victim, asked(i)))
      }
    })
    for (const { errors } of results) {
      expect(errors?.[0]?.extensions.retryable).toBe(false)
      expect(JSON.stringify(errors).length).toBeLessThan(20_000)
    }
    // Up to 2,800 ms of work for one of them before there were bounds; now at most 100.
    expect(seen.event.max).toBeLessThan(1000)
    expect(victim.lastErrors).toEqual([])
    expect(victim.hasCrashed).toBe(false)
    await bystander.close()
  })
})
