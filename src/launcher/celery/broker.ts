import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { channelOf } from '../../task/task.ts'
import type { CeleryTrainer, Job, Submission } from '../launcher.ts'
import {
  bindingOf,
  controlChannel,
  controlMessage,
  listOf,
  listsOf,
  REPLY_EXCHANGE,
  SEPARATOR,
  taskIdIn,
  taskIdInTaken,
  taskMessage,
  tasksInReply,
} from './messages.ts'

/** Once for each task, however often it is asked for: KEYS a mark, a list; ARGV the mark's seconds, a message. Replies 1 for the first. */
const PUSH_ONCE = `
if redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then
  redis.call('LPUSH', KEYS[2], ARGV[2])
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

export interface Waiting {
  /** Tasks whose message waits in a queue. */
  readonly queued: ReadonlySet<string>
  /** Those whose message a worker has taken and not confirmed: should it be gone, the broker delivers them again. */
  readonly taken: ReadonlySet<string>
  /** Whether all that wait were looked at. */
  readonly areAll: boolean
}

/** A Celery broker in Redis, as Celery's own clients use it. Rejects with the errors of its connection. */
export class CeleryBroker {
  readonly #redis: Redis
  readonly #database: number

  constructor(redis: Redis, database: number) {
    this.#redis = redis
    this.#database = database
  }

  /** Puts a job into its queue, once. */
  async enqueue(job: Submission<CeleryTrainer>): Promise<void> {
    const { queue, priority } = job.trainer
    await this.#redis.sadd(...bindingOf(queue))
    const message = taskMessage(job, Date.now())
    await this.#redis.eval(PUSH_ONCE, 2, markOf(job), listOf(queue, priority), MARK_SECONDS, message)
  }

  /** Whether each of the jobs was put into its queue. */
  async wereEnqueued(jobs: readonly Job[]): Promise<boolean[]> {
    if (jobs.length === 0) return []
    return (await this.#redis.mget(jobs.map(markOf))).map((mark) => mark !== null)
  }

  /** Sees to it that a job is not put into its queue any more. */
  async bar(job: Job): Promise<void> {
    await this.#redis.set(markOf(job), '0', 'EX', MARK_SECONDS, 'NX')
  }

  /** Takes a job out of its queue; false where it does not wait there. */
  async remove({ key, trainer }: Job<CeleryTrainer>): Promise<boolean> {
    for (const list of listsOf(trainer.queue)) {
      for await (const message of this.#messagesIn(list)) {
        if (taskIdIn(message) === key.id && (await this.#redis.lrem(list, 1, message)) > 0) return true
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
    const queued = new Set<string>()
    const taken = new Set<string>()
    let areAll = true
    for (const list of [...queues].flatMap(listsOf)) {
      let count = 0
      for await (const message of this.#messagesIn(list)) {
        count++
        const id = taskIdIn(message)
        if (id !== null) queued.add(id)
      }
      if (count >= MAX_LOOKED_THROUGH) areAll = false
    }
    let cursor = '0'
    let count = 0
    do {
      const [next, entries] = await this.#redis.hscan('unacked', cursor, 'COUNT', LOOK_PAGE)
      for (let i = 1; i < entries.length; i += 2) {
        count++
        const id = taskIdInTaken(entries[i] as string)
        if (id !== null) taken.add(id)
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
    const replyId = randomUUID()
    const queue = `${replyId}.${REPLY_EXCHANGE}`
    const binding = `${replyId}${SEPARATOR}${SEPARATOR}${queue}`
    const table = `_kombu.binding.${REPLY_EXCHANGE}`
    const replyTo = { exchange: REPLY_EXCHANGE, routing_key: replyId }
    const tasks = new Map<string, 'active' | 'waiting'>()
    await this.#redis.sadd(table, binding)
    try {
      const message = controlMessage('query_task', { ids }, Date.now(), { ticket: randomUUID(), replyTo })
      const listening = await this.#tell(message)
      let replied = 0
      for (const until = performance.now() + REPLY_MS; replied < listening && performance.now() < until; ) {
        const replies = (await this.#redis.rpop(queue, LOOK_PAGE)) ?? []
        for (const reply of replies) for (const [id, state] of tasksInReply(reply)) tasks.set(id, state)
        replied += replies.length
        if (replies.length === 0) await sleep(REPLY_CHECK_MS)
      }
      return { tasks, areAll: replied >= listening }
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

const markOf = ({ key }: Job): string => `epochcast:submitted:${channelOf(key)}`
