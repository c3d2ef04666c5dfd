import { parse } from 'graphql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EventLoopWatch } from '../src/event-loop-watch.ts'

function watch() {
  const lines: { heldMs: number; began: string[]; message: string }[] = []
  const logger = {
    warn: (found: { heldMs: number; began: string[] }, message: string) => lines.push({ ...found, message }),
  }
  const eventLoop = new EventLoopWatch(logger as never, 0)
  eventLoop.close()
  onTestFinished(() => eventLoop.close())
  return { lines, eventLoop }
}

const operation = (text: string, more: object = {}) => ({
  document: parse(text),
  operationName: null,
  contextValue: {},
  ...more,
})

describe('the watch of the event loop', () => {
  it('tells once what held it for more than 50 ms, by the operations that began', () => {
    const { lines, eventLoop } = watch()
    eventLoop.began(operation('{ before }'))
    eventLoop.tick(20)
    eventLoop.tick(90)
    expect(lines).toEqual([])
    eventLoop.began(operation('query Tasks { tasks { totalCount } }'))
    eventLoop.began(operation('query Tasks { tasks { totalCount } }'))
    eventLoop.began(operation('mutation { reportMetrics }', { connection: {} }))
    eventLoop.began(operation('subscription { ...F } fragment F on Subscription { heartbeat }'))
    eventLoop.began(
      operation('query A { a } query B { b }', { operationName: 'B', contextValue: { request: {} } }),
    )
    eventLoop.tick(161)
    expect(lines).toEqual([
      {
        heldMs: 51,
        began: [
          'query Tasks over POST',
          'mutation { reportMetrics … } over WebSocket',
          'subscription { a fragment … } over POST',
          'query B over HTTP',
        ],
        message: expect.stringMatching(
          /^the event loop was held for 51 ms; 5 operations began meanwhile: query Tasks/,
        ),
      },
    ])
    expect(eventLoop.longestMs).toBe(51)
  })

  it('keeps quiet for a while, and then says how often it happened', () => {
    const { lines, eventLoop } = watch()
    for (let now = 100; now <= 10_100; now += 100) eventLoop.tick(now)
    eventLoop.tick(10_200)
    expect(lines).toHaveLength(2)
    expect(lines[0]?.message).toContain('no operation began meanwhile')
    expect(lines[1]?.message).toContain('99 times more since the last line like this')
  })

  it('keeps few of many operations, and none for longer than a tick', () => {
    const { lines, eventLoop } = watch()
    for (let i = 0; i < 1000; i++) eventLoop.began(operation(`query Q${i} { a }`))
    eventLoop.tick(20)
    eventLoop.tick(200)
    expect(lines[0]?.began).toEqual([])
    for (let i = 0; i < 1000; i++) eventLoop.began(operation(`query Q${i} { a }`))
    eventLoop.tick(20_000)
    expect(lines[1]?.began).toHaveLength(5)
    expect(lines[1]?.message).toContain('1000 operations began')
  })

  it('has a timer of its own', async () => {
    const lines: string[] = []
    const logger = { warn: (_: object, message: string) => lines.push(message) }
    const eventLoop = new EventLoopWatch(logger as never)
    onTestFinished(() => eventLoop.close())
    await new Promise((resolve) => setTimeout(resolve, 30))
    const end = performance.now() + 150
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(lines).toHaveLength(1)
  })
})
