// @ts-check
import { PostClient } from '../client/http.js'

/** @typedef {import('../client/watched-task.js').WatchedTask} WatchedTask */
/** @typedef {import('ioredis').Redis} Redis */

/**
 * Brings a task's next reports in.
 *
 * @typedef {object} Reporter
 * @property {(task: WatchedTask, count: number, producer?: string) => Promise<void>} report resolves once it is
 *   confirmed; calls for one task that are under way at the same time are each of a producer of its own
 * @property {() => void} close
 */

/** Connections over which reports are posted, and thereby calls under way at a time. */
export const REPORT_CONNECTIONS = 16
const PRODUCER = 'bench'

const REPORT = /* GraphQL */ `
  mutation Report($input: ReportMetricsInput!) {
    reportMetrics(input: $input) { accepted duplicates stopRequested }
  }
`

/**
 * By POST, as trainers do; the same body for every candidate.
 *
 * @implements {Reporter}
 */
export class HttpReporter {
  #client

  /** @param {number} port */
  constructor(port) {
    this.#client = new PostClient(port, '/graphql', REPORT_CONNECTIONS)
  }

  /**
   * @param {WatchedTask} task
   * @param {number} count
   * @param {string} [producer]
   */
  async report(task, count, producer = PRODUCER) {
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

/**
 * By PUBLISH, from this process, so that the server has nothing to do with it but to deliver.
 *
 * @implements {Reporter}
 */
export class PublishReporter {
  #redis
  #channelOf
  #payloadOf

  /**
   * @param {Redis} redis
   * @param {(taskId: string) => string} channelOf
   * @param {(taskId: string, progress: import('../client/workload.js').Progress) => string} payloadOf
   */
  constructor(redis, channelOf, payloadOf) {
    this.#redis = redis
    this.#channelOf = channelOf
    this.#payloadOf = payloadOf
  }

  /**
   * @param {WatchedTask} task
   * @param {number} count
   */
  async report(task, count) {
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
