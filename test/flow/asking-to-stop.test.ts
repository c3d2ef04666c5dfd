import { describe, expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import {
  CANCEL,
  type Data,
  progressReports,
  refusal,
  report,
  run,
  startExternal,
  TASK,
} from '../support/graphql.ts'

const ASK = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) {
    reportMetrics(input: $input) { accepted duplicates cursor stopRequested warnings }
  }`

const asked = async (url: string, taskId: string, more: object = {}): Promise<Data> =>
  (await run(url, ASK, { input: { taskId, reports: [], ...more } })).reportMetrics

describeEngines((open) => {
  describe('a call without reports', () => {
    it('tells whether to stop, and leaves the task as it is', async () => {
      const { url } = await open()
      const taskId = await startExternal(url)
      const queued = await asked(url, taskId)
      expect(queued).toMatchObject({ accepted: 0, duplicates: 0, stopRequested: false, warnings: [] })
      const { cursor } = await report(url, taskId, ...progressReports(1, 3))
      const before = await run(url, TASK, { id: taskId })
      expect(await asked(url, taskId)).toMatchObject({ cursor, stopRequested: false })
      expect(await asked(url, taskId, { producer: 'p', firstSequence: 7, attempt: 1 })).toMatchObject({
        cursor,
      })
      expect(await run(url, TASK, { id: taskId })).toEqual(before)
      await run(url, CANCEL, { input: { taskId } })
      expect(await asked(url, taskId)).toMatchObject({ accepted: 0, stopRequested: true })
    })

    it('tells to stop where the task has ended, however it did', async () => {
      const { url } = await open()
      const finished = await startExternal(url)
      expect(await report(url, finished, { success: {} })).toMatchObject({ stopRequested: false })
      expect(await asked(url, finished)).toMatchObject({ accepted: 0, stopRequested: true })
      const cancelled = await startExternal(url)
      await run(url, CANCEL, { input: { taskId: cancelled } })
      expect(await asked(url, cancelled)).toMatchObject({ accepted: 0, stopRequested: true })
    })

    it('is refused for a task that is not there, and for an attempt that is over', async () => {
      const { url } = await open()
      const unknown = await refusal(url, ASK, { input: { taskId: 'unknown', reports: [] } })
      expect(unknown.extensions).toMatchObject({ code: 'TASK_NOT_FOUND' })
      const taskId = await startExternal(url)
      await run(url, ASK, { input: { taskId, reports: progressReports(1, 1), attempt: 2 } })
      const stale = await refusal(url, ASK, { input: { taskId, reports: [], attempt: 1 } })
      expect(stale.extensions).toMatchObject({ code: 'STALE_ATTEMPT' })
      // Asking is no launch.
      await asked(url, taskId, { attempt: 3 })
      expect((await run(url, TASK, { id: taskId })).task).toMatchObject({ attempt: 2 })
    })
  })
})
