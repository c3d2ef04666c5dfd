import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { channelOf } from '../../task/task.ts'
import type { CeleryTrainer, Job, Submission } from '../launcher.ts'
import {
  bindingOf,
  type Call,
  callIn,
  callInTaken,
  controlChannel,
  controlMessage,
  idsInList,
  listOf,
  listsOf,
  REPLY_EXCHANGE,
  SEPARATOR,
  taskMessage,
  tasksInReply,
} from './messages.ts'

/**
 * Once for each start, however often it is asked for: KEYS its mark, the name of its task's newest start, a list; ARGV the seconds of
 * both, the start, a message. Replies 1 for the first.
 */
const PUSH_ONCE = `
if redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then
  redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[1])
  redis.call('LPUSH', KEYS[3], ARGV[3])
  return 1
end
return 0`

/** For how long a submission is known to have been made. */
const MARK_SECONDS = 30 * 86_400
/** Messages of a queue that are looked through; whether a task is among more is not known. */
const MAX_LOOKED_THROUGH = 20_000
const LOOK_PAGE = 500
/** Time for workers to reply, and between looks. */
const REPLY_MS = 1000
const REPLY_CHECK_MS = 25
/** Tasks that are asked for in one word to all workers. */
const MAX_ASKED = 500

/** Who has the tasks that were asked for. */
export interface WorkersWord {
  readonly tasks: ReadonlyMap<string, 'active' | 'waiting'>
  /** Whether every worker that listens has replied. One that runs a task in its own process (pool `solo`) replies later. */
  readonly areAll: boolean
}

/** Messages, by the ids of the tasks that they call. */
type Calls = ReadonlyMap<string, readonly Call[]>

export interface Waiting {
  /** Whose message waits in a queue. */
  readonly queued: Calls
  /** Whose message a worker has taken and not confirmed: should it be gone, the broker delivers it again. */
  readonly taken: Calls
  /** Whether all that wait were looked at. */
  readonly areAll: boolean
}

/** What of a task's starts was put into queues: its id in Celery is the same for each of them. */
export interface Standing {
  /** Whether this start was. After a month that is not known any more. */
  readonly wasEnqueued: boolean
  /** Whether another was, and this one not since. */
  readonly isOtherNewest: boolean
}

/** A Celery broker in Redis, as Celery's own clients use it. Rejects with the errors of its connection. */
export class CeleryBroker {
  readonly #redis: Redis
  readonly #database: number

  constructor(redis: Redis, database: number) {
    this.#redis = redis
    this.#database = database
  }

  /** Puts a job into its queue, once. What is left of earlier starts (`removeOthers`) is not looked for. */
  async enqueue(job: Submission<CeleryTrainer>): Promise<void> {
    const { queue, priority } = job.trainer
    await this.#redis.sadd(...bindingOf(queue))
    const message = taskMessage(job, Date.now())
    const keys = [markOf(job), newestKeyOf(job), listOf(queue, priority)]
    await this.#redis.eval(PUSH_ONCE, 3, ...keys, MARK_SECONDS, job.startId, message)
  }

  async standings(jobs: readonly Job[]): Promise<Standing[]> {
    if (jobs.length === 0) return []
    const found = await this.#redis.mget(jobs.flatMap((job) => [markOf(job), newestKeyOf(job)]))
    return jobs.map(({ startId }, i) => {
      const newest = found[2 * i + 1] ?? null
      return { wasEnqueued: found[2 * i] !== null, isOtherNewest: newest !== null && newest !== startId }
    })
  }

  async standing(job: Job): Promise<Standing> {
    const [standing] = await this.standings([job])
    return standing as Standing
  }

  /** Sees to it that a job is not put into its queue any more. */
  async bar(job: Job): Promise<void> {
    await this.#redis.set(markOf(job), '0', 'EX', MARK_SECONDS, 'NX')
  }

  /** Takes a job out of its queue; false where it does not wait there. */
  remove(job: Job<CeleryTrainer>): Promise<boolean> {
    return this.#remove(job.trainer.queue, (call) => isCallOf(call, job))
  }

  /** Takes earlier starts of a job's task out of its queue. */
  async removeOthers(job: Job<CeleryTrainer>): Promise<void> {
    const isOther = (call: Call) => call.id === job.key.id && !isCallOf(call, job)
    while (await this.#remove(job.trainer.queue, isOther));
  }

  async #remove(queue: string, isWanted: (call: Call) => boolean): Promise<boolean> {
    for (const list of listsOf(queue)) {
      for await (const message of this.#messagesIn(list)) {
        const call = callIn(message)
        if (call && isWanted(call) && (await this.#redis.lrem(list, 1, message)) > 0) return true
      }
    }
    return false
  }

  /** Tells all workers to drop a task, and to end it where it runs. */
  async revoke(id: string, signal: NodeJS.Signals): Promise<void> {
    await this.#tell(controlMessage('revoke', { task_id: id, terminate: true, signal }, Date.now()))
  }

  /** Which tasks have a message. */
  async waiting(queues: Iterable<string>): Promise<Waiting> {
    const queued = new Map<string, Call[]>()
    const taken = new Map<string, Call[]>()
    let areAll = true
    for (const list of [...queues].flatMap(listsOf)) {
      let count = 0
      for await (const message of this.#messagesIn(list)) {
        count++
        addTo(queued, callIn(message))
      }
      if (count >= MAX_LOOKED_THROUGH) areAll = false
    }
    let cursor = '0'
    let count = 0
    do {
      const [next, entries] = await this.#redis.hscan('unacked', cursor, 'COUNT', LOOK_PAGE)
      for (let i = 1; i < entries.length; i += 2) {
        count++
        addTo(taken, callInTaken(entries[i] as string))
      }
      cursor = next
    } while (cursor !== '0' && count < MAX_LOOKED_THROUGH)
    return { queued, taken, areAll: areAll && cursor === '0' }
  }

  /** Asks all workers which of the tasks they have. */
  async ask(ids: readonly string[]): Promise<WorkersWord> {
    const tasks = new Map<string, 'active' | 'waiting'>()
    let areAll = true
    for (let i = 0; i < ids.length; i += MAX_ASKED) {
      const word = await this.#ask(ids.slice(i, i + MAX_ASKED))
      for (const [id, state] of word.tasks) tasks.set(id, state)
      areAll &&= word.areAll
    }
    return { tasks, areAll }
  }

  async #ask(ids: readonly string[]): Promise<WorkersWord> {
    const { replies, areAll } = await this.#repliesTo('query_task', { ids })
    return { tasks: new Map(replies.flatMap((reply) => [...tasksInReply(reply)])), areAll }
  }

  /**
   * Whether some worker may have a task, by the lists of what they have. Of two runs under one id, a worker that is asked for the id
   * forgets both with the one that ends first.
   */
  async isListed(id: string): Promise<boolean> {
    for (const method of ['active', 'reserved']) {
      const { replies, areAll } = await this.#repliesTo(method, {})
      if (!areAll || replies.some((reply) => idsInList(reply).includes(id))) return true
    }
    return false
  }

  async #repliesTo(method: string, args: Readonly<Record<string, unknown>>) {
    const replyId = randomUUID()
    const queue = `${replyId}.${REPLY_EXCHANGE}`
    const binding = `${replyId}${SEPARATOR}${SEPARATOR}${queue}`
    const table = `_kombu.binding.${REPLY_EXCHANGE}`
    const replyTo = { exchange: REPLY_EXCHANGE, routing_key: replyId }
    const replies: string[] = []
    await this.#redis.sadd(table, binding)
    try {
      const message = controlMessage(method, args, Date.now(), { ticket: randomUUID(), replyTo })
      const listening = await this.#tell(message)
      for (const until = performance.now() + REPLY_MS; replies.length < listening; ) {
        const some = (await this.#redis.rpop(queue, LOOK_PAGE)) ?? []
        replies.push(...some)
        if (performance.now() >= until) break
        if (some.length === 0) await sleep(REPLY_CHECK_MS)
      }
      return { replies, areAll: replies.length >= listening }
    } finally {
      await this.#redis.srem(table, binding)
      await this.#redis.del(queue)
    }
  }

  /** Returns the number of workers that listen. */
  #tell(message: string): Promise<number> {
    return this.#redis.publish(controlChannel(this.#database), message)
  }

  /** From the one that is next, on. Those that are added or taken meanwhile may be missed, or come twice. */
  async *#messagesIn(list: string): AsyncGenerator<string> {
    for (let i = 0; i < MAX_LOOKED_THROUGH; i += LOOK_PAGE) {
      const page = await this.#redis.lrange(list, -i - LOOK_PAGE, -i - 1)
      yield* page.reverse()
      if (page.length < LOOK_PAGE) return
    }
  }
}

function addTo(calls: Map<string, Call[]>, call: Call | null): void {
  if (!call) return
  const known = calls.get(call.id)
  if (known) known.push(call)
  else calls.set(call.id, [call])
}

export const hasCallOf = (calls: Calls, job: Job): boolean =>
  calls.get(job.key.id)?.some((call) => isCallOf(call, job)) ?? false

/** Whoever else has written it may mean any start. */
const isCallOf = ({ id, startId }: Call, job: Job): boolean =>
  id === job.key.id && (startId === null || startId === job.startId)

const newestKeyOf = ({ key }: Job): string => `epochcast:submitted:${channelOf(key)}`
const markOf = (job: Job): string => `${newestKeyOf(job)}:${job.startId}`
