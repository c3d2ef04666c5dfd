import cluster, { type Worker } from 'node:cluster'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { type MetricsServer, serveMetrics } from './metrics/metrics-server.ts'
import { WorkersMetrics } from './metrics/workers-metrics.ts'

export interface Supervision {
  /** What the command line says, by the name of the variable; workers get it as their environment. */
  readonly settings: Readonly<Record<string, string>>
  readonly logger: Logger
  /** Resolves when everything is to end. */
  readonly stop: Promise<NodeJS.Signals>
}

/** Delay before a worker that ended is replaced; doubled for each that ended young, up to the longest. */
const MIN_RESTART_DELAY_MS = 100
const MAX_RESTART_DELAY_MS = 10_000
/** A worker that ended after this did its work; its successor starts with the shortest delay again. */
const STEADY_MS = 30_000
/** What a server may take to close, beside the times that are configured. */
const CLOSE_MARGIN_MS = 15_000

/** What a server takes at most from the signal until its process is gone. */
export const stopBoundMs = ({ killGraceMs, operation }: Config): number =>
  operation.stopDelayMs + killGraceMs + operation.drainMs + CLOSE_MARGIN_MS
/** A process that ends itself at its bound is given a moment for that. */
const KILL_MARGIN_MS = 1000

/**
 * Keeps `config.workers` server processes on one port until it is told to stop, and the port with them:
 * while one worker lives, new connections find it. A worker that ends, for whatever reason, is replaced;
 * its clients come back to the others and resume.
 *
 * Every limit that is of one server (EPOCHCAST_LOCAL_CONCURRENCY and EPOCHCAST_LOCAL_QUEUE,
 * EPOCHCAST_MAX_SUBSCRIPTIONS) is of one worker. Local trainers end with the worker that started them.
 *
 * On `stop`, every worker closes as a single server does: trainers, sockets, requests. One that takes longer
 * than `stopBoundMs` is killed. Should this process be killed, its workers end.
 *
 * @throws the error of listen, such as EADDRINUSE; an Error where the very first worker never listens
 */
export async function superviseWorkers(config: Config, supervision: Supervision): Promise<void> {
  const { settings, logger, stop } = supervision
  const port = await choosePort(config)
  // Workers take connections from the port themselves. Handed over by this process, one that was on its way to
  // a worker that crashed would stay open here, and its client would wait forever.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ args: ['serve'] })
  const env = { ...settings, PORT: String(port) }
  const workers = new Set<WorkerProcess>()
  const stopping = new AbortController()
  let bound: NodeJS.Timeout | undefined

  const fork = () => {
    const worker = new WorkerProcess(cluster.fork(env))
    workers.add(worker)
    worker.ended.then(() => workers.delete(worker))
    return worker
  }

  stop.then((signal) => {
    logger.info(`${signal}: ending ${workers.size} workers`)
    stopping.abort()
    for (const worker of workers) worker.kill('SIGTERM')
    bound = setTimeout(() => {
      logger.warn(`killing ${workers.size} workers that did not end in time`)
      for (const worker of workers) worker.kill('SIGKILL')
    }, stopBoundMs(config) + KILL_MARGIN_MS)
  })

  // What keeps the first from listening would keep all of them, again and again; so it goes alone.
  const first = fork()
  const early = await Promise.race([first.listening, first.ended])
  if (early !== undefined && !stopping.signal.aborted) {
    throw new Error(`the first worker ended (${early}) before it listened; its own last words say why`)
  }
  const others = stopping.signal.aborted ? [] : Array.from({ length: config.workers - 1 }, fork)
  const metricsServer = await metricsOf(config, logger, workers, stopping.signal)
  if (!stopping.signal.aborted) logger.info(`${config.workers} workers share ${config.host}:${port}`)
  await Promise.all(
    [first, ...others].map((worker) => keep(worker, { fork, logger, stopping: stopping.signal })),
  )
  await metricsServer?.close()
  clearTimeout(bound)
}

/** Of all workers together, on a port of this process, where one is configured. */
async function metricsOf(
  { operation: { metricsPort, metricsHost } }: Config,
  logger: Logger,
  workers: ReadonlySet<WorkerProcess>,
  stopping: AbortSignal,
): Promise<MetricsServer | undefined> {
  if (metricsPort === null || stopping.aborted) return undefined
  const metrics = new WorkersMetrics(() => [...workers].flatMap(({ connected }) => connected ?? []))
  const server = await serveMetrics({
    host: metricsHost,
    port: metricsPort,
    text: () => metrics.text(),
    isReady: async () => !stopping.aborted && workers.size > 0,
    onError: (err) => logger.error({ err }, 'the metrics could not be read'),
  })
  logger.info(`metrics of all workers at ${server.url}`)
  return server
}

interface Keeping {
  readonly fork: () => WorkerProcess
  readonly logger: Logger
  readonly stopping: AbortSignal
}

/** Sees to one place among the workers until it is no longer needed. */
async function keep(worker: WorkerProcess, { fork, logger, stopping }: Keeping): Promise<void> {
  let delayMs = MIN_RESTART_DELAY_MS
  for (let current = worker; ; current = fork()) {
    const startedAt = performance.now()
    const how = await current.ended
    if (stopping.aborted) return
    if (performance.now() - startedAt >= STEADY_MS) delayMs = MIN_RESTART_DELAY_MS
    logger.error(`worker ${current.id} ended (${how}); another follows in ${delayMs} ms`)
    await sleep(delayMs, undefined, { signal: stopping }).catch(() => undefined)
    if (stopping.aborted) return
    delayMs = Math.min(delayMs * 2, MAX_RESTART_DELAY_MS)
  }
}

class WorkerProcess {
  readonly id: number
  readonly listening: Promise<void>
  /** Resolves with how it ended. */
  readonly ended: Promise<string>
  readonly #worker: Worker

  constructor(worker: Worker) {
    this.id = worker.id
    this.#worker = worker
    this.listening = new Promise((resolve) => worker.once('listening', () => resolve()))
    this.ended = new Promise((resolve) => {
      worker.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
      // It could not be started, or not be talked to any more; nothing else might tell.
      worker.on('error', ({ message }) => {
        this.kill('SIGKILL')
        resolve(message)
      })
    })
  }

  /** Where it can be talked to. */
  get connected(): Worker | undefined {
    return this.#worker.isConnected() ? this.#worker : undefined
  }

  kill(signal: NodeJS.Signals): void {
    this.#worker.process.kill(signal)
  }
}

/**
 * The port that all workers will use. It is tried out first, so that one that cannot be used is refused
 * once and at the start; and PORT 0 is resolved here, because the port that workers draw is given back when
 * all of them are gone, and their successors would draw another.
 */
async function choosePort({ host, port }: Config): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { port: chosen } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return chosen
}
