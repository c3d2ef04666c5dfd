import { describe, expect, it } from 'vitest'
import { dataDirectory } from '../support/data-directory.ts'
import { isReady } from '../support/engines.ts'
import { run, webSocketClient } from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { Bystander } from './support/bystander.ts'
import { Victim } from './support/victim.ts'

/**
 * A hundred thousand on Redis, or a million in memory, by hand:
 * `EPOCHCAST_ATTACK_TASKS=1000000 npm run test:attack -- many-tasks -t memory`
 */
const TASKS = Number(process.env.EPOCHCAST_ATTACK_TASKS ?? 3000)
const IS_BY_HAND = TASKS > 10_000
const TIME_LIMIT_MS = IS_BY_HAND ? 3_600_000 : 120_000
const TOGETHER = 50
const HEAP_MIB = 256 + Math.ceil(TASKS / 100)

const START_MANY = `mutation (${range(1, TOGETHER)
  .map((i) => `$i${i}: StartTrainingInput!`)
  .join(' ')}) { ${range(1, TOGETHER)
  .map((i) => `a${i}: startTraining(input: $i${i}) { task { id } }`)
  .join(' ')} }`

/** What finds few or none among many, and what walks through all of them. */
const LISTS: Readonly<Record<string, string>> = {
  newest: '{ tasks(first: 20) { edges { node { id name status } } } }',
  'changed last': '{ tasks(first: 20, orderBy: UPDATED_DESC) { edges { node { id } } } }',
  'one label': '{ tasks(first: 20, filter: { labels: { number: 77 } }) { edges { node { id } } } }',
  'a text that few have': '{ tasks(first: 20, filter: { text: "run 4242" }) { edges { node { id } } } }',
  'a text that none has': '{ tasks(first: 20, filter: { text: "qz zq" }) { edges { node { id } } } }',
  'a status that none has': '{ tasks(first: 20, filter: { statuses: [STALLED] }) { edges { node { id } } } }',
  'eight lists at once': `{ ${range(1, 8)
    .map(
      (i) =>
        `a${i}: tasks(first: 5, filter: { text: "q${i}z" }, orderBy: UPDATED_DESC) { edges { node { id } } }`,
    )
    .join(' ')} }`,
}
const ROUNDS = 15

const engines: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  memory: async () => ({}),
  lmdb: async () => ({ EPOCHCAST_DATA: dataDirectory() }),
  redis: async () => ({ REDIS_URL: (await testRedis()).url }),
}

describe.each(Object.keys(engines))(`${TASKS} tasks, on the %s engine`, (engine) => {
  it('are listed, searched and watched without anybody having to wait', {
    timeout: TIME_LIMIT_MS,
  }, async () => {
    const env = {
      ...(await engines[engine]?.()),
      EPOCHCAST_MEMORY_BYTES: `${2 ** 34}`,
      EPOCHCAST_MAX_TASKS: `${2 * TASKS}`,
      EPOCHCAST_MAX_TASKS_PER_ADDRESS: '0',
      EPOCHCAST_STARTS_PER_HOUR: '0',
      EPOCHCAST_MUTATIONS_PER_SECOND: '1000000',
      EPOCHCAST_LOG_LEVEL: 'error',
    }
    const victim = await Victim.start(env, HEAP_MIB)
    const { url } = victim
    await until('the engine', () => isReady(victim))
    const restMiB = victim.residentMiB
    const startedAt = performance.now()
    let next = 0
    const fill = async () => {
      while (next < TASKS) {
        const first = next
        next += TOGETHER
        const inputs = range(1, TOGETHER).map((i) => {
          const number = first + i
          return [`i${i}`, { trainer: 'external', name: `run ${number}`, labels: { team: 'a', number } }]
        })
        await run(url, START_MANY, Object.fromEntries(inputs))
      }
    }
    await Promise.all(range(1, 4).map(fill))
    const fillSeconds = (performance.now() - startedAt) / 1000
    const filledMiB = victim.residentMiB

    const bystander = await Bystander.on(url)
    const quiet = await bystander.quietly(40)
    const monitor = webSocketClient(victim.webSocketUrl)
    monitor.subscribe(
      { query: 'subscription { taskUpdates(filter: { text: "nowhere" }) { id } }' },
      { next: () => {}, error: () => {}, complete: () => {} },
    )
    const times: Record<string, number[]> = {}
    const found: Record<string, number> = {}
    const seen = await bystander.during(async () => {
      for (let round = 0; round < ROUNDS; round++)
        for (const [name, query] of Object.entries(LISTS)) {
          const at = performance.now()
          const data = await run(url, query)
          times[name] = [...(times[name] ?? []), performance.now() - at]
          found[name] = (data.tasks ?? data.a1).edges.length
        }
    })
    await bystander.close()
    const told = Object.entries(times).map(([name, all]) => {
      const sorted = [...all].sort((a, b) => a - b)
      return `  ${name.padEnd(24)} median ${sorted[ROUNDS >> 1]?.toFixed(1)} ms, worst ${sorted.at(-1)?.toFixed(1)} ms, ${found[name]} found`
    })
    const p99 = `viewer p99 ${quiet.event.p99.toFixed()} → ${seen.event.p99.toFixed()} ms, POST p99 ${quiet.post.p99.toFixed()} → ${seen.post.p99.toFixed()} ms`
    process.stdout.write(
      `${TASKS} tasks, ${engine}: filled in ${fillSeconds.toFixed()} s | RSS ${restMiB.toFixed()} → ${filledMiB.toFixed()} MiB, peak ${victim.peakMiB.toFixed()} | ${p99}\n${told.join('\n')}\n`,
    )
    expect(found).toMatchObject({
      newest: 20,
      'one label': 1,
      'a text that none has': 0,
      'a status that none has': 0,
    })
    expect(victim.hasCrashed).toBe(false)
    // About 1.3 KB in the catalog, and in memory as much again for the task itself.
    expect(filledMiB - restMiB).toBeLessThan(150 + (TASKS * 6) / 1024)
    expect(seen.event.p99).toBeLessThan(1000)

    if (engine === 'memory') return
    const restartedAt = performance.now()
    await victim.restart()
    const upMs = performance.now() - restartedAt
    const first = await until(
      'its first list',
      async () => {
        const { tasks } = await run(
          url,
          '{ tasks(first: 20, orderBy: UPDATED_DESC) { edges { node { id } } } }',
        ).catch(() => ({ tasks: null }))
        return tasks?.edges.length === 20 ? performance.now() - restartedAt : null
      },
      TIME_LIMIT_MS,
    )
    process.stdout.write(
      `  started again in ${upMs.toFixed()} ms, its first sorted list after ${first.toFixed()} ms\n`,
    )
    expect(victim.hasCrashed).toBe(false)
  })
})
