import { randomUUID } from 'node:crypto'
import type { CeleryTrainer, Submission } from '../launcher.ts'
import { argumentsOf } from './arguments.ts'

/*
 * Messages as Celery has them on a Redis broker: protocol 2 (https://docs.celeryq.dev/en/stable/internals/protocol.html) in the envelope of
 * kombu's virtual transports, everything JSON.
 */

/** Of kombu's Redis transport: between a queue's name and the priority of one of its lists, and in its tables of bindings. */
export const SEPARATOR = '\u0006\u0016'
/** Priorities that have a list of their own; one between them belongs to the next lower one. */
const PRIORITY_STEPS = [0, 3, 6, 9]

/** The list in which messages of a queue with a priority wait. */
export function listOf(queue: string, priority: number): string {
  const step = PRIORITY_STEPS.findLast((each) => each <= priority) ?? 0
  return step === 0 ? queue : `${queue}${SEPARATOR}${step}`
}

/** The lists of a queue, in the order in which workers take from them. */
export const listsOf = (queue: string): string[] => PRIORITY_STEPS.map((step) => listOf(queue, step))

/** The name of a queue in the table of those that there are, which is how monitors find it. */
export const bindingOf = (queue: string): readonly [table: string, entry: string] => [
  `_kombu.binding.${queue}`,
  `${queue}${SEPARATOR}${SEPARATOR}${queue}`,
]

/** A call of a Celery task, under the id of our task. */
export function taskMessage(job: Submission<CeleryTrainer>, now: number): string {
  const { trainer, key } = job
  const { args, kwargs } = argumentsOf(trainer, job)
  const expires = trainer.expires === null ? null : new Date(now + trainer.expires * 1000).toISOString()
  const callbacks = { callbacks: null, errbacks: null, chain: null, chord: null }
  return envelope({
    body: [args, kwargs, callbacks],
    headers: {
      ...{ lang: 'py', task: trainer.task, id: key.id, root_id: key.id, group: null },
      // Workers keep it with the result, by which that of an earlier start under the same id is known.
      parent_id: parentOf(job.startId),
      ...{ shadow: null, eta: null, expires, group_index: null, retries: 0, timelimit: [null, null] },
      ...{ argsrepr: reprOf(args), kwargsrepr: reprOf(kwargs), origin: 'epochcast', ignore_result: false },
    },
    properties: {
      correlation_id: key.id,
      // Nobody listens there; some versions want it.
      reply_to: randomUUID(),
      ...(trainer.expires === null ? {} : { expiration: String(trainer.expires * 1000) }),
    },
    priority: trainer.priority,
    exchange: '',
    routingKey: trainer.queue,
  })
}

export interface ReplyTo {
  readonly exchange: string
  readonly routing_key: string
}

/** Names of remote control's exchanges. */
export const REPLY_EXCHANGE = 'reply.celery.pidbox'
const CONTROL_EXCHANGE = 'celery.pidbox'

/** The channel on which every worker listens for remote control, by the number of the broker's database. */
export const controlChannel = (database: number): string => `/${database}.${CONTROL_EXCHANGE}`

/** For how long workers may take to read it. */
const CONTROL_SECONDS = 60

/** A word to all workers. With a ticket, each of them replies. */
export function controlMessage(
  method: string,
  args: Readonly<Record<string, unknown>>,
  now: number,
  reply?: { readonly ticket: string; readonly replyTo: ReplyTo },
): string {
  const toAll = { destination: null, pattern: null, matcher: null }
  return envelope({
    body: {
      ...{ method, arguments: args, ...toAll },
      ...(reply && { ticket: reply.ticket, reply_to: reply.replyTo }),
    },
    headers: { clock: 1, expires: now / 1000 + CONTROL_SECONDS },
    properties: {},
    priority: 0,
    exchange: CONTROL_EXCHANGE,
    routingKey: '',
  })
}

interface Content {
  readonly body: unknown
  readonly headers: Readonly<Record<string, unknown>>
  readonly properties: Readonly<Record<string, unknown>>
  readonly priority: number
  readonly exchange: string
  readonly routingKey: string
}

const envelope = ({ body, headers, properties, priority, exchange, routingKey }: Content): string =>
  JSON.stringify({
    body: Buffer.from(JSON.stringify(body)).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers,
    properties: {
      ...properties,
      ...{ delivery_mode: 2, priority, body_encoding: 'base64', delivery_tag: randomUUID() },
      delivery_info: { exchange, routing_key: routingKey },
    },
  })

const MAX_REPR_LENGTH = 1024

/** For people, in Celery's logs and monitors. */
const reprOf = (value: unknown): string => JSON.stringify(value).slice(0, MAX_REPR_LENGTH)

/** What a message calls. */
export interface Call {
  readonly id: string
  /** The start that it is of; null where another than us has written it. */
  readonly startId: string | null
}

/** What a waiting message calls; null where it is none. */
export function callIn(message: string): Call | null {
  return callOf(parsed(message))
}

/** The same of a message that a worker has taken and not confirmed, which is kept with the queue that it came from. */
export function callInTaken(kept: string): Call | null {
  const parts = parsed(kept)
  return Array.isArray(parts) ? callOf(parts[0]) : null
}

function callOf(message: unknown): Call | null {
  const { headers } = (message ?? {}) as { headers?: { id?: unknown; parent_id?: unknown } | null }
  const { id, parent_id } = headers ?? {}
  return typeof id === 'string' ? { id, startId: startIn(parent_id) } : null
}

const PARENT = 'epochcast:'

/** The start of a task as what Celery takes for the id of a task's parent. It is for people there, and means nothing to workers. */
const parentOf = (startId: string): string => PARENT + startId

/** Null for the ids of real parents. */
export const startIn = (parentId: unknown): string | null =>
  typeof parentId === 'string' && parentId.startsWith(PARENT) ? parentId.slice(PARENT.length) : null

/** What a worker replied: for each task that it has, whether it runs. What it tells of anything else, such as an error, is left out. */
export function tasksInReply(reply: string): ReadonlyMap<string, 'active' | 'waiting'> {
  const entries = toldIn(reply).flatMap((tasks: unknown) => Object.entries(tasks ?? {}))
  const tasks = new Map<string, 'active' | 'waiting'>()
  for (const [id, entry] of entries as [string, unknown][]) {
    if (Array.isArray(entry)) tasks.set(id, entry[0] === 'active' ? 'active' : 'waiting')
  }
  return tasks
}

/** Where a worker replied with a list of tasks, their ids. */
export const idsInList = (reply: string): unknown[] =>
  toldIn(reply).flatMap((tasks) => (Array.isArray(tasks) ? tasks.map((task) => task?.id) : []))

/** A worker replies under its own name. */
function toldIn(reply: string): unknown[] {
  const { body } = (parsed(reply) ?? {}) as { body?: unknown }
  const text = typeof body === 'string' ? Buffer.from(body, 'base64').toString('utf8') : ''
  return Object.values(parsed(text) ?? {})
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
