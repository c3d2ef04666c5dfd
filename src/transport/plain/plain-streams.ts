import { SharedEncoding } from '../../delivery/encoding.ts'
import { type Held, type Shared, Subscriber } from '../../delivery/subscriber.ts'
import { heartbeatStream } from '../../feed/heartbeat.ts'
import { type Replay, trainingStream } from '../../feed/training-stream.ts'
import { accountOf, authorize } from '../../repository/access.ts'
import { findForCaller } from '../../repository/find-for-caller.ts'
import type { Services } from '../../schema/context.ts'
import type { TaskView } from '../../task/stream-event.ts'
import { channelOf, type TaskSpec } from '../../task/task.ts'
import { FollowedTrainings, MAX_FOLLOWED, type TaskStream, wholeOf } from './followed-trainings.ts'
import { MetricsMessages } from './metrics-messages.ts'
import type { PlainConnection, PlainStream } from './plain-connection.ts'
import { PlainOutlet } from './plain-outlet.ts'
import { ProgressMessages } from './progress-messages.ts'

/** Which pages a stream is for. */
const SHAPES = { progress: ProgressMessages, metrics: MetricsMessages } as const
export type Shape = keyof typeof SHAPES

const HEARTBEAT_MS = 1000

interface Used {
  readonly encoding: SharedEncoding
  users: number
}

export interface AskedTask {
  readonly id: string
  readonly channelPrefix: string | null
}

/** Streams for pages that have no GraphQL, over the same feeds, with the same rights. */
export class PlainStreams {
  readonly #services: Services
  readonly #shared: Shared
  /** Of starts of tasks that are watched here, by shape: pages of one share their texts. */
  readonly #encodings = new Map<string, Used>()

  /** @param shared what all doors deliver by */
  constructor(services: Services, shared: Shared) {
    this.#services = services
    this.#shared = shared
  }

  /** The events of one task, from its newest on. One that is not there yet is waited for. */
  async ofTask(connection: PlainConnection, asked: AskedTask, shape: Shape, last: number): Promise<void> {
    const { log, channelPrefixes } = this.#services
    const { caller } = connection
    const found = await findForCaller(log, caller, 'tasks:read', {
      ...asked,
      allowedPrefixes: channelPrefixes,
    })
    if (found) {
      const stream = await this.#stream(connection, found, shape, newest(last), { isGreeted: false })
      return connection.serve(stream)
    }
    connection.say({
      type: 'connected',
      channel:
        asked.channelPrefix === null ? asked.id : channelOf({ ...asked, channelPrefix: asked.channelPrefix }),
      timestamp: new Date().toISOString(),
      message: 'waiting for the task to be started',
    })
    await connection.serve(this.#awaited(connection, asked, shape))
  }

  /** All trainings that are under way, or begin. */
  ofAll(connection: PlainConnection): Promise<void> {
    authorize(connection.caller, 'tasks:read')
    connection.say({
      type: 'connected',
      channel: '*',
      timestamp: new Date().toISOString(),
      message: `watching all trainings, at most ${MAX_FOLLOWED} at a time`,
    })
    return connection.serve(this.#followed(connection))
  }

  heartbeat(connection: PlainConnection): Promise<void> {
    authorize(connection.caller, null)
    const { engine, pacing, maxStateStreamMs } = this.#services
    const account = accountOf(connection.caller)
    const beats = heartbeatStream(engine, {
      pacing,
      account,
      intervalMs: HEARTBEAT_MS,
      maxStreamMs: maxStateStreamMs,
    })
    const timestamp = new Date().toISOString()
    connection.say({ type: 'connected', channel: 'heartbeat', timestamp, message: 'a beat every second' })
    const run = async () => {
      for await (const { sequence, timestamp, uptimeSeconds, engine } of beats) {
        connection.say({
          type: 'heartbeat',
          channel: 'heartbeat',
          timestamp,
          message: 'alive',
          sequence,
          uptime_seconds: uptimeSeconds,
          engine,
        })
        await connection.writer.drained()
      }
    }
    return connection.serve({ run, stop: async () => void (await beats.return?.()) })
  }

  async #stream(
    connection: PlainConnection,
    found: TaskView,
    shape: Shape,
    replay: Replay,
    { isGreeted = true, onlyThisStart = false } = {},
  ): Promise<TaskStream> {
    const { feeds, maxStreamMs } = this.#services
    const stream = await trainingStream(feeds, found, replay, { maxStreamMs, onlyThisStart })
    const { encoding, held } = this.#encodingFor(shape, found.state.spec)
    const outlet = new PlainOutlet(connection.writer, isGreeted)
    const subscriber = new Subscriber({ stream, encoding, shared: this.#shared, outlet, held })
    return {
      run: () => subscriber.start(),
      stop: () => subscriber.stop(),
      get cursor() {
        return outlet.cursor
      },
    }
  }

  #encodingFor(shape: Shape, spec: TaskSpec): { encoding: SharedEncoding; held: Held } {
    const key = `${shape} ${channelOf(spec)} ${spec.startId}`
    const used = this.#encodings.get(key) ?? {
      encoding: new SharedEncoding(new SHAPES[shape](spec)),
      users: 0,
    }
    this.#encodings.set(key, used)
    used.users++
    let isUsed = true
    const close = () => {
      if (isUsed && --used.users === 0) this.#encodings.delete(key)
      isUsed = false
    }
    return { encoding: used.encoding, held: { close } }
  }

  /** A task that is started later, and then all of it. */
  #awaited(connection: PlainConnection, asked: AskedTask, shape: Shape): PlainStream {
    const { updates, maxStreamMs } = this.#services
    const filter = { ids: [asked.id], channelPrefix: asked.channelPrefix }
    const seen = updates.stream(filter, { minIntervalMs: 0, maxStreamMs, caller: connection.caller })
    let stream: PlainStream | undefined
    const run = async () => {
      const first = await seen.next()
      await seen.return?.()
      if (first.done || connection.isOver) return
      stream = await this.#stream(
        connection,
        first.value,
        shape,
        wholeOf(first.value.state.spec, first.value.top),
      )
      if (connection.isOver) return stream.stop()
      await stream.run()
    }
    const stop = async () => {
      await seen.return?.()
      await stream?.stop()
    }
    return { run: () => run().catch(sayTimeout(connection)), stop }
  }

  #followed(connection: PlainConnection): PlainStream {
    const { updates, maxStateStreamMs } = this.#services
    const options = { minIntervalMs: 0, maxStreamMs: maxStateStreamMs, caller: connection.caller }
    return new FollowedTrainings(connection, updates.stream({}, options), (task, replay) =>
      // One that was started again under its name since is followed by that start.
      this.#stream(connection, task, 'metrics', replay, { onlyThisStart: true }),
    )
  }
}

const newest = (last: number): Replay => ({ after: null, last })

/** A task that did not come in time is no failure of this server. */
const sayTimeout = (connection: PlainConnection) => (error: unknown) => {
  if ((error as { code?: string }).code !== 'STREAM_TIMED_OUT') throw error
  const message = 'the task was not started within the maximum duration'
  connection.say({ type: 'timeout', timestamp: new Date().toISOString(), message })
}
