import { expect, it } from 'vitest'
import { ReportQueue } from '../../clients/cli/report-queue.ts'
import type { ReportSender } from '../../clients/cli/report-sender.ts'
import { EpochcastClientError, type ReportInput } from '../../clients/typescript/index.ts'

const reports = (...steps: number[]): ReportInput[] => steps.map((current) => ({ progress: { current } }))
const error = (code: string, retryable: boolean) =>
  new EpochcastClientError(code, { code, retryable, errors: retryable ? [] : [{ message: code } as never] })

/** A queue to a sender whose calls are in the hands of the test. */
function queueTo(send: (steps: readonly number[]) => Promise<void>, maxSize?: number) {
  const refused: string[] = []
  const sender = {
    send: (given: ReportInput[]) => send(given.map(({ progress }) => progress?.current as number)),
    refuse: (code: string) => refused.push(code),
  } as unknown as ReportSender
  const options = { signal: new AbortController().signal, onAway: () => {}, ...(maxSize && { maxSize }) }
  return { queue: new ReportQueue(sender, options), refused }
}

it('keeps as much as its bound, and tells what it leaves out', async () => {
  const seen: number[] = []
  let respond = () => {}
  const { queue, refused } = queueTo((steps) => {
    seen.push(...steps)
    return new Promise((resolve) => {
      respond = resolve
    })
  }, 10)
  queue.addReports(reports(1), 5)
  queue.addReports(reports(2), 5)
  queue.addReports(reports(3, 4), 1)
  expect(refused).toEqual(['LEFT_OUT', 'LEFT_OUT'])
  respond()
  await expect.poll(() => seen).toEqual([1, 2])
  queue.addReports(reports(5), 5)
  respond()
  await expect.poll(() => seen).toEqual([1, 2, 5])
  respond()
  await queue.finish()
})

it('repeats only what was not taken, where a call is refused and the next one fails', async () => {
  const seen: (readonly number[])[] = []
  let failures = 1
  const { queue, refused } = queueTo(async (steps) => {
    seen.push(steps)
    if (steps.includes(2)) throw error('BAD_INPUT', false)
    if (steps.includes(3) && failures-- > 0) throw error('ENGINE_UNAVAILABLE', true)
  })
  queue.addReports(reports(1, 2, 3), 3)
  queue.addProblem('a line')
  await queue.finish()
  expect(seen).toEqual([[1, 2, 3], [1], [2], [3], [3]])
  expect(refused).toEqual(['BAD_INPUT', 'BAD_INPUT'])
})

it('gives up at the end, where trying again does not help', async () => {
  const { queue } = queueTo(async () => {
    throw new EpochcastClientError('404', { code: 'BAD_RESPONSE', retryable: false })
  })
  queue.addReports(reports(1), 1)
  await expect(queue.finish()).rejects.toThrow('404')
})
