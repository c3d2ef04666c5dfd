import { parseArgs } from 'node:util'

export interface Options {
  /** Reports of progress, over all tasks. */
  readonly events: number
  readonly tasks: number
  /** Over all tasks and servers. */
  readonly subscribers: number
  readonly servers: number
  /** Where the servers keep their tasks: a Redis that they share, or a data directory that is one server's own. */
  readonly engine: 'redis' | 'lmdb'
  /** Of every random choice. */
  readonly seed: number
  /** Mean time between two faults. */
  readonly faultIntervalMs: number
  readonly faults: boolean
  /** Size of the file system that the data directory is on, which is filled now and then; null for any. */
  readonly diskMiB: number | null
  /** Whether the data directory is on a file system whose power is cut now and then. */
  readonly powerCuts: boolean
  /** Parts of the names of those faults that are fired. */
  readonly only: readonly string[]
  /** How long the run may take. */
  readonly seconds: number
  /** The server's entry, to be run with Node. */
  readonly server: string
  readonly json: boolean
}

export const HELP = `usage: npm run soak -- [options]

Reports to some servers and watches on others, over one Redis, or on one with a data directory, while sockets are cut
and processes are killed; then holds what every subscriber saw against the log. Exits with 0 only if all of them saw all of
it, once, in order. It starts and ends all it needs by itself, on this machine's loopback only.

  --events N              reports of progress, over all tasks (200000)
  --tasks N               trainings that run at once (4)
  --subscribers N         WebSocket clients, over all tasks and servers (20)
  --engine NAME           redis, or lmdb: one server and its data directory (redis)
  --servers N             servers on the one Redis (2)
  --seed N                repeats the choices of an earlier run (random, and printed)
  --fault-interval-ms N   mean time between two faults (1500)
  --faults NAME,NAME      only faults with such a part in their names: cut, pubsub, frozen, server, kill, disk, power …
  --disk-mib N            lmdb on a file system of this size, which is filled now and then; takes root
  --power-cuts            lmdb on a file system of its own (ext4), whose power is cut now and then; takes root
  --no-faults             nothing is cut or killed
  --seconds N             longest duration (900, or 1 for every 250 events if that is more)
  --server FILE           the server's entry (dist/src/main.js)
  --json                  prints the summary as JSON
  --help
`

/** What cannot be understood; the message says what was expected. */
export class UsageError extends Error {}

export function readOptions(args: readonly string[], defaultServer: string): Options | 'help' {
  const { values } = parse(args)
  if (values.help) return 'help'
  const engine = values.engine ?? 'redis'
  if (engine !== 'redis' && engine !== 'lmdb')
    throw new UsageError(`--engine is ${engine}; expected redis or lmdb`)
  if (values['disk-mib'] !== undefined && engine !== 'lmdb')
    throw new UsageError('--disk-mib is of a data directory; expected --engine lmdb')
  if (values['power-cuts'] && engine !== 'lmdb')
    throw new UsageError('--power-cuts are of a data directory; expected --engine lmdb')
  const events = whole('events', values.events, 200_000, 1, 9_000_000)
  return {
    events,
    tasks: whole('tasks', values.tasks, 4, 1, Math.min(events, 1000)),
    subscribers: whole('subscribers', values.subscribers, 20, 1, 10_000),
    servers: whole('servers', values.servers, engine === 'lmdb' ? 1 : 2, 1, engine === 'lmdb' ? 1 : 16),
    engine,
    diskMiB: values['disk-mib'] === undefined ? null : whole('disk-mib', values['disk-mib'], 0, 16, 65_536),
    powerCuts: values['power-cuts'] ?? false,
    seed: whole('seed', values.seed, Math.floor(Math.random() * 2 ** 31), 0, 2 ** 32 - 1),
    faultIntervalMs: whole('fault-interval-ms', values['fault-interval-ms'], 1500, 10, 3_600_000),
    only: (values.faults ?? '').split(','),
    faults: !values['no-faults'],
    seconds: whole('seconds', values.seconds, Math.max(900, Math.ceil(events / 250)), 1, 604_800),
    server: values.server ?? defaultServer,
    json: values.json ?? false,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        events: { type: 'string' },
        tasks: { type: 'string' },
        subscribers: { type: 'string' },
        servers: { type: 'string' },
        seed: { type: 'string' },
        'fault-interval-ms': { type: 'string' },
        engine: { type: 'string' },
        faults: { type: 'string' },
        'disk-mib': { type: 'string' },
        'power-cuts': { type: 'boolean' },
        'no-faults': { type: 'boolean' },
        seconds: { type: 'string' },
        server: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function whole(name: string, found: string | undefined, fallback: number, min: number, max: number) {
  if (found === undefined) return fallback
  const value = /^\d+$/.test(found) ? Number(found) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`--${name} is ${found}; expected a whole number from ${min} to ${max}`)
}
