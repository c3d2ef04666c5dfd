import type { Redis } from 'ioredis'
import { PostClient } from '../client/http.ts'
import type { WatchedTask } from '../client/watched-task.ts'
import type { Progress } from '../client/workload.ts'

/** Brings a task's next reports in. */
export interface Reporter {
  /** Resolves once it is confirmed; calls for one task that are under way at the same time are each of a producer of its own. */
  readonly report: (task: WatchedTask, count: number, producer?: string) => Promise<void>
  readonly close: () => void
}

/** Connections over which reports are posted, and thereby calls under way at a time. */
export const REPORT_CONNECTIONS = 16
const PRODUCER = 'bench'

const REPORT = /* GraphQL */ `
  mutation Report($input: ReportMetricsInput!) {
    reportMetrics(input: $input) { accepted duplicates stopRequested }
  }
`

/** By POST, as trainers do; the same body for every candidate. */
export class HttpReporter implements Reporter {
  readonly #client: PostClient

  constructor(port: number) {
    this.#client = new PostClient(port, '/graphql', REPORT_CONNECTIONS)
  }

  async report(task: WatchedTask, count: number, producer: string = PRODUCER) {
    const firstSequence = task.reportedBy(producer) + 1
    const reports = task.nextReports(count, producer).map((progress) => ({ progress }))
    const answer = await this.#client.post(
      JSON.stringify({
        operationName: 'Report',
        query: REPORT,
        variables: { input: { taskId: task.id, producer, firstSequence, reports } },
      }),
    )
    const { data, errors } = JSON.parse(answer)
    if (errors || data.reportMetrics.accepted !== count) {
      throw new Error(`${count} reports were answered with ${answer.slice(0, 400)}`)
    }
  }

  close() {
    this.#client.close()
  }
}

/** By PUBLISH, from this process, so that the server has nothing to do with it but to deliver. */
export class PublishReporter implements Reporter {
  readonly #redis: Redis
  readonly #channelOf: (taskId: string) => string
  readonly #payloadOf: (taskId: string, progress: Progress) => string

  constructor(
    redis: Redis,
    channelOf: (taskId: string) => string,
    payloadOf: (taskId: string, progress: Progress) => string,
  ) {
    this.#redis = redis
    this.#channelOf = channelOf
    this.#payloadOf = payloadOf
  }

  async report(task: WatchedTask, count: number) {
    const channel = this.#channelOf(task.id)
    const pipeline = this.#redis.pipeline()
    for (const progress of task.nextReports(count)) {
      pipeline.publish(channel, this.#payloadOf(task.id, progress))
    }
    const answers = (await pipeline.exec()) ?? []
    const lost = answers.filter(([error, receivers]) => error || receivers !== 1)
    if (answers.length !== count || lost.length > 0) {
      throw new Error(`${count} messages published, ${lost.length} of them not to exactly one server`)
    }
  }

  close() {
    this.#redis.disconnect()
  }
}
