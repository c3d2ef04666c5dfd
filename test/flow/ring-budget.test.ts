import { expect, it } from 'vitest'
import { COSTLY, describeEngines } from '../support/engines.ts'
import { collect, currentsOf, report, startExternal, WATCH, webSocketClient } from '../support/graphql.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const TASKS = 12
const BYTES = 65_536

describeEngines((open) => {
  it('events at hand of all watched tasks are bounded together, and no viewer misses any', async () => {
    const { url, webSocketUrl, gauges } = await open({ EPOCHCAST_FEED_BYTES: `${BYTES}` })
    const client = webSocketClient(webSocketUrl)
    const ids = await Promise.all(range(1, TASKS).map(() => startExternal(url)))
    const viewers = ids.map((taskId) => collect(client, WATCH, { taskId }))
    await until('all feeds', () => gauges().feeds === TASKS)
    const message = 'm'.repeat(1000)
    let most = 0
    for (const round of range(0, 4)) {
      const reports = range(1, 40).map((i) => ({ progress: { current: 40 * round + i, message } }))
      await Promise.all(ids.map((id) => report(url, id, ...reports)))
      most = Math.max(most, gauges().ringBytes)
    }
    // Unbounded, 12 tasks would have 2.5 MB; 4 KiB of each stay in any case.
    expect(most).toBeGreaterThan(BYTES / 2)
    expect(most).toBeLessThanOrEqual(Math.max(BYTES, TASKS * 4096))
    // Somebody who is further back than what is at hand.
    const late = collect(client, WATCH, { taskId: ids[0], last: 150 })
    await Promise.all(ids.map((id) => report(url, id, { success: {} })))
    for (const viewer of viewers) {
      expect(currentsOf(await viewer)).toEqual(range(1, 200))
    }
    expect(currentsOf(await late).length).toBeGreaterThanOrEqual(147)
    await until('all to be let go', () => gauges().ringBytes === 0)
  })
}, COSTLY)
