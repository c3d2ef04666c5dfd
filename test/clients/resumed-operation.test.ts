import type { Sink, SubscribePayload } from 'graphql-ws/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Carrier, type Result, ResumedOperation } from '../../clients/typescript/resumed-operation.ts'

const PAYLOAD: SubscribePayload = {
  query: 'subscription { trainingProgress(taskId: "t") { __typename cursor } }',
}

const event = (__typename: string, cursor: string): Result => ({
  data: { trainingProgress: { __typename, cursor } },
})
const refusal = (code: string, more = {}) => ({ message: code, extensions: { code, ...more } })

/** What carries an operation in a test's hands: each subscription, and whether it was left. */
function carried(onSubscribe: (sink: Sink<Result>, times: number) => void = () => {}) {
  const subscriptions: { sink: Sink<Result>; payload: SubscribePayload; isLeft: boolean }[] = []
  const carrier: Carrier = {
    retry: { attempts: Number.POSITIVE_INFINITY, minDelayMs: 10, maxDelayMs: 10 },
    subscribe: (payload, sink) => {
      const subscription = { sink, payload, isLeft: false }
      subscriptions.push(subscription)
      // Reading them is sending them.
      void payload.variables
      onSubscribe(sink, subscriptions.length)
      return () => {
        subscription.isLeft = true
      }
    },
    refreshToken: () => false,
    isDisposed: () => false,
    isFinal: () => true,
    progressed: () => {},
  }
  const kinds: string[] = []
  const ends: unknown[] = []
  const start = (onNext: (kind: string) => void = () => {}) =>
    new ResumedOperation(
      PAYLOAD,
      {
        next: ({ data }) => {
          const { trainingProgress } = data as Record<string, { __typename: string }>
          const kind = trainingProgress?.__typename ?? ''
          kinds.push(kind)
          onNext(kind)
        },
        error: (problem) => ends.push(problem),
        complete: () => ends.push('complete'),
      },
      carrier,
      () => {},
    )
  return { subscriptions, kinds, ends, start }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a resumed operation', () => {
  it('leaves a subscription that was refused before it could be left', () => {
    const { subscriptions, ends, start } = carried((sink) => sink.error([refusal('BAD_CURSOR')]))
    start()
    expect(ends).toMatchObject([[{ extensions: { code: 'BAD_CURSOR' } }]])
    expect(subscriptions.map(({ isLeft }) => isLeft)).toEqual([true])
  })

  it('gives nothing more to whoever leaves at the opening that stands before what was skipped', async () => {
    const { subscriptions, kinds, start } = carried()
    const operation = start((kind) => {
      if (kind === 'StreamOpened' && kinds.length > 2) operation.leave()
    })
    subscriptions[0]?.sink.next(event('StreamOpened', 'one'))
    subscriptions[0]?.sink.next(event('ProgressUpdate', 'two'))
    subscriptions[0]?.sink.complete()
    await vi.advanceTimersByTimeAsync(100)
    subscriptions[1]?.sink.next(event('StreamOpened', 'eight'))
    expect(kinds).toEqual(['StreamOpened', 'ProgressUpdate'])
    subscriptions[1]?.sink.next(event('EventsSkipped', 'nine'))
    expect(kinds).toEqual(['StreamOpened', 'ProgressUpdate', 'StreamOpened'])
  })

  it('ends where one of several errors is for good', () => {
    const { ends, start } = carried((sink) =>
      sink.error([refusal('ENGINE_UNAVAILABLE', { retryable: true }), refusal('BAD_INPUT')]),
    )
    start()
    expect(ends).toHaveLength(1)
  })

  it('waits as long as a server asks for, but a minute at most', async () => {
    const { subscriptions, start } = carried((sink, times) => {
      if (times === 1) sink.error([refusal('RATE_LIMITED', { retryable: true, retryAfterMs: 86_400_000 })])
    })
    const operation = start()
    await vi.advanceTimersByTimeAsync(59_000)
    expect(subscriptions).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2000)
    expect(subscriptions).toHaveLength(2)
    operation.leave()
  })

  it('is sent again from its cursor where somebody else sent it from its beginning', () => {
    const { subscriptions, kinds, start } = carried()
    const operation = start()
    subscriptions[0]?.sink.next(event('StreamOpened', 'one'))
    subscriptions[0]?.sink.next(event('ProgressUpdate', 'two'))
    // By a client that came back by itself: its text was written once, so nobody read the variables again.
    subscriptions[0]?.sink.next(event('StreamOpened', 'one'))
    expect(subscriptions.map(({ isLeft }) => isLeft)).toEqual([true, false])
    expect(subscriptions[1]?.payload.variables).toEqual({ epochcastAfter: 'two' })
    expect(kinds).toEqual(['StreamOpened', 'ProgressUpdate'])
    operation.leave()
  })
})
