import { describe, expect, it } from 'vitest'
import {
  collectSse,
  type Data,
  type Result,
  report,
  startExternal,
  webSocketClient,
} from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { range } from '../support/tasks.ts'
import { Bystander } from './support/bystander.ts'
import { Victim } from './support/victim.ts'

const NAMES = range(0, 1023).map((i) => `${i}_`.padEnd(128, 'm'))

/** A task with as many metrics as one may have, with names as long as they may be. */
async function largeTask(url: string): Promise<string> {
  const id = await startExternal(url)
  for (const quarter of range(0, 3)) {
    const names = NAMES.slice(quarter * 256, (quarter + 1) * 256)
    const metrics = Object.fromEntries(names.map((name, i) => [name, Math.sin(i)]))
    await report(url, id, { progress: { current: 1 + quarter, metrics } })
  }
  return id
}

const aliases = (count: number, field: string) =>
  range(1, count)
    .map((i) => `a${i}: ${field}`)
    .join(' ')

const codesOf = ({ errors = [] }: Result) => [...new Set(errors.map(({ extensions }) => extensions.code))]

async function asked(url: string, query: string, variables: Record<string, unknown>, init?: RequestInit) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
    ...init,
  })
  return (await response.json()) as Result
}

/** What an attack asks for: through every door, or only by POST. */
interface Attack {
  readonly query: string
  readonly variables?: Record<string, unknown>
}

async function throughEveryDoor(victim: Victim, { query, variables = {} }: Attack): Promise<Result[]> {
  const get = `${victim.url}?${new URLSearchParams({ query, variables: JSON.stringify(variables) })}`
  const results = [
    await asked(victim.url, query, variables),
    await asked(get, query, variables, { method: 'GET', body: null }),
    ...(await collectSse(victim.url, query, variables)),
  ]
  for await (const result of webSocketClient(victim.webSocketUrl).iterate<Data>({ query, variables })) {
    results.push(result as Result)
  }
  return results
}

const LONG = 'm'.repeat(4000)

describe.each(['memory', 'redis'] as const)(
  'an answer that would be too large, on the %s engine',
  (engine) => {
    it('is refused through every door, and nobody else waits long for it', async () => {
      const env = engine === 'redis' ? { REDIS_URL: (await testRedis()).url } : {}
      const victim = await Victim.start(env)
      const { url } = victim
      const [a, b, c] = [await largeTask(url), await largeTask(url), await largeTask(url)]
      const talkative = await startExternal(url)
      for (const call of range(0, 9)) {
        const reports = range(1, 100).map((i) => ({ progress: { current: 100 * call + i, message: LONG } }))
        await report(url, talkative, ...reports)
      }
      const bystander = await Bystander.on(url)
      await bystander.quietly(20)
      const before = victim.residentMiB

      const attacks: Attack[] = [
        {
          query: `query ($a: ID!, $b: ID!, $c: ID!) {
          a: task(id: $a) { ${aliases(60, 'metrics')} }
          b: task(id: $b) { ...All } c: task(id: $c) { ...All }
        } fragment All on Task { ${aliases(60, 'metrics')} }`,
          variables: { a, b, c },
        },
        { query: `{ tasks(first: 4) { edges { node { ${aliases(120, 'metrics')} } } } }` },
        {
          query: `query ($id: ID!) { task(id: $id) { ${aliases(8, 'events(first: 1000) { edges { node { ... on ProgressUpdate { message } } } }')} } }`,
          variables: { id: talkative },
        },
        {
          query: `query ($id: ID!) { task(id: $id) { ${aliases(30, 'series(maxPoints: 10) { name again: name points { timestamp } }')} } }`,
          variables: { id: a },
        },
      ]
      for (const attack of attacks) {
        const results: Result[] = []
        const seen = await bystander.during(async () => {
          for (let i = 0; i < 3; i++) results.push(...(await throughEveryDoor(victim, attack)))
        })
        expect(results.map(codesOf)).toEqual(range(1, 12).map(() => ['ANSWER_TOO_LARGE']))
        // Before there was a bound, 1,800 ms.
        expect(seen.event.max).toBeLessThan(1000)
      }
      expect(victim.hasCrashed).toBe(false)
      expect(victim.peakMiB - before).toBeLessThan(150)
      await bystander.close()
    })
  },
)
