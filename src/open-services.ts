import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import { auditLog } from './audit-log.ts'
import type { Authenticator } from './auth/authenticator.ts'
import { ViewLinks } from './auth/view-links.ts'
import type { Bridge } from './bridge/bridge.ts'
import type { Mirror } from './bridge/mirror.ts'
import type { Config } from './config.ts'
import { Adoption } from './dispatch/adoption.ts'
import { Dispatch } from './dispatch/dispatch.ts'
import { Liveness } from './dispatch/liveness.ts'
import { registerExternal } from './dispatch/register-external.ts'
import { StartBounds } from './dispatch/start-bounds.ts'
import type { Trainers } from './dispatch/trainers.ts'
import type { OnAppended } from './event-log/append-plan.ts'
import { OutputWriter } from './event-log/output-writer.ts'
import type { Store } from './event-log/store.ts'
import { TaskWriter, type TaskWriterOptions } from './event-log/task-writer.ts'
import { EngineWait } from './feed/engine-wait.ts'
import { Feeds } from './feed/feeds.ts'
import { OutputPages } from './feed/output-pages.ts'
import { Pacing } from './feed/pacing.ts'
import { SeriesReader } from './feed/series-reader.ts'
import { TaskUpdates } from './feed/task-updates.ts'
import { Ingest } from './ingest/ingest.ts'
import { OutputIngest } from './ingest/output-ingest.ts'
import { SystemIngest } from './ingest/system-ingest.ts'
import { startOf } from './launcher/launcher.ts'
import type { LocalLauncher } from './launcher/local.ts'
import { openBridge, openMirror } from './open-bridge.ts'
import { openLaunchers } from './open-launchers.ts'
import { TaskCatalog } from './repository/task-catalog.ts'
import { TaskRecords } from './repository/task-records.ts'
import type { Services } from './schema/context.ts'
import { VERSION } from './version.ts'

export interface ServiceParts {
  readonly store: Store
  /** Null where everybody may do everything. */
  readonly authenticator: Authenticator | null
  readonly trainers: Trainers
  /** The GraphQL endpoint, once the server listens. */
  readonly url: () => string
  readonly logger: Logger
  readonly onError: (error: unknown) => void
  /** Null where nothing is traced. */
  readonly tracing: TaskWriterOptions['trace'] | null
}

/** What resolvers delegate to, and what has to be started and stopped of it. */
export interface OpenServices {
  readonly services: Services
  readonly writer: TaskWriter
  readonly feeds: Feeds
  readonly updates: TaskUpdates
  readonly catalog: TaskCatalog
  readonly dispatch: Dispatch
  readonly liveness: Liveness
  readonly local: LocalLauncher
  readonly bridge: Bridge | null
  readonly mirror: Mirror | null
  readonly adoption: Adoption
}

/** How often feeds look for lost announcements. */
const FEED_CHECK_MS = 5000
const FEED_RING_EVENTS = 256
/** What pages of logs may take that are kept for several viewers that catch up. */
const KEPT_PAGES_BYTES = 32 * 1024 * 1024

/** Puts together what lies between the store and the doors. */
export async function openServices(
  config: Config,
  { store, authenticator, trainers, url, logger, onError, tracing }: ServiceParts,
): Promise<OpenServices> {
  const serverId = randomUUID()
  const mirror = openMirror(config, logger)
  const onAppended: OnAppended | undefined = mirror?.add.bind(mirror)
  const writer = new TaskWriter(store, {
    restoreWithinMs: (config.retainSeconds * 1000) / 2,
    curveBytes: config.curveBytes,
    retainEvents: config.retainEvents,
    onError,
    onAppended,
    trace: tracing ?? undefined,
    onEnded: (channel, status) => logger.info({ task: channel, status }, `${channel} ended: ${status}`),
    onReceived: (channel, { offset, receivedAt, origin }) =>
      feeds.received(channel, { offset, receivedAt, isOwn: true, origin }),
  })
  const engineWait = new EngineWait(store, config.engineWaitMs)
  const feeds = new Feeds(store, {
    ringEvents: FEED_RING_EVENTS,
    checkMs: FEED_CHECK_MS,
    pages: { maxBytes: KEPT_PAGES_BYTES },
    ringBytes: config.feedBytes,
    engineWait,
    onError,
  })
  const catalog = new TaskCatalog(store, onError, config.channelPrefixes)
  const pacing = new Pacing(config.clients.stateValuesPerSecond)
  const updates = new TaskUpdates(store, catalog, engineWait, pacing)
  const ingest = new Ingest(writer, config.channelPrefixes, { reportsPerSecond: config.taskReportsPerSecond })
  const output = new OutputIngest(store, new OutputWriter(store.output), {
    channelPrefixes: config.channelPrefixes,
    linesPerSecond: config.operation.output.linesPerSecond,
  })
  const system = new SystemIngest(writer)
  const audit = auditLog(logger)
  const startBounds = new StartBounds({
    startsPerHour: config.startsPerHour,
    maxTasks: config.maxTasks,
    taskCount: () => catalog.index.size,
    maxUnfinished: config.maxTasksPerAddress,
    unfinishedOf: (address) => catalog.unfinishedOf(address),
  })
  const { channelPrefixes } = config
  // Of tasks that the bridge registers, the publisher's first message tells.
  const heardOf = { log: store, channelPrefixes, startBounds, audit }
  const registrations = { ...heardOf, onCreated: onAppended }
  const bridge = openBridge(config, {
    ...{ leases: store, ingest, registrations: heardOf, serverId, logger, onError },
  })
  const dispatch = new Dispatch(store, writer, trainers, {
    audit,
    channelPrefixes,
    serverId,
    startBounds,
    onCreated: onAppended,
    ...(authenticator && {
      issueReportToken: (caller, spec) => authenticator.issueReportToken(caller, spec),
    }),
    onError,
  })
  const liveness = new Liveness(store, writer, {
    serverId,
    stallMs: config.stallMs,
    abandonMs: config.abandonMs,
    serverLeaseMs: config.serverLeaseMs,
    isAlone: config.engine.name !== 'redis',
    isFollowed: ({ trainer }) => adopting.some(({ name }) => name === trainers.find(trainer)?.launcher),
    onError,
  })
  const { local, all, adopting } = await openLaunchers(config, {
    trainers,
    observer: dispatch.jobs,
    watch: {
      output: {
        sinkOf: (job) => (batch) => output.append(startOf(job), batch),
        linesPerSecond: config.operation.output.linesPerSecond,
      },
      system: {
        everyMs: config.operation.output.systemMetricsMs,
        onSample: (job, metrics) =>
          system.record({ start: startOf(job), attempt: job.attempt, machine: hostname(), metrics }),
      },
      onError,
    },
    url,
    logger,
    onError,
  })
  for (const launcher of all) dispatch.use(launcher)
  const adoption = new Adoption(store, trainers, adopting, { serverId, onError })

  const services: Services = {
    version: VERSION,
    channelPrefixes: config.channelPrefixes,
    maxStreamMs: config.maxStreamMs,
    maxStateStreamMs: config.maxStateStreamMs,
    log: store,
    tasks: store,
    catalog,
    engine: store,
    engineWait,
    feeds,
    pacing,
    series: new SeriesReader(store),
    updates,
    ingest,
    output: {
      ...{ log: store.output, pages: new OutputPages(store.output), ingest: output },
      quietMs: config.operation.output.quietMs,
    },
    dispatch,
    registerExternal: (caller, run) => registerExternal(registrations, caller, run),
    records: new TaskRecords(store, writer, config.channelPrefixes, { audit }),
    trainers,
    viewLinks: new ViewLinks(store, authenticator, {
      channelPrefixes: config.channelPrefixes,
      publicUrl: () => config.publicUrl ?? new URL(url()).origin,
      audit,
    }),
  }
  return { services, writer, feeds, updates, catalog, dispatch, liveness, local, bridge, mirror, adoption }
}
