import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LogEntry, ReadResult } from '../../src/event-log/event-log.ts'
import { getTask } from '../../src/event-log/find-task.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { TrainingEvents } from '../../src/feed/training-events.ts'
import { type Replay, trainingStream } from '../../src/feed/training-stream.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import type { TrainingEvent } from '../../src/task/stream-event.ts'
import type { TaskSpec } from '../../src/task/task.ts'
import { append, createTask, progress, range, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'

let log: MemoryStore
let feeds: Feeds
let key: TaskSpec
const open = async (retainEvents = 1000) => {
  log = new MemoryStore({ retainEvents, retainSeconds: 3600, maxBytes: 10_000_000 })
  feeds = new Feeds(log, {
    ringEvents: 8,
    checkMs: 50,
    pages: { maxBytes: 1_000_000 },
    ringBytes: 1_000_000,
    onError: (error) => {
      throw error
    },
  })
  key = await createTask(log)
}
beforeEach(() => open())
afterEach(async () => {
  await feeds.close()
  await log.close()
})

const NOTHING: Replay = { after: null, last: null }
const streamOf = async (replay: Replay, maxStreamMs = 60_000) => {
  const found = await getTask(feeds, [key.channelPrefix], key.id, null)
  return new TrainingEvents(await trainingStream(feeds, found, replay, { maxStreamMs }))
}
/** Numbers of progress events, types of all others. */
const told = (event: TrainingEvent): number | string =>
  event.type === 'ProgressUpdate' ? event.current : event.type

describe('a stream', () => {
  it('announces what was trimmed after it had opened, though nothing was asked to be replayed', async () => {
    await log.close()
    await open(10)
    const stream = await streamOf(NOTHING)
    await stream.next()
    for (const i of range(1, 40)) await append(log, key, progress(i))
    await append(log, key, succeeded())
    const rest: (number | string)[] = []
    for await (const event of stream) rest.push(told(event))
    expect(rest).toEqual(['EventsSkipped', ...range(32, 40), 'TrainingSucceeded', 'StreamClosing'])
  })

  it('that reads the end before its feed has heard of it closes with it', async () => {
    let hear: Parameters<MemoryStore['watch']>[1] = () => {}
    const watch = log.watch.bind(log)
    vi.spyOn(log, 'watch').mockImplementation((key, onSignal) => {
      hear = onSignal
      return watch(key, (signal) => hear(signal))
    })
    await feeds.close()
    feeds = new Feeds(log, {
      ringEvents: 8,
      checkMs: 1_000_000,
      pages: { maxBytes: 1_000_000 },
      ringBytes: 1_000_000,
      onError: (error) => {
        throw error
      },
    })
    const stream = await streamOf({ after: null, last: 1000 })
    for (const i of range(1, 40)) await append(log, key, progress(i))
    await stream.next()
    hear = () => {}
    await append(log, key, succeeded())
    const rest: (number | string)[] = []
    let reason: string | null = null
    for await (const event of stream) {
      rest.push(told(event))
      if (event.type === 'StreamClosing') reason = event.reason
    }
    expect(rest.slice(-2)).toEqual(['TrainingSucceeded', 'StreamClosing'])
    expect(reason).toBe('the task ended with SUCCESS')
  })

  it('at its maximum duration never says that all was delivered where it was not', async () => {
    for (const i of range(1, 40)) await append(log, key, progress(i))
    await append(log, key, succeeded())
    const stream = await streamOf({ after: null, last: 1000 }, 100)
    const events = [await stream.next(), await stream.next()]
    // A reader that takes its time, until the stream's is over: a timer that begins later and is longer ends later.
    await wait(150)
    for (;;) {
      const result = await stream.next()
      if (result.done) break
      events.push(result)
    }
    expect(events.map(({ value }) => value && told(value)).at(-1)).toBe('StreamTimedOut')
  })

  it('ends, and lets others run, when its feed is closed under it', async () => {
    const stream = await streamOf(NOTHING)
    await stream.next()
    const waiting = stream.next()
    await feeds.close()
    expect((await waiting).done).toBe(true)
  })

  it.each([
    ['all of it seen live', true],
    ['none of it seen live', false],
  ])('after a failed command notices that the log has other events than before, %s', async (_, live) => {
    const add = async () => {
      for (const i of range(1, 10)) await append(log, key, progress(i))
    }
    if (!live) await add()
    const stream = await streamOf({ after: null, last: 1000 })
    const seen: (number | string)[] = []
    const reading = (async () => {
      for await (const event of stream) seen.push(told(event))
    })()
    await until('it to open', () => seen.length > 0)
    if (live) await add()
    await until('all of it to be seen', () => seen.includes(10))

    // A promoted replica that lacks 8 to 10 and got three others at their offsets.
    const starting = vi.spyOn(log, 'startGeneration').mockResolvedValue()
    const real = log.read.bind(log)
    const replaced = ({ offset, event }: LogEntry): LogEntry =>
      offset > 8 ? { offset, event: progress(offset + 90) } : { offset, event }
    let isAway = true
    vi.spyOn(log, 'read').mockImplementation(async (...args): Promise<ReadResult> => {
      if (isAway) throw new EpochcastError('ENGINE_UNAVAILABLE', 'away')
      const result = await real(...args)
      return result.kind === 'entries' ? { ...result, entries: result.entries.map(replaced) } : result
    })
    await until('the failure to be told', () => seen.includes('StreamInterrupted'))
    isAway = false
    await until('a new generation', () => starting.mock.calls.length > 0)
    expect(starting.mock.calls[0]?.[2]).toBe(8)
    await stream.return()
    await reading
  })
})
