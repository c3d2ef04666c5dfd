import { BRIDGE_DEFINITIONS } from './bridge-definitions.ts'
import type { Definition, HistogramDefinition } from './definition.ts'
import type { Parts } from './parts.ts'

/** Every metric of the server itself; prom-client adds those of the process and of Node. */
export const DEFINITIONS: readonly Definition[] = [
  {
    kind: 'gauge',
    name: 'epochcast_info',
    help: 'Always 1; the version of the server.',
    label: 'version',
    aggregator: 'first',
    read: ({ version }) => ({ [version]: 1 }),
  },
  {
    kind: 'gauge',
    name: 'epochcast_stopping',
    help: 'Whether the server is stopping, and so not ready.',
    aggregator: 'max',
    read: ({ isStopping }) => Number(isStopping()),
  },
  {
    kind: 'gauge',
    name: 'epochcast_connections',
    help: 'Open connections, by what they are used for at present; "http" are those that are neither of the others.',
    label: 'door',
    read: ({ clients, webSocket: { socketCount: websocket }, responses: { eventStreamCount } }) => ({
      websocket,
      event_stream: eventStreamCount,
      http: Math.max(0, clients.gauges().connections - websocket - eventStreamCount),
    }),
  },
  {
    kind: 'gauge',
    name: 'epochcast_open_subscriptions',
    help: 'Open subscriptions, by their field.',
    label: 'field',
    read: ({ clients }) => clients.subscriptions.byField,
  },
  {
    kind: 'gauge',
    name: 'epochcast_requests_under_way',
    help: 'HTTP requests that have not been answered yet, event streams among them.',
    read: ({ responses }) => responses.count,
  },
  {
    kind: 'counter',
    name: 'epochcast_requests_total',
    help: 'HTTP requests.',
    read: ({ responses }) => responses.total,
  },
  {
    kind: 'gauge',
    name: 'epochcast_queries_under_way',
    help: 'Queries that are being run.',
    read: ({ clients }) => clients.queries.count,
  },
  {
    kind: 'counter',
    name: 'epochcast_refusals_total',
    help: 'Refusals, by the code that the client was given; several errors of one answer count each.',
    label: 'code',
    read: ({ clients }) => clients.refusals.byCode,
  },
  {
    kind: 'counter',
    name: 'epochcast_websockets_closed_total',
    help: 'WebSockets that were closed by either side, by the close code.',
    label: 'code',
    read: ({ clients }) => clients.closes,
  },
  {
    kind: 'gauge',
    name: 'epochcast_unread_bytes',
    help: 'Bytes that wait in the server for clients to read them.',
    read: ({ clients }) => clients.gauges().bufferedBytes,
  },
  {
    kind: 'gauge',
    name: 'epochcast_slow_clients',
    help: 'Connections for which bytes wait in the server at present.',
    read: ({ clients }) => clients.waiting.size,
  },
  {
    kind: 'gauge',
    name: 'epochcast_partial_bytes',
    help: 'Bytes of requests and messages that have not come whole.',
    read: ({ clients }) => clients.received.bytes,
  },
  {
    kind: 'gauge',
    name: 'epochcast_feeds',
    help: 'Tasks that are watched.',
    read: ({ feeds }) => feeds.size,
  },
  {
    kind: 'gauge',
    name: 'epochcast_groups',
    help: 'Groups of live subscribers, for each of which an event is encoded once.',
    read: ({ operations }) => operations.groupCount,
  },
  {
    kind: 'gauge',
    name: 'epochcast_task_updates_subscribers',
    help: 'Subscribers of changes of many tasks.',
    read: ({ updates }) => updates.size,
  },
  {
    kind: 'gauge',
    name: 'epochcast_page_bytes',
    help: 'Bytes of pages of logs that are kept for several viewers that catch up.',
    read: ({ feeds }) => feeds.pageBytes,
  },
  {
    kind: 'gauge',
    name: 'epochcast_tasks',
    help: 'Tasks in the catalog; every server of one store has all of them.',
    aggregator: 'max',
    read: ({ catalog }) => catalog.index.size,
  },
  {
    kind: 'counter',
    name: 'epochcast_events_appended_total',
    help: 'Events that this server appended to logs of tasks.',
    read: ({ writer }) => writer.counts.events,
  },
  {
    kind: 'counter',
    name: 'epochcast_appends_total',
    help: 'Appends, each with the events of one report call or of several that waited together.',
    read: ({ writer }) => writer.counts.appends,
  },
  {
    kind: 'counter',
    name: 'epochcast_events_delivered_total',
    help: 'Events written to subscribers of trainingProgress; one event to a thousand subscribers counts a thousand times.',
    read: ({ operations }) => operations.deliveryCounts.delivered,
  },
  {
    kind: 'counter',
    name: 'epochcast_catch_ups_total',
    help: 'Times that a subscriber was sent events of a log by itself, because it was behind.',
    read: ({ operations }) => operations.deliveryCounts.catchUps,
  },
  {
    kind: 'counter',
    name: 'epochcast_slow_readers_total',
    help: 'Times that a live subscriber had no room for all that it was sent, and had to catch up.',
    read: ({ operations }) => operations.deliveryCounts.slowReaders,
  },
  {
    kind: 'counter',
    name: 'epochcast_skips_total',
    help: 'EventsSkipped that subscribers were told, by their reason.',
    label: 'reason',
    read: ({ operations: { deliveryCounts } }) =>
      eachSkip(({ announced }) => announced, deliveryCounts.skips),
  },
  {
    kind: 'counter',
    name: 'epochcast_events_skipped_total',
    help: 'Events that subscribers were told they cannot get any more, as far as they could be counted.',
    label: 'reason',
    read: ({ operations: { deliveryCounts } }) => eachSkip(({ events }) => events, deliveryCounts.skips),
  },
  {
    kind: 'counter',
    name: 'epochcast_gaps_repaired_total',
    help: 'Announcements that did not continue what was known of a log, so that it was read.',
    read: ({ feeds }) => feeds.counts.gaps,
  },
  {
    kind: 'counter',
    name: 'epochcast_feed_interruptions_total',
    help: 'Times that a feed heard nothing, because its engine was out of reach.',
    read: ({ feeds }) => feeds.counts.interruptions,
  },
  {
    kind: 'gauge',
    name: 'epochcast_engine_up',
    help: 'Whether the engine responds.',
    label: 'engine',
    aggregator: 'min',
    read: (_, { name, connected }) => ({ [name]: Number(connected) }),
  },
  {
    kind: 'gauge',
    name: 'epochcast_engine_latency_seconds',
    help: 'The round trip to the engine, measured at the scrape; NaN while it is out of reach.',
    aggregator: 'max',
    read: (_, { latencyMs }) => (latencyMs === null ? Number.NaN : latencyMs / 1000),
  },
  {
    kind: 'gauge',
    name: 'epochcast_engine_watches',
    help: 'Watches on logs of tasks.',
    read: ({ store }) => store.watchCount,
  },
  {
    kind: 'counter',
    name: 'epochcast_tasks_created_total',
    help: 'Tasks created by startTraining, by the launcher of their trainer.',
    label: 'launcher',
    read: ({ dispatch }) => dispatch.counts.created,
  },
  {
    kind: 'counter',
    name: 'epochcast_launches_total',
    help: 'Trainers that were brought to run, by their launcher.',
    label: 'launcher',
    read: ({ dispatch }) => dispatch.counts.launched,
  },
  {
    kind: 'counter',
    name: 'epochcast_launch_failures_total',
    help: 'Trainers that could not be brought to run, by their launcher.',
    label: 'launcher',
    read: ({ dispatch }) => dispatch.counts.notLaunched,
  },
  {
    kind: 'counter',
    name: 'epochcast_tasks_ended_total',
    help: 'Tasks whose end this server recorded, by their final status.',
    label: 'status',
    read: ({ writer }) => writer.counts.ended,
  },
  {
    kind: 'gauge',
    name: 'epochcast_local_trainers',
    help: 'Jobs of the local launcher.',
    label: 'state',
    read: ({ local }) => ({ running: local.runningCount, waiting: local.waitingCount }),
  },
  ...BRIDGE_DEFINITIONS,
]

export const HISTOGRAMS: readonly HistogramDefinition[] = [
  {
    name: 'epochcast_delivery_lag_seconds',
    help: 'Time until events are written to the live subscribers of a task: from the report, or on servers that did not receive it from the announcement. Once for each report call and group of subscribers.',
    label: 'since',
    read: ({ operations: { deliveryCounts } }) => ({
      report: deliveryCounts.reportLag,
      announcement: deliveryCounts.announcementLag,
    }),
  },
]

type Skips = Parts['operations']['deliveryCounts']['skips']

const eachSkip = (pick: (skip: Skips['TRIMMED']) => number, { TRIMMED, LOG_RESET }: Skips) => ({
  TRIMMED: pick(TRIMMED),
  LOG_RESET: pick(LOG_RESET),
})
