import {
  type Client,
  createClient,
  type ClientOptions as GraphQLWsOptions,
  type Sink,
  type SubscribePayload,
} from 'graphql-ws/client'
import { isClose } from './error.ts'
import { iterateOperation } from './iterate-operation.ts'
import { PING_INTERVAL_MS, terminateWithoutPong } from './pong-watch.ts'
import { type Carrier, ResumedOperation, type ResumingSink } from './resumed-operation.ts'
import { DEFAULT_RETRY, type RetryOptions, retryDelayMs } from './retry.ts'
import { schedule } from './schedule.ts'
import type { StreamState } from './stream-state.ts'
import { subscribe } from './subscribe.ts'

/** graphql-ws' own options, with other defaults: it tries for ever (`retryAttempts`), and pings every 10 s (`keepAlive`). */
export interface ResumingClientOptions extends GraphQLWsOptions {
  /** Waits between tries; default 250 ms to 15 s. In place of `retryWait`, which is not called. */
  readonly retry?: Partial<Pick<RetryOptions, 'minDelayMs' | 'maxDelayMs'>> | undefined
  /** Told how each operation stands, whenever that changes. */
  readonly onState?: ((state: StreamState, payload: SubscribePayload) => void) | undefined
  /** Values that an `iterate` may have waiting to be taken. Default 4096. */
  readonly maxBuffered?: number | undefined
}

const ACK_WITHIN_MS = 10_000
const DEFAULT_MAX_BUFFERED = 4096
/** Refusals of a token in a row, after which the one who gives them has no better one. */
const MAX_REFUSED_TOKENS = 5
const NORMAL_CLOSURE = 1000
const FORBIDDEN = 4403
const INTERNAL_SERVER_ERROR = 4500

const resumingClients = new WeakSet<object>()

/** Whether its operations go on by themselves, and tell how they stand. */
export const isResumingClient = (client: object): boolean => resumingClients.has(client)

/**
 * A graphql-ws client for any link, whose subscriptions survive what passes: lost and refused connections, servers that
 * restart or are not up yet, errors that are `retryable`, expired tokens (`connectionParams` as a function is asked for
 * another). `trainingProgress` goes on after its last cursor, each event once and in order, to StreamClosing; what can no
 * longer be had is an EventsSkipped. `taskUpdates`, `taskProgress` and `heartbeat` are asked for again, and open with the
 * present state.
 *
 * A subscription ends with an error only where trying again is of no use: what the server refuses for good, or a token
 * that is refused 5 times in a row (at once, where `connectionParams` is no function). A mutation whose response was lost
 * fails with the close event, as it may have been carried out.
 */
export function createResumingClient(options: ResumingClientOptions): Client {
  const { onState, connectionParams, maxBuffered = DEFAULT_MAX_BUFFERED } = options
  const { retryAttempts = Number.POSITIVE_INFINITY } = options
  const retry: RetryOptions = { ...DEFAULT_RETRY, ...options.retry, attempts: retryAttempts }
  const operations = new Set<ResumedOperation>()
  /** Connections in a row that brought nothing. */
  let failures = 0
  let refusedTokens = 0
  /** Operations that the socket has to carry; without any, it is closed. */
  let open = 0
  let isClosedByUs = false
  let lastProblem: unknown
  let isDisposed = false
  /** A close code on which graphql-ws tries again at once, and for ever. */
  let mustWait = false
  let stopWaiting = () => {}
  let params: Promise<Record<string, unknown> | undefined> | undefined

  const waitToReconnect = () =>
    new Promise<void>((resolve) => {
      failures++
      const delayMs = retryDelayMs(failures, retry)
      const state = {
        kind: 'reconnecting',
        attempt: failures,
        nextTryAt: Date.now() + delayMs,
        cause: lastProblem,
      } as const
      for (const operation of operations) operation.isReconnecting(state)
      const cancel = schedule(delayMs, resolve)
      stopWaiting = () => {
        cancel()
        resolve()
      }
    })

  const client = createClient({
    keepAlive: PING_INTERVAL_MS,
    connectionAckWaitTimeout: ACK_WITHIN_MS,
    ...options,
    url: async () => {
      if (mustWait) await waitToReconnect()
      mustWait = false
      // Asked for before the socket is opened: the server bounds the time from there to the token.
      params = Promise.resolve(typeof connectionParams === 'function' ? connectionParams() : connectionParams)
      // Told when graphql-ws asks for it.
      await params.catch(() => undefined)
      if (typeof options.url === 'string') return options.url
      for (;;) {
        try {
          return await options.url()
        } catch (error) {
          // graphql-ws would wait for it for ever.
          lastProblem = error
          if (operations.size > 0) await waitToReconnect()
          else await new Promise<void>((resolve) => (stopWaiting = resolve))
        }
      }
    },
    connectionParams: () => params,
    retryAttempts,
    shouldRetry: (problem) => !isClose(problem) || problem.code !== FORBIDDEN || mayRefresh(),
    retryWait: waitToReconnect,
  })
  const mayRefresh = () => typeof connectionParams === 'function' && refusedTokens <= MAX_REFUSED_TOKENS

  const lost = (problem: unknown) => {
    lastProblem = problem
    if (isClose(problem) && problem.code === FORBIDDEN) refusedTokens++
    mustWait = isClose(problem) && problem.code === NORMAL_CLOSURE && open > 0 && !isClosedByUs
    for (const operation of operations) if (operation.isSentMutation) operation.end(problem)
  }
  client.on('opened', () => {
    isClosedByUs = false
  })
  client.on('closed', lost)
  client.on('error', lost)
  if (options.keepAlive !== 0) terminateWithoutPong(client)

  const carrier: Carrier = {
    retry,
    subscribe: (payload, sink) => {
      let isOpen = true
      open++
      const closed = () => {
        if (isOpen && --open === 0) isClosedByUs = true
        isOpen = false
      }
      const unsubscribe = subscribe<Record<string, unknown>>(client, payload, {
        next: (result) => sink.next(result),
        error: (problem) => {
          closed()
          sink.error(problem)
        },
        complete: () => {
          closed()
          sink.complete()
        },
      })
      return () => {
        closed()
        unsubscribe()
      }
    },
    isDisposed: () => isDisposed,
    // graphql-ws has tried everything else itself.
    isFinal: (problem) => !isClose(problem) || problem.code !== INTERNAL_SERVER_ERROR,
    refreshToken: () => {
      refusedTokens++
      if (!mayRefresh()) return false
      // The others come back with it, too.
      client.terminate()
      return true
    },
    progressed: () => {
      failures = 0
      refusedTokens = 0
    },
  }

  const operate = (payload: SubscribePayload, sink: ResumingSink): ResumedOperation => {
    const operation: ResumedOperation = new ResumedOperation(payload, sink, carrier, (state) => {
      if (state.kind === 'ended') operations.delete(operation)
      onState?.(state, payload)
    })
    if (operations.size === 0) stopWaiting()
    if (!operation.isOver) operations.add(operation)
    return operation
  }

  const resuming: Client = {
    on: client.on,
    subscribe: (payload: SubscribePayload, sink: Sink) => {
      const operation = operate(payload, sink as ResumingSink)
      return () => {
        if (operation.isOver) return
        operation.leave()
        // As with graphql-ws, whoever unsubscribes is told of the end.
        queueMicrotask(() => sink.complete())
      }
    },
    iterate: ((payload: SubscribePayload) =>
      iterateOperation((sink) => operate(payload, sink), maxBuffered)) as Client['iterate'],
    terminate: client.terminate,
    dispose: async () => {
      isDisposed = true
      for (const operation of operations) operation.end()
      stopWaiting()
      // Rejects where a connection is only just being made; that one is closed as nobody uses it.
      void Promise.resolve(client.dispose()).catch(() => undefined)
    },
  }
  resumingClients.add(resuming)
  return resuming
}
