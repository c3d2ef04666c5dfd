import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { EPOCHCAST } from '../candidates/candidate.ts'
import { Audience } from '../client/audience.ts'
import { paced } from '../client/paced.ts'
import { stormElsewhere } from '../client/storm.ts'
import type { Samples } from '../stats.ts'
import { onlyTask, type Scenario, type Sizes } from './scenario.ts'

const CPU_TARGET = 2
const LATENCY_TARGET = 3
const LIVE_SUBSCRIBERS = 50
const LIVE_PER_SECOND = 20
const REPORTS_A_CALL = 100
/** Time for the server to be done with those that left. */
const BETWEEN_MS = 1000

const sizesOf = ({ subscribers, quick }: Sizes) => ({
  clients: subscribers?.[0] ?? (quick ? 100 : 2000),
  back: quick ? 200 : 1000,
  warmUp: quick ? 20 : 200,
  quietSeconds: quick ? 2 : 10,
})

export const resume: Scenario = {
  name: 'resume',
  about: `clients that were cut off come back all at once, each with a cursor so many events back, while ${LIVE_SUBSCRIBERS} others watch another task at ${LIVE_PER_SECOND} events a second. The storm has a load generator of its own, of the lowest priority, so that the live ones do not wait for it instead of for the server.`,
  engines: ['redis'],
  candidates: [EPOCHCAST],
  rows: (sizes) => {
    const { clients, back } = sizesOf(sizes)
    const storm = `${clients} resume from ${back} events back`
    return [
      {
        key: 'cpu',
        label: `${storm}: CPU per delivered event`,
        unit: 'µs',
        digits: 2,
        targets: [{ atMost: CPU_TARGET }],
      },
      { key: 'net', label: `${storm}: the same without that of connecting`, unit: 'µs', digits: 2 },
      { key: 'time', label: `${storm}: until everybody is up to date`, unit: 'ms' },
      { key: 'quiet', label: `${storm}: p99 of the live ones before`, unit: 'ms', digits: 2 },
      { key: 'stormy', label: `${storm}: p99 of the live ones meanwhile`, unit: 'ms', digits: 2 },
      {
        key: 'lag',
        label: `${storm}: p99 by which the load generator of the live ones was late itself`,
        unit: 'ms',
        digits: 2,
      },
      {
        key: 'ratio',
        label: `${storm}: p99 of the live ones, meanwhile to before`,
        unit: '×',
        digits: 2,
        targets: [{ atMost: LATENCY_TARGET }],
      },
    ]
  },
  async run({ start, sizes }) {
    const { clients, back, warmUp, quietSeconds } = sizesOf(sizes)
    const { server, dialect, reporter, createTasks } = await start()
    const history = await onlyTask(createTasks)
    const live = await onlyTask(createTasks)
    const target = { port: server.port, dialect }

    // Somebody watches what will be the past, for the cursors; nobody does when the storm comes.
    const witness = new Audience(target)
    await witness.growTo(1, [history])
    await reporter.report(history, 1)
    for (let left = back; left > 0; left -= REPORTS_A_CALL) {
      await reporter.report(history, Math.min(left, REPORTS_A_CALL))
    }
    await witness.reached(history.reported)
    witness.close()
    const farBack = { sequence: 1, cursor: history.cursorOf(1) }
    const upToDate = { sequence: history.reported, cursor: history.cursorOf(history.reported) }

    const audience = new Audience(target)
    await audience.growTo(LIVE_SUBSCRIBERS, [live])
    await audience.settle()
    const watchLive = (until: Promise<unknown>) =>
      paced({ audience, reporter, task: live, perSecond: LIVE_PER_SECOND, until })
    const storm = async (
      count: number,
      after: typeof farBack,
      meanwhile: (until: Promise<unknown>) => Promise<Samples>,
    ) => {
      const crowd = await stormElsewhere({
        target,
        taskId: history.id,
        reported: history.reported,
        count,
        after,
      })
      const cpuBefore = await server.cpu()
      const going = crowd.go()
      const [ms, samples] = await Promise.all([going, meanwhile(going)])
      const cpuUs = (await server.cpu()) - cpuBefore
      await crowd.leave()
      await sleep(BETWEEN_MS)
      return { ms, cpuUs, samples }
    }

    await storm(warmUp, farBack, watchLive)
    const quiet = await watchLive(sleep(quietSeconds * 1000))
    const connecting = await storm(clients, upToDate, watchLive)
    const lag = monitorEventLoopDelay({ resolution: 1 })
    lag.enable()
    const resuming = await storm(clients, farBack, watchLive)
    lag.disable()
    await audience.settle()
    audience.close()
    const deliveries = clients * back
    const stormy = resuming.samples.percentile(0.99)
    return {
      cpu: resuming.cpuUs / deliveries,
      net: (resuming.cpuUs - connecting.cpuUs) / deliveries,
      time: resuming.ms,
      quiet: quiet.percentile(0.99),
      stormy,
      lag: Math.max(0, lag.percentile(99) / 1e6 - 1),
      ratio: stormy / quiet.percentile(0.99),
    }
  },
}
