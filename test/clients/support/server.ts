import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import {
  type ClientOptions,
  createClient,
  type EpochcastClient,
  type ReportInput,
  ReportMetricsDocument,
  StartTrainingDocument,
  type StartTrainingInput,
} from '../../../clients/typescript/index.ts'

/** A client that retries at once, and is disposed when the test is over. */
export function testClient(url: string, options: Partial<ClientOptions> = {}): EpochcastClient {
  const retry = { minDelayMs: 2, maxDelayMs: 50, ...options.retry }
  const client = createClient({ url, webSocketImpl: WebSocket, ...options, retry })
  onTestFinished(() => client.dispose())
  return client
}

/** Registers a training that the test itself reports. */
export async function startExternal(
  client: EpochcastClient,
  more: Pick<StartTrainingInput, 'name' | 'labels'> = {},
): Promise<string> {
  const input = { trainer: 'external', ...more }
  const { startTraining } = await client.execute(StartTrainingDocument, { input })
  return startTraining.task.id
}

export async function report(
  client: EpochcastClient,
  taskId: string,
  ...reports: readonly ReportInput[]
): Promise<void> {
  await client.execute(ReportMetricsDocument, { input: { taskId, reports } })
}

export const progressReports = (from: number, to: number): ReportInput[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ progress: { current: from + index, total: to } }))

/** A trainer that reports three steps, and then ends as its parameter `ending` says. */
export const STEPS_TRAINER = `
const steps = [1, 2, 3].map((current) => ({ progress: { current, total: 3, loss: 1 / current } }))
const endings = {
  success: [{ success: { result: { accuracy: 0.93 } } }],
  failure: [{ failure: { error: 'loss is NaN\\n  in step 3', errorType: 'Diverged' } }],
  crash: [],
}
await report(...steps, ...endings[params.ending ?? 'success'])
if (params.ending === 'crash') throw new Error('out of memory')
`
