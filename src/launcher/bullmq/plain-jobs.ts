import { EpochcastError } from '../../task/errors.ts'
import type { ProcessEnd } from '../../task/lifecycle.ts'
import { LIMITS } from '../../task/limits.ts'
import { lastCharacters } from '../../task/text.ts'
import type { JobData } from './job-data.ts'
import { postGraphQL } from './post-graphql.ts'
import type { PlainJobs } from './queue-worker.ts'
import type { RunningTask } from './running-task.ts'

export interface ServerAccess {
  readonly queue: string
  /** The GraphQL endpoint; null where the worker knows none. */
  readonly url: string | null
  /** Null for a server without authentication. */
  readonly token: string | null
}

const START = /* GraphQL */ `
  mutation ($input: StartTrainingInput!) {
    startTraining(input: $input) { task { id channelPrefix } reportToken }
  }`
const REPORT = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }`

/** Jobs that others put into the queue become runs that only report, at the server that the worker knows. */
export class PlainJobsOverHttp implements PlainJobs {
  readonly #access: ServerAccess

  constructor(access: ServerAccess) {
    this.#access = access
  }

  async register(jobId: string, { params, channelPrefix, name }: JobData): Promise<RunningTask> {
    const { queue, url } = this.#access
    if (url === null) {
      throw new Error(
        'JobWithoutTask: no server put the job into the queue, and the worker knows none to register it at; expected EPOCHCAST_REPORT_URL',
      )
    }
    const input = {
      ...{ trainer: 'external', params, idempotencyKey: `bullmq:${queue}:${jobId}` },
      ...(channelPrefix === undefined ? {} : { channelPrefix }),
      ...(name === undefined ? {} : { name }),
    }
    const { startTraining } = await postGraphQL<Started>(url, START, { input }, this.#access.token)
    const { task, reportToken } = startTraining
    return { key: task, reportToken, reportUrl: url }
  }

  async end({ key, reportToken, reportUrl }: RunningTask, attempt: number, end: ProcessEnd): Promise<void> {
    const report = end.isSuccess
      ? { success: {} }
      : { failure: { error: lastCharacters(end.message, LIMITS.errorLength), errorType: end.type } }
    const input = { taskId: key.id, channelPrefix: key.channelPrefix, attempt, reports: [report] }
    try {
      await postGraphQL(reportUrl, REPORT, { input }, reportToken)
    } catch (error) {
      // Its trainer has told its end itself.
      if (!(error instanceof EpochcastError && error.code === 'TASK_ENDED')) throw error
    }
  }
}

interface Started {
  readonly startTraining: {
    readonly task: RunningTask['key']
    readonly reportToken: string | null
  }
}
