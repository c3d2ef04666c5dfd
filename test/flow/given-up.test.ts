import { describe, expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import {
  CANCEL,
  collect,
  type Data,
  eventsOf,
  kindsOf,
  progressReports,
  REPORT,
  refusal,
  report,
  run,
  startExternal,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { until } from '../support/until.ts'

const UPDATES = 'subscription { taskUpdates { id status error { type } finishedAt } }'
const UNFINISHED = /* GraphQL */ `{ tasks(filter: { statuses: [RUNNING, STALLED] }) { edges { node { id } } } }`

describeEngines((open) => {
  describe('a task that was only given up', () => {
    const given = async () => {
      const { url } = await open({ EPOCHCAST_STALL_SECONDS: '1', EPOCHCAST_ABANDON_SECONDS: '2' })
      const client = webSocketClient(url)
      const updates: Data[] = []
      collect(client, UPDATES, {}, ({ data }) => updates.push(data.taskUpdates)).catch(() => {})
      const taskId = await startExternal(url)
      await report(url, taskId, ...progressReports(1, 3))
      const watched = await collect(client, WATCH, { taskId, last: 100 })
      await until('the end to be told', () => updates.at(-1)?.status === 'FAILURE')
      return { url, client, updates, taskId, watched }
    }

    it('comes back when its trainer reports: for viewers, lists and its log', {
      timeout: 30_000,
    }, async () => {
      const { url, client, updates, taskId, watched } = await given()
      expect(kindsOf(watched).slice(-2)).toEqual(['TrainingFailed', 'StreamClosing'])
      expect(updates.at(-1)).toMatchObject({
        id: taskId,
        error: { type: 'Abandoned' },
        finishedAt: expect.any(String),
      })
      // Who asks is not told to stop: what it reports is taken.
      const ask = { input: { taskId, reports: [] } }
      expect((await run(url, REPORT, ask)).reportMetrics).toMatchObject({ stopRequested: false })

      expect(await report(url, taskId, ...progressReports(4, 5))).toMatchObject({ accepted: 2 })
      await until('the return to be told', () => updates.at(-1)?.status === 'RUNNING')
      expect(updates.at(-1)).toEqual({ id: taskId, status: 'RUNNING', error: null, finishedAt: null })
      expect((await run(url, UNFINISHED)).tasks.edges).toEqual([{ node: { id: taskId } }])

      // Who comes back with the cursor of the end gets what followed it, and who replays all of it stops at no end before.
      const after = eventsOf(watched).at(-1).cursor
      const resumed = collect(client, WATCH, { taskId, after })
      const replayed = collect(client, WATCH, { taskId, last: 100 })
      await report(url, taskId, { success: { result: 'all of it' } })
      const kinds = [
        'StatusChanged',
        'ProgressUpdate',
        'ProgressUpdate',
        'TrainingSucceeded',
        'StreamClosing',
      ]
      expect(kindsOf(await resumed).slice(1)).toEqual(kinds)
      const whole = kindsOf(await replayed)
      expect(whole.slice(-6)).toEqual(['TrainingFailed', ...kinds])
      expect(whole.filter((kind) => kind === 'ProgressUpdate')).toHaveLength(5)

      expect((await run(url, TASK, { id: taskId })).task).toMatchObject({
        status: 'SUCCESS',
        error: null,
        result: 'all of it',
      })
      for (const member of [null, 'rank-1']) {
        const late = await refusal(url, REPORT, { input: { taskId, member, reports: progressReports(6, 6) } })
        expect(late.extensions).toMatchObject({ code: 'TASK_ENDED', status: 'SUCCESS' })
      }
    })

    it('cannot be cancelled, and can be deleted', { timeout: 30_000 }, async () => {
      const { url, taskId } = await given()
      expect((await refusal(url, CANCEL, { input: { taskId } })).extensions).toMatchObject({
        code: 'TASK_ENDED',
      })
      await run(url, 'mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { taskId } }', {
        input: { taskId },
      })
      const late = await refusal(url, REPORT, { input: { taskId, reports: progressReports(4, 4) } })
      expect(late.extensions).toMatchObject({ code: 'TASK_NOT_FOUND' })
    })
  })

  it('an end is an end for every member, whoever of them has yet to report', async () => {
    const { url } = await open()
    const taskId = await startExternal(url)
    const ofMember = (member: string) => ({ input: { taskId, member, reports: progressReports(1, 1) } })
    await run(url, REPORT, ofMember('rank-1'))
    await report(url, taskId, { success: {} })
    for (const member of ['rank-1', 'rank-2']) {
      const late = await refusal(url, REPORT, ofMember(member))
      expect(late.extensions).toMatchObject({ code: 'TASK_ENDED', status: 'SUCCESS', retryable: false })
    }
  })
})
