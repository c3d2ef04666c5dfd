import type { Sink, SubscribePayload } from 'graphql-ws/client'
import { expect, it } from 'vitest'
import { type Carrier, type Result, ResumedOperation } from '../../clients/typescript/resumed-operation.ts'
import { range } from '../support/tasks.ts'

/*
 * Output over somebody else's client, which sends an operation again by itself, with the variables that it was given first.
 */

const QUERY = 'subscription ($after: Cursor) { taskOutput(taskId: "t", last: 9, after: $after) { cursor } }'

function carried(keepsVariables: boolean, onLine: (operation: ResumedOperation) => void = () => {}) {
  const sent: { after: unknown; sink: Sink<Result>; isLeft: boolean }[] = []
  const received: string[] = []
  const carrier: Carrier = {
    retry: { attempts: Number.POSITIVE_INFINITY, minDelayMs: 1, maxDelayMs: 1 },
    keepsVariables,
    subscribe: (payload: SubscribePayload, sink) => {
      const subscription = { after: payload.variables?.after, sink, isLeft: false }
      sent.push(subscription)
      return () => {
        subscription.isLeft = true
      }
    },
    refreshToken: () => false,
    isDisposed: () => false,
    isFinal: () => true,
    progressed: () => {},
  }
  const sink = {
    next: ({ data }: Result) => {
      received.push((data as { taskOutput: { cursor: string } }).taskOutput.cursor)
      onLine(operation)
    },
    error: () => {},
    complete: () => {},
  }
  const operation: ResumedOperation = new ResumedOperation({ query: QUERY }, sink, carrier, () => {})
  /** Lines by the newest subscription. */
  const print = (...cursors: string[]) => {
    for (const cursor of cursors) sent.at(-1)?.sink.next({ data: { taskOutput: { cursor } } })
  }
  return { sent, received, print, afters: () => sent.map(({ after }) => after) }
}

it('lines that are sent once more are left out, and the stream goes on after the newest', () => {
  const { sent, received, print, afters } = carried(true)
  // What was sent without a cursor would not be found back.
  print('c1')
  expect(afters()).toEqual([undefined, 'c1'])
  print('c2', 'c3')
  print('c2')
  expect(afters()).toEqual([undefined, 'c1', 'c3'])
  // Those of the subscription that was left are nobody's.
  sent[1]?.sink.next({ data: { taskOutput: { cursor: 'c3' } } })
  print('c4')
  expect(received).toEqual(['c1', 'c2', 'c3', 'c4'])
  expect(sent.map(({ isLeft }) => isLeft)).toEqual([true, true, false])
})

it('it is given a newer cursor before it would replay more than is remembered', () => {
  const { received, print, afters } = carried(true)
  const cursors = range(1, 2500).map(String)
  print(...cursors)
  expect(received).toEqual(cursors)
  expect(afters()).toEqual([undefined, '1', '1001', '2001'])
})

it('nobody who leaves at a line is subscribed again', () => {
  const { sent, received, print } = carried(true, (operation) => operation.leave())
  print('c1', 'c2')
  expect(received).toEqual(['c1'])
  expect(sent).toHaveLength(1)
})

it('a client that reads the variables at each sending is left alone', () => {
  const { received, print, afters } = carried(false)
  print('c1', 'c2')
  expect(received).toEqual(['c1', 'c2'])
  expect(afters()).toEqual([undefined])
})
