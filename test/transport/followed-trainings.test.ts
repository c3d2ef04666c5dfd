import { expect, it, onTestFinished } from 'vitest'
import { LiveGroups } from '../../src/delivery/live-group.ts'
import { Turns } from '../../src/delivery/turns.ts'
import { getTask } from '../../src/event-log/find-task.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { ANYONE } from '../../src/repository/access.ts'
import type { Services } from '../../src/schema/context.ts'
import type { TaskSpec } from '../../src/task/task.ts'
import { FollowedTrainings } from '../../src/transport/plain/followed-trainings.ts'
import type { PlainConnection, PlainStream } from '../../src/transport/plain/plain-connection.ts'
import { PlainStreams } from '../../src/transport/plain/plain-streams.ts'
import { append, createTask, progress, specOf, succeeded } from '../support/tasks.ts'

const throwIt = (error: unknown) => {
  throw error
}

function openLog() {
  const log = new MemoryStore({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })
  const feeds = new Feeds(log, {
    ...{ ringEvents: 8, checkMs: 50, ringBytes: 1_000_000, onError: throwIt },
    pages: { maxBytes: 1_000_000 },
  })
  onTestFinished(async () => {
    await feeds.close()
    await log.close()
  })
  const viewOf = ({ channelPrefix, id }: TaskSpec) => getTask(log, [channelPrefix], id, null)
  return { log, feeds, viewOf }
}

/** In the eyes of a page that comes now, what is created then begins after it. */
const LATER = Date.now() + 60_000

it('a start that was replaced before its stream was opened does not tell of the next one a second time', async () => {
  const { log, feeds, viewOf } = openLog()
  const start = async (id: string, startId: string, ...steps: number[]) => {
    const spec = await createTask(log, { id, startId, createdAt: LATER })
    await append(log, spec, ...steps.map((step) => progress(step)), succeeded())
    return spec
  }
  const { id } = specOf()
  const first = await start(id, 'first', 1)
  const stale = await viewOf(first)
  expect(await log.drop(first, stale)).toMatchObject({ kind: 'dropped' })
  const seen = [stale, await viewOf(await start(id, 'second', 2, 3))]

  const services = {
    ...{ feeds, maxStreamMs: 60_000, maxStateStreamMs: null },
    updates: {
      async *stream() {
        yield* seen
      },
    },
  }
  const said: string[] = []
  const writer = {
    sendMessage: (text: string) => said.push(text),
    sendBatch: (_: unknown, __: string, { texts }: { texts: string[] }, from: number, to: number) => {
      said.push(...texts.slice(from, to))
      return to
    },
    drained: async () => {},
  }
  const connection = {
    ...{ writer, caller: ANYONE },
    say: (message: object) => said.push(JSON.stringify(message)),
    refuse: throwIt,
    serve: (stream: PlainStream) => stream.run(),
  }
  const streams = new PlainStreams(services as unknown as Services, {
    groups: new LiveGroups(),
    turns: new Turns(8),
  })
  await streams.ofAll(connection as unknown as PlainConnection)
  const steps = () => said.flatMap((text) => JSON.parse(text).data?.current ?? [])
  await expect.poll(() => said.filter((text) => text.includes('closing')).length).toBe(1)
  expect(steps()).toEqual([2, 3])
})

it('a stream that is opened only once its page has left is stopped, and does not run', async () => {
  const { log, viewOf } = openLog()
  const task = await viewOf(await createTask(log, { createdAt: LATER }))
  const calls: string[] = []
  let opened = () => {}
  const opening = new Promise<void>((resolve) => {
    opened = resolve
  })
  const stream = {
    cursor: null,
    run: async () => void calls.push('run'),
    stop: async () => void calls.push('stop'),
  }
  async function* updates() {
    yield task
  }
  const followed = new FollowedTrainings(
    { refuse: throwIt } as unknown as PlainConnection,
    updates(),
    async () => {
      await opening
      return stream
    },
  )
  const running = followed.run()
  await followed.stop()
  opened()
  await running
  expect(calls).toEqual(['stop'])
})
