import { LRUCache } from 'lru-cache'
import type { Replay } from '../../feed/training-stream.ts'
import { decodeCursor, encodeCursor, type Position } from '../../task/position.ts'
import type { TaskView } from '../../task/stream-event.ts'
import { isFinalStatus, type TaskKey } from '../../task/task.ts'
import type { PlainConnection, PlainStream } from './plain-connection.ts'

/** Trainings that one socket follows which asks for all of them. */
export const MAX_FOLLOWED = 100
/** Trainings of which it is remembered how far they were told. */
const MAX_TOLD = 1000

/** A stream of one task, of which it is known how far it told. */
export interface TaskStream extends PlainStream {
  /** The cursor of the last message of the stream itself, such as its end; null before the first. */
  readonly cursor: string | null
}

type OpenStream = (task: TaskView, replay: Replay) => Promise<TaskStream>

/** All trainings that are under way, or begin, each by a stream of its own. */
export class FollowedTrainings implements PlainStream {
  readonly #connection: PlainConnection
  readonly #updates: AsyncIterableIterator<TaskView, void>
  readonly #open: OpenStream
  readonly #openedAt = Date.now()
  /** By their starts: a task may be started again under its name while the end of the last one is under way. */
  readonly #streams = new Map<string, TaskStream>()
  /** Cursors, by starts. */
  readonly #told = new LRUCache<string, string>({ max: MAX_TOLD })
  #isFull = false
  #isStopped = false

  constructor(connection: PlainConnection, updates: AsyncIterableIterator<TaskView, void>, open: OpenStream) {
    this.#connection = connection
    this.#updates = updates
    this.#open = open
  }

  async run(): Promise<void> {
    for await (const task of this.#updates) {
      const replay = this.#toTell(task)
      if (replay === null) continue
      if (this.#streams.size < MAX_FOLLOWED) await this.#follow(task, replay)
      else this.#sayFull()
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#updates.return?.()
    await Promise.all([...this.#streams.values()].map((stream) => stream.stop()))
  }

  /** What there is to tell of a task that has changed; null for nothing. */
  #toTell({ state: { spec, status }, top }: TaskView): Replay | null {
    if (this.#streams.has(spec.startId)) return null
    const told = this.#told.get(spec.startId)
    if (told !== undefined) {
      // Edited since, or read before its end was told.
      const { generation, offset } = decodeCursor(spec, told)
      return generation === top.generation && offset >= top.offset ? null : { after: told, last: null }
    }
    // One that is short has ended by the time that it is heard of.
    if (spec.createdAt >= this.#openedAt) return wholeOf(spec, top)
    return isFinalStatus(status) ? null : { after: null, last: 1 }
  }

  async #follow(task: TaskView, replay: Replay): Promise<void> {
    const { startId } = task.state.spec
    const stream = await this.#open(task, replay)
    // Nobody would stop it any more.
    if (this.#isStopped) return stream.stop()
    this.#streams.set(startId, stream)
    const left = () => {
      this.#streams.delete(startId)
      if (stream.cursor !== null) this.#told.set(startId, stream.cursor)
    }
    stream.run().then(left, (error) => {
      // Deleted as it was about to be followed, which is no failure of the others.
      if ((error as { code?: string }).code === 'TASK_NOT_FOUND') left()
      else this.#connection.refuse(error)
    })
  }

  #sayFull(): void {
    if (this.#isFull) return
    this.#isFull = true
    const message = `more than ${MAX_FOLLOWED} trainings are under way; the others are left out`
    this.#connection.say({ type: 'error', timestamp: new Date().toISOString(), message, data: { message } })
  }
}

/** Of a task that began before its reader's eyes: there may be several events by the time that this is known. */
export const wholeOf = (spec: TaskKey, { generation }: Position): Replay => ({
  after: encodeCursor(spec, { generation, offset: 0 }),
  last: null,
})
