import { expect, it } from 'vitest'
import { LIMITS } from '../../src/task/limits.ts'
import { describeEngines } from '../support/engines.ts'
import { type Data, refusal, report, run, startExternal, TASK } from '../support/graphql.ts'

const REPORT = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted warnings } }`

describeEngines((open) => {
  const reported = async (url: string, taskId: string, reports: unknown[]): Promise<Data> =>
    (await run(url, REPORT, { input: { taskId, reports } })).reportMetrics

  it('a failure whose traceback is too long ends its task, and keeps the end of the traceback', async () => {
    const { url } = await open()
    const taskId = await startExternal(url)
    const error = `${'  in loop\n'.repeat(3000)}ValueError: loss is NaN`
    const { accepted, warnings } = await reported(url, taskId, [
      { failure: { error, errorType: 'E'.repeat(300) } },
    ])
    expect(accepted).toBe(1)
    expect(warnings).toEqual([
      `reports[0].failure.error has ${error.length} characters; its end was kept, ${LIMITS.errorLength} characters`,
      'reports[0].failure.errorType has 300 characters; its beginning was kept, 256 characters',
    ])
    const { task } = await run(url, TASK, { id: taskId })
    expect(task.status).toBe('FAILURE')
    expect(task.error.message).toHaveLength(LIMITS.errorLength)
    expect(task.error.message).toMatch(
      /^\[cut: 30023 characters, at most 16384\] .*ValueError: loss is NaN$/s,
    )
    expect(task.error.type).toMatch(/^E+ \[cut: 300 characters, at most 256\]$/)
  })

  it('a message or stage that is too long does not take the metrics beside it away', async () => {
    const { url } = await open()
    const taskId = await startExternal(url)
    const progress = { current: 1, metrics: { loss: 0.5 }, message: 'm'.repeat(4097), stage: 's'.repeat(129) }
    const { warnings } = await reported(url, taskId, [{ progress }])
    expect(warnings).toHaveLength(2)
    const { task } = await run(url, TASK, { id: taskId })
    expect(task).toMatchObject({ metrics: { loss: 0.5 } })
    expect(task.message).toMatch(/^m+ \[cut: 4097 characters, at most 4096\]$/)
    expect([task.message.length, task.stage.length]).toEqual([4096, 128])
  })

  it('at the bound nothing is cut, and characters are what is counted', async () => {
    const { url } = await open()
    const taskId = await startExternal(url)
    const message = '😀'.repeat(LIMITS.messageLength)
    expect((await reported(url, taskId, [{ progress: { current: 1, message } }])).warnings).toEqual([])
    expect((await run(url, TASK, { id: taskId })).task.message).toBe(message)
  })

  it('a call has a bounded number of warnings', async () => {
    const { url } = await open()
    const taskId = await startExternal(url)
    const reports = Array.from({ length: 30 }, (_, i) => ({
      progress: { current: i, stage: 's'.repeat(200) },
    }))
    const { warnings } = await reported(url, taskId, reports)
    expect(warnings).toHaveLength(21)
    expect(warnings[20]).toBe('and 10 more texts were cut or left out')
  })

  it('a message of a success, which has none, is told to be left out', async () => {
    const { url } = await open()
    const taskId = await startExternal(url)
    const success = { status: { status: 'SUCCESS', message: 'done' } }
    expect(await reported(url, taskId, [{ progress: { current: 1 } }, success])).toMatchObject({
      accepted: 2,
      warnings: [
        'reports[1].status.message was left out: a success has a result, no message; send it with progress before',
      ],
    })
  })

  it('a result that is too large is refused, and success is accepted without it', async () => {
    const { url } = await open()
    const taskId = await startExternal(url)
    const input = {
      taskId,
      reports: [{ progress: { current: 1 } }, { success: { result: 'x'.repeat(65_536) } }],
    }
    const { extensions } = await refusal(url, REPORT, { input })
    expect(extensions).toMatchObject({
      code: 'RESULT_TOO_LARGE',
      retryable: false,
      bytes: 65_538,
      max: 65_536,
    })
    expect((await run(url, TASK, { id: taskId })).task).toMatchObject({ status: 'QUEUED', current: null })
    await report(url, taskId, { progress: { current: 1 } }, { success: {} })
    expect((await run(url, TASK, { id: taskId })).task.status).toBe('SUCCESS')
  })

  it('a metric without a value is left out', async () => {
    const { url } = await open()
    const taskId = await startExternal(url)
    await report(url, taskId, { progress: { current: 1, metrics: { loss: 0.5, val_loss: null } } })
    await report(url, taskId, { epochEnd: { epoch: 1, phase: 'VAL', metrics: { f1: null } } })
    expect((await run(url, TASK, { id: taskId })).task.metrics).toEqual({ loss: 0.5 })
  })
})
