import { describe, expect, it } from 'vitest'
import { COSTLY, describeEngines } from '../support/engines.ts'
import {
  collect,
  collectSse,
  currentsOf,
  type Data,
  eventsOf,
  kindsOf,
  progressReports,
  type Result,
  report,
  run,
  startExternal,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const PROGRESS = /* GraphQL */ `
  subscription ($taskId: ID!, $minIntervalMs: Int) {
    taskProgress(taskId: $taskId, minIntervalMs: $minIntervalMs) { status current progress metrics result cursor }
  }`
const UPDATES = /* GraphQL */ `
  subscription ($filter: TaskFilter, $minIntervalMs: Int) {
    taskUpdates(filter: $filter, minIntervalMs: $minIntervalMs) { id status current }
  }`
const HEARTBEAT =
  'subscription { heartbeat(intervalMs: 100) { sequence uptimeSeconds engine { name connected } } }'

describeEngines((openServer, engine) => {
  describe('watching a training', () => {
    it('shows viewers over WebSocket and over server-sent events the same sequence', async () => {
      const { url, webSocketUrl, gauges } = await openServer()
      const taskId = await startExternal(url)
      const viewers = [
        collect(webSocketClient(webSocketUrl), WATCH, { taskId }),
        collect(webSocketClient(webSocketUrl), WATCH, { taskId }),
        collectSse(url, WATCH, { taskId }),
      ]
      await until('the viewers to be there', () => gauges().subscriptions === 3 && gauges().feeds === 1)
      await report(url, taskId, ...progressReports(1, 20))
      await report(url, taskId, { epochEnd: { epoch: 1, phase: 'VAL', metrics: { loss: 0.5 } } })
      await report(url, taskId, { success: { result: { final_loss: 0.1 } } })

      const [first, second, sse] = await Promise.all(viewers)
      expect(kindsOf(first ?? [])).toEqual([
        'StreamOpened',
        'StatusChanged',
        ...range(1, 20).map(() => 'ProgressUpdate'),
        'EpochEnded',
        'TrainingSucceeded',
        'StreamClosing',
      ])
      const log = (results: Result[] = []) => eventsOf(results).slice(1, -1)
      expect(log(second)).toEqual(log(first))
      expect(log(sse)).toEqual(log(first))
    })

    it('replays the newest events that `last` asks for, and everything after a cursor', async () => {
      const { url, webSocketUrl } = await openServer()
      const taskId = await startExternal(url)
      await report(url, taskId, ...progressReports(1, 10))
      const client = webSocketClient(webSocketUrl)
      const seen: Result[] = []
      const viewer = collect(client, WATCH, { taskId, last: 3 }, (result) => seen.push(result))
      await until('the replay', () => seen.length === 4)
      const cursor = eventsOf(seen)[1].cursor
      await report(url, taskId, { success: {} })
      expect(currentsOf(await viewer)).toEqual([8, 9, 10])

      const resumed = await collect(client, WATCH, { taskId, after: cursor, last: 100 })
      expect(kindsOf(resumed)).toEqual([
        'StreamOpened',
        'ProgressUpdate',
        'ProgressUpdate',
        'TrainingSucceeded',
        'StreamClosing',
      ])
      expect(currentsOf(resumed)).toEqual([9, 10])
    })

    it('shows one that comes after the end how it ended, and completes', async () => {
      const { url, webSocketUrl } = await openServer()
      const taskId = await startExternal(url)
      await report(url, taskId, ...progressReports(1, 5), {
        failure: { error: 'out of memory', errorType: 'OOM' },
      })
      const client = webSocketClient(webSocketUrl)
      const late = await collect(client, WATCH, { taskId })
      expect(kindsOf(late)).toEqual(['StreamOpened', 'TrainingFailed', 'StreamClosing'])
      expect(eventsOf(late)[1]).toMatchObject({ error: 'out of memory', errorType: 'OOM' })

      const replayed = await collect(client, WATCH, { taskId, last: 3 })
      expect(kindsOf(replayed)).toEqual([
        'StreamOpened',
        'ProgressUpdate',
        'ProgressUpdate',
        'TrainingFailed',
        'StreamClosing',
      ])
      // Who has seen the end already is told that there is nothing more, not the end again.
      const again = await collect(client, WATCH, { taskId, after: eventsOf(late)[1].cursor })
      expect(kindsOf(again)).toEqual(['StreamOpened', 'StreamClosing'])
      expect(kindsOf(await collectSse(url, WATCH, { taskId }))).toEqual(kindsOf(late))
    })

    it('resumes in the middle of a burst of 10,000 events without losing or repeating one', async () => {
      const { url, webSocketUrl } = await openServer({ EPOCHCAST_RETAIN_EVENTS: '20000' })
      const taskId = await startExternal(url)
      await report(url, taskId, { status: { status: 'RUNNING' } })

      const burst = (async () => {
        for (let from = 1; from <= 10_000; from += 100)
          await report(url, taskId, ...progressReports(from, from + 99))
        await report(url, taskId, { success: {} })
      })()
      const seen: Result[] = []
      let cursor: string | null = null
      let connections = 0
      // Each connection is cut after some hundreds of events, wherever it stands then.
      for (let ended = false; !ended; ) {
        connections++
        const client = webSocketClient(webSocketUrl)
        let count = 0
        const variables: Data = { taskId, after: cursor, last: 20_000 }
        for await (const result of client.iterate({ query: WATCH, variables })) {
          const event: Data = (result as Result).data.trainingProgress
          cursor = event.cursor
          if (event.__typename === 'StreamOpened') continue
          if (event.__typename === 'StreamClosing') ended = true
          else seen.push(result as Result)
          if (++count === 700) break
        }
        client.terminate()
      }
      await burst
      expect(connections).toBeGreaterThan(10)
      expect(currentsOf(seen)).toEqual(range(1, 10_000))
      expect(kindsOf(seen).at(-1)).toBe('TrainingSucceeded')
    })

    it('announces what was trimmed before the cursor', async () => {
      const { url, webSocketUrl } = await openServer({ EPOCHCAST_RETAIN_EVENTS: '10' })
      const taskId = await startExternal(url)
      const { cursor } = await report(url, taskId, ...progressReports(1, 2))
      await report(url, taskId, ...progressReports(3, 20))
      await report(url, taskId, { success: {} })
      const results = await collect(webSocketClient(webSocketUrl), WATCH, { taskId, after: cursor })
      expect(kindsOf(results).slice(0, 3)).toEqual(['StreamOpened', 'EventsSkipped', 'ProgressUpdate'])
      expect(eventsOf(results)[1]).toMatchObject({ count: 9, skipReason: 'TRIMMED' })
      expect(currentsOf(results)).toEqual(range(12, 20))
    })

    it('delivers a loss that is not a number, and keeps it in state and series', async () => {
      const { url, webSocketUrl } = await openServer()
      const taskId = await startExternal(url)
      await report(
        url,
        taskId,
        { progress: { current: 1, loss: 0.5, metrics: { grad: 'Infinity' } } },
        { progress: { current: 2, loss: 'NaN', metrics: { grad: '-Infinity' } } },
        { success: {} },
      )
      const events = eventsOf(await collect(webSocketClient(webSocketUrl), WATCH, { taskId, last: 10 }))
      expect(events.filter(({ __typename }) => __typename === 'ProgressUpdate')).toMatchObject([
        { loss: 0.5, metrics: { grad: 'Infinity' } },
        { loss: 'NaN', metrics: { grad: '-Infinity' } },
      ])
      const { task } = await run(
        url,
        'query ($id: ID!) { task(id: $id) { loss metrics series { name phase points { step value } } } }',
        { id: taskId },
      )
      expect(task).toEqual({
        loss: 'NaN',
        metrics: { grad: '-Infinity', loss: 'NaN' },
        series: [
          {
            name: 'grad',
            phase: null,
            points: [
              { step: 1, value: 'Infinity' },
              { step: 2, value: '-Infinity' },
            ],
          },
          {
            name: 'loss',
            phase: null,
            points: [
              { step: 1, value: 0.5 },
              { step: 2, value: 'NaN' },
            ],
          },
        ],
      })
    })

    it('ends a stream at its maximum duration, with a cursor to go on from', async () => {
      const { url, webSocketUrl } = await openServer({ EPOCHCAST_MAX_STREAM_SECONDS: '1' })
      const taskId = await startExternal(url)
      await report(url, taskId, ...progressReports(1, 3))
      const client = webSocketClient(webSocketUrl)
      const results = await collect(client, WATCH, { taskId, last: 2 })
      expect(kindsOf(results)).toEqual(['StreamOpened', 'ProgressUpdate', 'ProgressUpdate', 'StreamTimedOut'])
      await report(url, taskId, ...progressReports(4, 4))
      await report(url, taskId, { success: {} })
      const after = eventsOf(results).at(-1).cursor
      expect(currentsOf(await collect(client, WATCH, { taskId, after }))).toEqual([4])
    })

    it('ends no stream of states, unless they have a bound of their own, which says why', async () => {
      const streams = [PROGRESS, UPDATES, HEARTBEAT] as const
      const lasting = await openServer({ EPOCHCAST_MAX_STREAM_SECONDS: '1' })
      const taskId = await startExternal(lasting.url)
      const ends: unknown[] = []
      const seen: Result[][] = streams.map(() => [])
      for (const [i, query] of streams.entries()) {
        webSocketClient(lasting.webSocketUrl).subscribe(
          { query, variables: { taskId } },
          {
            next: (result) => seen[i]?.push(result as Result),
            error: (error) => ends.push(error),
            complete: () => ends.push('complete'),
          },
        )
      }
      const training = await collect(webSocketClient(lasting.webSocketUrl), WATCH, { taskId })
      expect(kindsOf(training).at(-1)).toBe('StreamTimedOut')
      await report(lasting.url, taskId, ...progressReports(1, 1))
      const last = (i: number): Data => seen[i]?.at(-1)?.data
      await until('both to be told', () => last(0)?.taskProgress.current && last(1)?.taskUpdates.current)
      expect(ends).toEqual([])

      const bounded = await openServer({ EPOCHCAST_MAX_STATE_STREAM_SECONDS: '1' })
      const boundedTask = { taskId: await startExternal(bounded.url) }
      const why = {
        message:
          'the stream reached its maximum duration of 1 s (EPOCHCAST_MAX_STATE_STREAM_SECONDS); subscribe again to go on',
        extensions: { code: 'STREAM_TIMED_OUT', retryable: true },
      }
      for (const query of streams) {
        const client = webSocketClient(bounded.webSocketUrl)
        await expect(collect(client, query, boundedTask)).rejects.toMatchObject([why])
        expect((await collectSse(bounded.url, query, boundedTask)).at(-1)).toMatchObject({ errors: [why] })
      }
      await until('nothing to be left', () => bounded.gauges().subscriptions === 0)
    })

    it('leaves nothing open once everyone has left, in whatever way', async () => {
      const { url, webSocketUrl, gauges } = await openServer()
      const taskId = await startExternal(url)
      const idle = gauges()
      const leavers: (() => void)[] = []
      for (const query of [WATCH, PROGRESS, UPDATES, HEARTBEAT]) {
        const leaving = webSocketClient(webSocketUrl)
        leavers.push(
          leaving.subscribe({ query, variables: { taskId } }, { next() {}, error() {}, complete() {} }),
        )
        const dying = webSocketClient(webSocketUrl)
        dying.subscribe({ query, variables: { taskId } }, { next() {}, error() {}, complete() {} })
        leavers.push(() => dying.terminate())
        const controller = new AbortController()
        const sse = await fetch(url, {
          method: 'POST',
          signal: controller.signal,
          headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
          body: JSON.stringify({ query, variables: { taskId } }),
        })
        await sse.body?.getReader().read()
        leavers.push(() => controller.abort())
      }
      await until('all to be there', () => gauges().subscriptions === 12 && gauges().feeds === 1)
      for (const leave of leavers) leave()
      await until('all to be gone', () => gauges().subscriptions === 0 && gauges().sockets <= 4)
      expect(gauges()).toMatchObject({
        subscriptions: 0,
        feeds: 0,
        updateSubscribers: 0,
        watches: idle.watches,
      })
    })
  })

  describe('conflated subscriptions', () => {
    it('taskProgress opens with the state, skips to the newest, and completes after the final one', async () => {
      const { url, webSocketUrl, gauges } = await openServer()
      const taskId = await startExternal(url)
      const states: Result[] = []
      const startedAt = performance.now()
      const viewer = collect(
        webSocketClient(webSocketUrl),
        PROGRESS,
        { taskId, minIntervalMs: 200 },
        (result) => states.push(result),
      )
      await until('the first state', () => states.length === 1 && gauges().feeds === 1)
      for (let from = 1; from <= 1000; from += 50)
        await report(url, taskId, ...progressReports(from, from + 49))
      await report(url, taskId, { success: { result: 7 } })
      await viewer
      const seen = states.map(({ data }) => data.taskProgress)
      expect(seen[0]).toMatchObject({ status: 'QUEUED', current: null })
      expect(seen.at(-1)).toMatchObject({ status: 'SUCCESS', current: 1000, result: 7 })
      // 22 changes were announced; between the first value and the last, each came 200 ms after the one before.
      expect(seen.length).toBeLessThanOrEqual(3 + (performance.now() - startedAt) / 200)
      const late = await collect(webSocketClient(webSocketUrl), PROGRESS, { taskId })
      expect(late.map(({ data }) => data.taskProgress.status)).toEqual(['SUCCESS'])
    })

    it('taskUpdates opens with what is unfinished and then tells every matching change', async () => {
      const { url, webSocketUrl } = await openServer()
      const finished = await startExternal(url)
      await report(url, finished, { success: {} })
      const running = await startExternal(url, { machineId: 'motor_siemens_001' })
      const other = await startExternal(url, { machineId: 'cnc_brother_speedio_001' })
      const seen: Result[] = []
      const follow = (variables: Record<string, unknown>, results: Result[]) => {
        const client = webSocketClient(webSocketUrl)
        client.subscribe(
          { query: UPDATES, variables },
          { next: (result) => results.push(result as Result), error() {}, complete() {} },
        )
      }
      const ofMotor: Result[] = []
      const ofFinished: Result[] = []
      follow({}, seen)
      follow({ filter: { machineId: 'motor_siemens_001' } }, ofMotor)
      follow({ filter: { ids: [finished] } }, ofFinished)
      const ids = (results: Result[]) => results.map(({ data }) => data.taskUpdates.id)
      await until('the openings', () => seen.length === 3 && ofMotor.length === 1 && ofFinished.length === 1)
      // That it has just ended is told, too: a client that was away has missed it.
      expect(ids(seen)).toEqual([other, running, finished])
      expect(ids(ofFinished)).toEqual([finished])

      await report(url, other, ...progressReports(1, 3))
      await report(url, running, ...progressReports(1, 2), { success: {} })
      const statuses = (results: Result[]) => results.map(({ data }) => data.taskUpdates.status)
      await until('the end of the motor', () => statuses(ofMotor).at(-1) === 'SUCCESS')
      await until(
        'all changes',
        () => statuses(seen).at(-1) === 'SUCCESS' && statuses(seen).includes('RUNNING'),
      )
      expect(new Set(ids(ofMotor))).toEqual(new Set([running]))
      const created = await startExternal(url)
      await until('the new task', () => ids(seen).includes(created))
    })

    it('heartbeat counts and tells about the engine', async () => {
      const { webSocketUrl } = await openServer()
      const beats: Result[] = []
      for await (const beat of webSocketClient(webSocketUrl).iterate({ query: HEARTBEAT })) {
        beats.push(beat as Result)
        if (beats.length === 3) break
      }
      expect(beats.map(({ data }) => data.heartbeat.sequence)).toEqual([1, 2, 3])
      expect(beats[0]?.data.heartbeat.engine).toEqual({ name: engine, connected: true })
    })
  })

  describe('one socket', () => {
    it('carries many subscriptions, queries and mutations', async () => {
      const { url, webSocketUrl, gauges } = await openServer()
      const client = webSocketClient(webSocketUrl)
      const ids = await Promise.all(range(1, 10).map(() => startExternal(url)))
      const viewers = ids.map((taskId) => collect(client, WATCH, { taskId }))
      await until('the viewers to be there', () => gauges().feeds === 10)
      expect(gauges().sockets).toBe(1)
      for (const taskId of ids) {
        const input = { taskId, reports: [{ progress: { current: 1 } }, { success: {} }] }
        await collect(
          client,
          'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }',
          { input },
        )
      }
      for (const viewer of viewers) {
        expect(kindsOf(await viewer)).toEqual([
          'StreamOpened',
          'StatusChanged',
          'ProgressUpdate',
          'TrainingSucceeded',
          'StreamClosing',
        ])
      }
      const [answer] = await collect(client, TASK, { id: ids[0] })
      expect(answer?.data.task.status).toBe('SUCCESS')
    })
  })
}, COSTLY)
