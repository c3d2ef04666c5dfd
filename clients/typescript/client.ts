import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import type { DocumentNode } from 'graphql'
import { variablesOnReturn } from './away.ts'
import { requestFor } from './document.ts'
import { disposed, EpochcastClientError } from './error.ts'
import { post } from './execute.ts'
import { type FollowRequest, followEvents, type TrainingProgressEvent } from './follow.ts'
import { followLines, type OutputLineEvent } from './follow-output.ts'
import { type ReceiveOptions, receive } from './receive.ts'
import { type ConnectionChange, gaveUp, Reconnection } from './reconnection.ts'
import { DEFAULT_RETRY, pause, type RetryOptions, retryDelayMs } from './retry.ts'
import { createSocket, type Socket, webSocketUrl } from './socket.ts'
import { linkSignals, stoppable } from './stoppable.ts'

export interface ClientOptions {
  /** The GraphQL endpoint, such as `https://host/graphql`, or in a page `/graphql`; the WebSocket's URL is derived from it. */
  readonly url: string
  /** Sent as a bearer token over both transports; a function is asked at each request and connection. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** Where there is no global WebSocket (Node before 22), that of the package `ws`. */
  readonly webSocketImpl?: unknown
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Default: 12 attempts, 250 ms to 15 s apart. */
  readonly retry?: Partial<RetryOptions> | undefined
  /** Longest wait for the response to one request. Default 30,000. */
  readonly requestTimeoutMs?: number | undefined
  /** Values of one subscription that may wait to be taken. Default 4096. */
  readonly maxBuffered?: number | undefined
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * How often a call is made that fails in a way that may pass. Default 1: beyond that, it should be one
   * that may be repeated (a query, or a mutation with its idempotencyKey, or producer and firstSequence).
   */
  readonly attempts?: number | undefined
}

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined
  /** Told when the connection is lost and when it is back. */
  readonly onConnection?: ((change: ConnectionChange) => void) | undefined
}

/**
 * Every wait ends with the signal's reason once its signal is aborted, and with `CLIENT_DISPOSED` after
 * `dispose`. Whatever else goes wrong is an `EpochcastClientError`.
 */
export interface EpochcastClient {
  /** One query or mutation over HTTP. */
  execute<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    options?: CallOptions,
  ): Promise<Data>

  /**
   * Every event of a training, in order, each exactly once, from the position asked for to StreamClosing.
   * Comes back by itself, with the cursor it had reached, from a dropped socket and from the server's
   * maximum duration (StreamTimedOut is not shown, nor is a further StreamOpened); gives up when
   * `retry.attempts` tries in a row brought nothing. Events that the server no longer has are announced
   * by EventsSkipped. Nothing is opened before the first `next`.
   */
  follow(request: FollowRequest, options?: StreamOptions): AsyncIterableIterator<TrainingProgressEvent>

  /** The same, by the name that it has in the API's recipes: `for await (const event of client.watchTask({ taskId }))`. */
  watchTask(request: FollowRequest, options?: StreamOptions): AsyncIterableIterator<TrainingProgressEvent>

  /**
   * What a training's trainers print, line by line, until the training has ended and nothing has come for a while; it
   * comes back as `follow` does, after the last line. What is missing is a line with `skip`.
   */
  followOutput(request: FollowRequest, options?: StreamOptions): AsyncIterableIterator<OutputLineEvent>

  /**
   * The values of any subscription until the server completes it. Comes back from a dropped socket with
   * the same variables, which is right for those that open with the present state (taskProgress,
   * taskUpdates, heartbeat); taskUpdates also asks for what has ended since its last value, where its document
   * has a variable for `finishedWithinSeconds`; for the events of a training, `follow` loses and repeats none, and `followOutput` none of its lines.
   */
  subscribe<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    options?: StreamOptions,
  ): AsyncIterableIterator<Data>

  /** Ends everything that is under way and closes the socket. */
  dispose(): Promise<void>
}

/** What its subscriptions go over, for those that take them further. */
interface ClientSocket {
  open(): Socket
  isDisposed(): boolean
}

const sockets = new WeakMap<object, ClientSocket>()

export const socketOf = (client: EpochcastClient): ClientSocket | undefined => sockets.get(client)

const DEFAULT_MAX_BUFFERED = 4096
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000

export function createClient(options: ClientOptions): EpochcastClient {
  const { url, token, webSocketImpl, fetch = globalThis.fetch, maxBuffered = DEFAULT_MAX_BUFFERED } = options
  const { requestTimeoutMs: timeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = options
  const retry = { ...DEFAULT_RETRY, ...options.retry }
  const disposal = new AbortController()
  const authorization = async () => {
    const value = typeof token === 'function' ? await token() : token
    return value ? `Bearer ${value}` : undefined
  }
  let opened: Socket | undefined
  // Only now: a client that merely executes needs no WebSocket.
  const socket = () => {
    opened ??= createSocket({ url: webSocketUrl(url), webSocketImpl, authorization })
    return opened
  }

  const follow: EpochcastClient['follow'] = (request, { signal, onConnection } = {}) =>
    stoppable([disposal.signal, signal], (signal) =>
      followEvents(socket(), request, new Reconnection(retry, signal, onConnection), {
        signal,
        maxBuffered,
      }),
    )

  const client: EpochcastClient = {
    execute: async (document, variables, { signal, attempts = 1 } = {}) => {
      const linked = linkSignals(disposal.signal, signal)
      const body = { ...requestFor(document), variables }
      try {
        for (let attempt = 1; ; attempt++) {
          try {
            linked.signal.throwIfAborted()
            const request = { url, fetch, body, timeoutMs, signal: linked.signal }
            return await post({ ...request, authorization: await authorization() })
          } catch (error) {
            if (!(error instanceof EpochcastClientError && error.retryable)) throw error
            if (attempt >= attempts) throw attempts === 1 ? error : gaveUp(attempts, error)
          }
          await pause(retryDelayMs(attempt, retry), linked.signal)
        }
      } finally {
        linked.unlink()
      }
    },

    follow,
    watchTask: follow,

    followOutput: (request, { signal, onConnection } = {}) =>
      stoppable([disposal.signal, signal], (signal) =>
        followLines(socket(), request, new Reconnection(retry, signal, onConnection), {
          signal,
          maxBuffered,
        }),
      ),

    subscribe: (document, variables, { signal, onConnection } = {}) =>
      stoppable([disposal.signal, signal], (signal) =>
        values(
          socket(),
          document,
          variables as Record<string, unknown>,
          new Reconnection(retry, signal, onConnection),
          { signal, maxBuffered, onFull: 'fail' },
        ),
      ),

    dispose: async () => {
      disposal.abort(disposed())
      // Rejects where a connection is only just being made; that one is closed as nobody uses it.
      await Promise.resolve(opened?.client.dispose()).catch(() => undefined)
    },
  }
  sockets.set(client, { open: socket, isDisposed: () => disposal.signal.aborted })
  return client
}

async function* values<Data>(
  socket: Socket,
  document: DocumentNode,
  variables: Record<string, unknown>,
  reconnection: Reconnection,
  limits: ReceiveOptions<Data>,
): AsyncGenerator<Data, void, undefined> {
  let heardAt: number | null = null
  const payload = {
    ...requestFor(document),
    // Read at each sending: on close code 1000 graphql-ws subscribes again by itself.
    get variables() {
      return variablesOnReturn(document, variables, heardAt)
    },
  }
  const options: ReceiveOptions<Data> = {
    ...limits,
    onReceived: () => {
      heardAt = Date.now()
    },
  }
  for (;;) {
    try {
      for await (const value of receive<Data>(socket, payload, options)) {
        reconnection.opened()
        reconnection.progressed()
        yield value
      }
      return
    } catch (error) {
      // The same subscriber would be too slow again, and what it missed is gone.
      if (error instanceof EpochcastClientError && error.code === 'CONSUMER_TOO_SLOW') throw error
      await reconnection.next(error)
    }
  }
}
