import { execute, GraphQLError, parse } from 'graphql'
import { describe, expect, it, vi } from 'vitest'
import type { WatchSignal } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { FanOut, SharedSubscription } from '../../src/execution/fan-out.ts'
import { EngineWait } from '../../src/feed/engine-wait.ts'
import type { Feeds } from '../../src/feed/feeds.ts'
import { ANYONE } from '../../src/repository/access.ts'
import type { Context } from '../../src/schema/context.ts'
import { schema } from '../../src/schema/index.ts'
import type { TaskSpec } from '../../src/task/task.ts'
import {
  Counted,
  FanOutOfOne,
  feedsOf,
  memoryLog,
  outletTo,
  Sink,
  type Subscribed,
  type SubscribeOptions,
} from '../support/delivery.ts'
import type { Data } from '../support/graphql.ts'
import { append, createTask, progress, range, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const typesOf = ({ got }: Subscribed) => got().map(({ data }) => data.event.type)
/** Of the log only. */
const offsetsOf = ({ got }: Subscribed) =>
  got().flatMap(({ data }) => (data.event.offset === undefined ? [] : [data.event.offset]))
/** Where the stream stood after each event, its own ones as well. */
const standingsOf = ({ got }: Subscribed) =>
  got().map(({ data }) => Number.parseInt(data.event.cursor.split('.')[2], 36))

async function open(settings: Parameters<typeof feedsOf>[1] = {}) {
  const log = memoryLog()
  const key = await createTask(log)
  const hearing: ((signal: WatchSignal) => void)[] = []
  const watch = log.watch.bind(log)
  log.watch = (watched, hear) => {
    hearing.push(hear)
    return watch(watched, hear)
  }
  const signal = (told: WatchSignal) => {
    for (const hear of hearing) hear(told)
  }
  const fanOut = new FanOutOfOne(feedsOf(log, settings))
  const isLive = (...all: Subscribed[]) =>
    until(
      'all to stand at the top',
      () => all.every(({ got }) => got().length > 0) && fanOut.shared.groups.size > 0,
    )
  return { log, key, fanOut, isLive, signal, counted: new Counted() }
}

type Opened = Awaited<ReturnType<typeof open>>
const many = ({ fanOut, key, counted }: Opened, count: number, options: SubscribeOptions = {}) =>
  Promise.all(range(1, count).map(() => fanOut.subscribe(key, counted, options)))

describe('an event', () => {
  it('is encoded once for all that stand at the top', async () => {
    const opened = await open()
    const { log, key, counted, fanOut } = opened
    const members = await many(opened, 100)
    await opened.isLive(...members)
    counted.encoded = 0
    for (const i of range(1, 20)) await append(log, key, progress(i))
    await append(log, key, progress(21), progress(22), succeeded())
    await Promise.all(members.map(({ done }) => done))
    for (const member of members) {
      expect(offsetsOf(member)).toEqual(range(2, 24))
      expect(typesOf(member).at(-1)).toBe('StreamClosing')
    }
    expect(counted.encoded).toBe(23)
    // What opens and closes their streams is executed for one of them.
    expect(counted.executed).toEqual(['StreamOpened', 'StreamClosing'])
    expect([fanOut.shared.groups.size, fanOut.feeds.size, fanOut.open]).toEqual([0, 0, 0])
  })

  it('goes with all others that arrive in one turn of the event loop, in one write', async () => {
    const opened = await open()
    const { log, key } = opened
    const members = await many(opened, 3)
    await opened.isLive(...members)
    const writes = members.map(({ sink }) => vi.spyOn(sink, 'write'))
    // Eight calls, one after the other, without a turn of the event loop between them.
    for (const i of range(1, 8)) await append(log, key, progress(i))
    await until('all to have them', () => members.every((member) => offsetsOf(member).length === 8))
    for (const write of writes) expect(write).toHaveBeenCalledTimes(1)
  })

  it('does not wait for others where so many come in one turn that the ring would lose some', async () => {
    const opened = await open({ ringEvents: 16 })
    const { log, key, counted } = opened
    const members = await many(opened, 3)
    await opened.isLive(...members)
    const read = vi.spyOn(log, 'read')
    counted.encoded = 0
    for (const i of range(1, 200)) await append(log, key, progress(i))
    await until('all to have them', () => members.every((member) => offsetsOf(member).length === 200))
    for (const member of members) expect(offsetsOf(member)).toEqual(range(2, 201))
    expect(counted.encoded).toBe(200)
    // Nobody had to catch up from the log.
    expect(read).not.toHaveBeenCalled()
  })

  it('is encoded once for all that catch up through the same pages', async () => {
    const opened = await open({ ringEvents: 4 })
    const { log, key, counted } = opened
    await append(log, key, ...range(1, 1000).map((i) => progress(i)))
    const members = await many(opened, 20, { replay: { last: 10_000 } })
    await opened.isLive(...members)
    await until('all to be through', () => members.every((member) => offsetsOf(member).length === 1001))
    for (const member of members) expect(offsetsOf(member)).toEqual(range(1, 1001))
    // The few in the feed's ring come by the way of the feed.
    expect(counted.encoded).toBeLessThanOrEqual(1001 + 4 * members.length)
  })

  it.each([
    ['that come from a few events back', false],
    ['whose sockets a burst was too much for', true],
  ])('is encoded once for all %s', async (_, burst) => {
    const opened = await open()
    const { log, key, counted, fanOut } = opened
    const events = range(1, 200).map((i) => progress(i))
    await opened.isLive(await fanOut.subscribe(key, new Counted()))
    if (!burst) await append(log, key, ...events)
    const members = await many(opened, 50, { replay: { last: 1000 }, maxBufferedBytes: 4096 })
    await opened.isLive(...members)
    if (burst) await append(log, key, ...events)
    await until('all to be through', () => members.every((member) => offsetsOf(member).length === 201))
    // Twice: together, and for those that read alone.
    expect(counted.encoded).toBeLessThanOrEqual(2 * 201)
  })

  it('that the encoder leaves is executed once, and shared', async () => {
    const opened = await open()
    const { log, key, counted } = opened
    counted.isLeft = ({ offset }) => offset % 3 === 0
    const members = await many(opened, 30)
    await opened.isLive(...members)
    counted.executed = []
    for (const i of range(1, 30)) {
      await append(log, key, progress(i))
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await append(log, key, succeeded())
    await Promise.all(members.map(({ done }) => done))
    for (const member of members) expect(offsetsOf(member)).toEqual(range(2, 32))
    expect(counted.executed).toEqual([...range(1, 10).map(() => 'ProgressUpdate'), 'StreamClosing'])
  })

  it('that takes long to execute holds up those behind it, and loses or repeats none', async () => {
    const opened = await open({ ringEvents: 8 })
    const { log, key, counted, fanOut } = opened
    counted.isLeft = ({ offset }) => offset % 10 === 0
    const { execute } = counted
    const held: (() => void)[] = []
    counted.execute = async (args) => {
      const { type } = args.rootValue as { type: string }
      if (type === 'ProgressUpdate') await new Promise<void>((resolve) => held.push(resolve))
      return execute(args)
    }
    const members = await many(opened, 5)
    await opened.isLive(...members)
    let isOver = false
    const letting = until('the end', () => {
      for (const go of held.splice(0)) go()
      return isOver
    })
    for (const i of range(1, 60)) {
      await append(log, key, progress(i))
      if (i % 9 === 0) members.push(await fanOut.subscribe(key, counted, { replay: { last: 1000 } }))
    }
    await append(log, key, succeeded())
    await Promise.all(members.map(({ done }) => done))
    isOver = true
    await letting
    for (const [i, member] of members.entries()) expect(offsetsOf(member)).toEqual(range(i < 5 ? 2 : 1, 62))
  })

  it('whose execution fails is told as an error to each that gets it, and ends all of them', async () => {
    const opened = await open()
    const { log, key, counted, fanOut } = opened
    const members = await many(opened, 10)
    const other = new Counted()
    const unhurt = await fanOut.subscribe(key, other)
    await opened.isLive(...members, unhurt)
    counted.isLeft = ({ type }) => type === 'ProgressUpdate'
    counted.execute = async () => {
      throw new Error('broken')
    }
    const outcomes = Promise.allSettled(members.map(({ done }) => done))
    await append(log, key, progress(1))
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'broken' } })
    await append(log, key, succeeded())
    await unhurt.done
    expect(typesOf(unhurt)).toEqual(['StreamOpened', 'ProgressUpdate', 'TrainingSucceeded', 'StreamClosing'])
    expect([fanOut.shared.groups.size, fanOut.feeds.size, fanOut.open]).toEqual([0, 0, 0])
  })

  it('whose execution failed is executed again for one that comes later', async () => {
    const opened = await open()
    const { log, key, counted, fanOut } = opened
    await append(log, key, ...range(1, 100).map((i) => progress(i)))
    counted.isLeft = ({ offset }) => offset === 50
    const { execute } = counted
    let isBroken = true
    counted.execute = async (args) => {
      if (isBroken && (args.rootValue as Data).type === 'ProgressUpdate') throw new Error('broken')
      return execute(args)
    }
    const replay = { last: 1000 }
    const first = await fanOut.subscribe(key, counted, { replay })
    await expect(first.done).rejects.toThrow('broken')
    isBroken = false
    const second = await fanOut.subscribe(key, counted, { replay })
    await until('all of it', () => offsetsOf(second).length === 101 || second.ended())
    expect(offsetsOf(second)).toEqual(range(1, 101))
  })

  it('with errors in its result carries them to everyone', async () => {
    const opened = await open()
    const { log, key, counted } = opened
    counted.isLeft = ({ type }) => type === 'ProgressUpdate'
    const { execute } = counted
    counted.execute = async (args) => {
      const result = await execute(args)
      const { type } = args.rootValue as { type: string }
      if (type !== 'ProgressUpdate') return result
      return {
        data: null,
        errors: [new GraphQLError('no', { extensions: { code: 'X', http: { status: 400 } } })],
      }
    }
    const members = await many(opened, 3)
    await opened.isLive(...members)
    await append(log, key, progress(1), succeeded())
    await Promise.all(members.map(({ done }) => done))
    for (const { got } of members)
      expect(got()[1]).toEqual({ data: null, errors: [{ message: 'no', extensions: { code: 'X' } }] })
  })
})

describe("a stream's own event", () => {
  it('is executed once for all that come at the same state, each with its own cursor and time', async () => {
    const opened = await open()
    const { log, key, fanOut, counted } = opened
    await append(log, key, ...range(1, 20).map((i) => progress(i)))
    const all = await Promise.all(
      range(0, 19).map((last) => fanOut.subscribe(key, counted, { replay: { last } })),
    )
    await opened.isLive(...all)
    expect(counted.executed).toEqual(['StreamOpened'])
    const cursors = all.map(({ got }) => got()[0].data.event.cursor as string)
    expect(new Set(cursors).size).toBe(20)
    for (const cursor of cursors) expect(cursor).toMatch(/^[0-9a-z]+\.[\w-]+\.[0-9a-z]+$/)
    for (const { got } of all)
      expect(Date.parse(got()[0].data.event.timestamp)).toBeGreaterThan(Date.now() - 60_000)

    // Another state, another execution.
    await append(log, key, progress(21))
    const later = await fanOut.subscribe(key, counted)
    await opened.isLive(later)
    expect(counted.executed).toEqual(['StreamOpened', 'StreamOpened'])
  })

  it('with errors is made for each alone', async () => {
    const opened = await open()
    const { counted } = opened
    counted.execute = async ({ rootValue }) => ({
      data: { event: { type: (rootValue as Data).type, cursor: (rootValue as Data).cursor } },
      errors: [new GraphQLError(`failed at ${(rootValue as Data).cursor}`)],
    })
    const all = await many(opened, 4)
    await opened.isLive(...all)
    for (const { got } of all) {
      const { data, errors } = got()[0]
      expect(errors).toEqual([{ message: `failed at ${data.event.cursor}` }])
      expect(data.event.cursor).not.toMatch(/^cursor-/)
    }
  })
})

describe('a subscriber', () => {
  it('hears of what was appended between its last look and its joining', async () => {
    // In any of the steps between the two.
    for (const steps of range(0, 60)) {
      const { log, key, fanOut, counted } = await open()
      const member = await fanOut.subscribe(key, counted, { replay: { last: 10 } })
      for (let step = 0; step < steps; step++) await Promise.resolve()
      await append(log, key, progress(1))
      await until(`it to be told, after ${steps} steps`, () => offsetsOf(member).includes(2), 1000)
      await member.subscriber.stop()
    }
  })

  it.each<[string, (opened: Opened) => Promise<void>, string]>([
    ['an event', ({ log, key }) => append(log, key, progress(1)), 'ProgressUpdate'],
    ['the end', ({ log, key }) => append(log, key, succeeded()), 'StreamClosing'],
    [
      'an interruption',
      async ({ signal }) => signal({ kind: 'interrupted', error: 'away' }),
      'StreamInterrupted',
    ],
    ['the end of the feed', ({ fanOut }) => fanOut.feeds.close(), 'nothing more'],
  ])('is told of %s that comes while it joins', async (_, happen, expected) => {
    const opened = await open()
    const { key, fanOut, counted } = opened
    await opened.isLive(await fanOut.subscribe(key, new Counted()))
    const member = await fanOut.subscribe(key, counted, { atTop: () => happen(opened) })
    await until('it to be told', () => typesOf(member).includes(expected) || member.ended(), 1000)
    await member.subscriber.stop()
  })

  it('that lags leaves, catches up in order, and comes back, while others wait for nothing', async () => {
    const opened = await open({ ringEvents: 8 })
    const { log, key, fanOut, counted } = opened
    const slow = await fanOut.subscribe(key, counted, { maxBufferedBytes: 500 })
    const quick = await fanOut.subscribe(key, counted)
    await opened.isLive(slow, quick)
    for (const round of range(0, 9)) {
      slow.sink.isPaused = true
      for (const i of range(1, 50)) {
        await append(log, key, progress(round * 50 + i))
        await until('the quick one', () => offsetsOf(quick).at(-1) === 1 + round * 50 + i)
      }
      expect(offsetsOf(slow).length).toBeLessThan(offsetsOf(quick).length)
      expect(slow.sink.writableLength).toBeLessThanOrEqual(500)
      slow.sink.resume()
      await until('the slow one', () => offsetsOf(slow).length === offsetsOf(quick).length)
    }
    await append(log, key, succeeded())
    await Promise.all([slow.done, quick.done])
    expect(offsetsOf(slow)).toEqual(range(2, 502))
    expect(offsetsOf(quick)).toEqual(range(2, 502))
  })

  it('that leaves its group takes itself along, and nobody else', async () => {
    const opened = await open()
    const { log, key, fanOut } = opened
    const members = await many(opened, 4)
    await opened.isLive(...members)
    await append(log, key, progress(1))
    await until('all to have it', () => members.every((member) => offsetsOf(member).length === 1))
    for (const { subscriber } of members.slice(0, 2)) await subscriber.stop()
    await append(log, key, progress(2))
    await until('the others', () => members.slice(2).every((member) => offsetsOf(member).length === 2))
    expect(members.map((member) => offsetsOf(member).length)).toEqual([1, 1, 2, 2])
    expect(fanOut.shared.groups.size).toBe(1)
    for (const { subscriber } of members.slice(2)) await subscriber.stop()
    expect([fanOut.shared.groups.size, fanOut.feeds.size, fanOut.open]).toEqual([0, 0, 0])
  })

  it('joins others only where they stand: what they have yet to get is not for it', async () => {
    const opened = await open()
    const { log, key, fanOut, counted } = opened
    const { execute } = counted
    let go = () => {}
    counted.execute = async (args) => {
      if ((args.rootValue as Data).type === 'ProgressUpdate')
        await new Promise<void>((resolve) => (go = resolve))
      return execute(args)
    }
    const early = await fanOut.subscribe(key, counted)
    await opened.isLive(early)
    counted.isLeft = ({ offset }) => offset === 2
    await append(log, key, progress(1))
    // The group is busy with the event that this one came after.
    const late = await fanOut.subscribe(key, counted)
    await until('it to open', () => late.got().length === 1)
    await append(log, key, progress(2))
    go()
    await append(log, key, succeeded())
    await Promise.all([early.done, late.done])
    expect(offsetsOf(early)).toEqual([2, 3, 4])
    expect(offsetsOf(late)).toEqual([3, 4])
  })

  it('gets nothing more once it has left, in whatever state', async () => {
    const opened = await open({ ringEvents: 8 })
    const { log, key, fanOut, counted } = opened
    await append(log, key, ...range(1, 600).map((i) => progress(i)))
    for (const steps of [0, 1, 2, 3, 5, 8, 13, 21, 34, 55]) {
      const subscribed = await fanOut.subscribe(key, counted, {
        replay: { last: 600 },
        maxBufferedBytes: 4096,
      })
      for (let step = 0; step < steps; step++) await new Promise((resolve) => setImmediate(resolve))
      await subscribed.subscriber.stop()
      const count = subscribed.sink.messages.length
      await append(log, key, progress(1000 + steps))
      for (let step = 0; step < 5; step++) await new Promise((resolve) => setImmediate(resolve))
      expect(subscribed.sink.messages.length).toBe(count)
      expect(await subscribed.done).toBe(undefined)
    }
    await until('nothing to be left', () => fanOut.feeds.size === 0)
    expect([fanOut.shared.groups.size, fanOut.open]).toEqual([0, 0])
  })

  it.each([
    ['live', { replay: { last: 0 }, paused: false }],
    ['while it catches up', { replay: { last: 5000 }, paused: true }],
  ])('whose time is over %s is told so, with the cursor to go on from', async (_, { replay, paused }) => {
    const opened = await open({ ringEvents: 8 })
    const { log, key, fanOut, counted } = opened
    await append(log, key, ...range(1, 2000).map((i) => progress(i)))
    const settings = { replay, maxStreamMs: 300, maxBufferedBytes: 1000 }
    const started = performance.now()
    const first = await fanOut.subscribe(key, counted, settings)
    first.sink.isPaused = paused
    if (!paused) {
      await opened.isLive(first)
      await append(log, key, progress(2001), progress(2002))
    }
    await until('its time to be over', async () => {
      await append(log, key, progress(5000))
      // A reader that takes a little now and then.
      first.sink.resume()
      first.sink.isPaused = paused && offsetsOf(first).length > 100
      if (first.sink.messages.length > 0 && performance.now() > started + 400) first.sink.resume()
      return first.ended()
    })
    expect(typesOf(first).at(-1)).toBe('StreamTimedOut')
    const after = first.got().at(-1).data.event.cursor as string
    const start = standingsOf(first)[0] as number
    expect(start).toBe(replay.last ? 0 : 2001)
    expect(standingsOf(first).at(-1)).toBe(offsetsOf(first).at(-1) ?? start)
    const second = await fanOut.subscribe(key, counted, { replay: { after } })
    await append(log, key, succeeded())
    await second.done
    const top = (await log.snapshot(key))?.top.offset as number
    expect([...offsetsOf(first), ...offsetsOf(second)]).toEqual(range(start + 1, top))
  })
})

/** One for all: a store is not made for each caller. */
const engineWait = new EngineWait(new MemoryStore({ retainEvents: 1, retainSeconds: 1, maxBytes: 1e6 }), 0)

const context = (feeds: Feeds, audience: string, subject: string) =>
  ({
    caller: { ...ANYONE, subject },
    audience,
    services: {
      feeds,
      engineWait,
      channelPrefixes: ['gan:training'],
      maxStreamMs: 60_000,
    },
  }) as unknown as Context

describe('subscriptions that get the same', () => {
  const SOURCE = /* GraphQL */ `
    subscription A($taskId: ID!, $last: Int, $with: Boolean = true, $unused: Int) {
      trainingProgress(taskId: $taskId, last: $last) { cursor ... on ProgressUpdate @include(if: $with) { current } }
    }
    subscription B($taskId: ID!) { trainingProgress(taskId: $taskId) { cursor timestamp } }`
  const documents = { one: parse(SOURCE), same: parse(SOURCE) }

  async function groupsOf(
    ...kinds: {
      document?: keyof typeof documents
      name?: string
      audience?: string
      subject?: string
      variables?: object
    }[]
  ) {
    const log = memoryLog()
    const key: TaskSpec = await createTask(log)
    const feeds = feedsOf(log)
    let executed = 0
    const fanOut = new FanOut(async (args) => {
      executed++
      return execute(args)
    })
    const sinks: Sink[] = []
    for (const { document = 'one', name = 'A', variables = {}, ...who } of kinds) {
      const { audience = 'everybody', subject = 'anyone' } = who
      const operation = {
        schema,
        document: documents[document],
        operationName: name,
        variableValues: { taskId: key.id, ...variables },
        contextValue: context(feeds, audience, subject),
      }
      const results = await fanOut.subscribe(operation, { close: () => {} })
      if (!(results instanceof SharedSubscription)) throw new Error(JSON.stringify(results))
      const sink = new Sink()
      sinks.push(sink)
      void results.deliverTo(outletTo(sink)).start()
    }
    await until('all to have opened', () => sinks.every(({ messages }) => messages.length > 0))
    await until('all to stand at the top', async () => {
      const before = fanOut.groupCount
      await append(log, key, progress(1))
      return before > 0 && sinks.every(({ messages }) => messages.length >= 2)
    })
    const count = fanOut.groupCount
    await feeds.close()
    await until('all groups to be gone', () => fanOut.groupCount === 0)
    return { count, executed, sinks }
  }

  it.each([
    ['the same document', [{}, {}, {}], 1],
    [
      'variables that do not shape the result',
      [{ variables: { last: 1 } }, { variables: { last: 2, unused: 7 } }, {}],
      1,
    ],
    ['a default that is given as well', [{ variables: { with: true } }, { variables: { with: true } }], 1],
    ['a condition that differs', [{ variables: { with: true } }, { variables: { with: false } }], 2],
    ['another operation of the document', [{}, { name: 'B' }], 2],
    ['another document', [{}, { document: 'same' as const }], 2],
    ['another audience', [{ audience: 'a' }, { audience: 'b' }, { audience: 'a' }], 2],
  ])('by %s', async (_, kinds, expected) => {
    const { count, sinks } = await groupsOf(...kinds)
    expect(count).toBe(expected)
    for (const [i, { messages }] of sinks.entries()) {
      const { name = 'A', variables = {} } = kinds[i] as { name?: string; variables?: { with?: boolean } }
      const last = messages.at(-1)?.payload.data.trainingProgress
      expect(Object.keys(last)).toEqual(
        name === 'B'
          ? ['cursor', 'timestamp']
          : variables.with === false
            ? ['cursor']
            : ['cursor', 'current'],
      )
    }
  })

  it('a thousand different callers are one group with one execution', async () => {
    const callers = range(1, 1000).map((i) => ({ name: 'B', subject: `user ${i}` }))
    expect(await groupsOf(...callers)).toMatchObject({ count: 1, executed: 1 })
  })

  it('shares the execution of what opens the stream, time and all', async () => {
    const { executed } = await groupsOf({ name: 'B' }, { name: 'B' }, { name: 'B' })
    expect(executed).toBe(1)
  })
})
