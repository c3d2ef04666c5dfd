import type { Logger } from 'pino'
import { type Config, ConfigError } from './config.ts'
import { Trainers } from './dispatch/trainers.ts'
import { reachability } from './event-log/redis/reachability.ts'
import { openQueueConnection } from './launcher/bullmq/connection.ts'
import { PlainJobsOverHttp } from './launcher/bullmq/plain-jobs.ts'
import { QueueWorker, type WorkerLine } from './launcher/bullmq/queue-worker.ts'

export interface WorkerSettings {
  readonly queue: string
  readonly concurrency: number
}

export interface OpenWorker {
  /** Takes no further jobs and ends those that run. */
  close(): Promise<void>
}

/**
 * Takes jobs of a queue and runs their trainers, by the worker's own configuration of them.
 *
 * @throws ConfigError
 */
export function startWorker(
  config: Config,
  { queue, concurrency }: WorkerSettings,
  logger: Logger,
): OpenWorker {
  const { bullmq } = config.queues
  if (bullmq.url === null) {
    throw new ConfigError('neither EPOCHCAST_QUEUE_URL nor REDIS_URL is set; expected the Redis of the queue')
  }
  const trainers = Trainers.load(config.trainersFile, config.channelPrefixes)
  const runs = trainers.all().flatMap((trainer) => (trainer.launcher === 'bullmq' ? [trainer] : []))
  const own = runs.filter((trainer) => trainer.queue === queue)
  if (own.length === 0) {
    throw new ConfigError(
      `${config.trainersFile ?? 'EPOCHCAST_TRAINERS'} has no trainer of the launcher bullmq for queue ${JSON.stringify(queue)}; expected one, or another queue`,
    )
  }
  const connection = openQueueConnection(bullmq.url, {
    isWorker: true,
    commandTimeoutMs: config.redisTimeoutMs,
    ...reachability(logger),
  })
  const { reportUrl } = config.operation
  const worker = new QueueWorker(connection, {
    ...{ queue, concurrency, prefix: bullmq.prefix, lockMs: bullmq.lockMs },
    ...{
      env: config.trainerEnv,
      stopGraceMs: config.stopGraceMs,
      killGraceMs: config.killGraceMs,
      reportUrl,
    },
    linesPerSecond: config.operation.output.linesPerSecond,
    systemMetricsMs: config.operation.output.systemMetricsMs,
    find: (name) => own.find((trainer) => trainer.name === name),
    plain: new PlainJobsOverHttp({ queue, url: reportUrl, token: bullmq.workerToken }),
    log: (line) => tell(logger, line),
    onError: (err) => logger.error({ err }, 'something failed in the background'),
  })
  worker.start()
  logger.info(
    `takes jobs of queue ${queue}, ${concurrency} at a time: ${own.map(({ name }) => name).join(', ')}`,
  )
  return {
    close: async () => {
      await worker.close()
      connection.disconnect()
    },
  }
}

const WORDS = { begins: 'is run', ended: 'is over', refused: 'is refused', waits: 'waits for its server' }

function tell(logger: Logger, { what, job, attempt, why }: WorkerLine): void {
  logger.info(
    { job, attempt, ...(why === undefined ? {} : { why }) },
    `${job} ${WORDS[what]} (attempt ${attempt})`,
  )
}
