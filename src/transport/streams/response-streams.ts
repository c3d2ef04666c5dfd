import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { SharedSubscription } from '../../execution/fan-out.ts'
import { stringify } from '../../execution/raw-json.ts'
import type { Opening } from '../../schema/context.ts'
import { withoutHttpHints } from '../../schema/errors.ts'
import type { Callers } from '../callers.ts'
import type { Clients } from '../clients.ts'
import type { CountedResponse } from '../counted-response.ts'
import type { OpenResponses } from '../open-responses.ts'
import type { Operation, Operations } from '../operations.ts'
import { ResponseOutlet } from './response-outlet.ts'
import type { StreamFormat } from './stream-format.ts'

interface ResponseStreamsOptions {
  readonly operations: Operations
  readonly responses: OpenResponses
  readonly clients: Clients
  readonly callers: Callers
  /** What may wait for one response to take the events of a training. */
  readonly maxBufferedBytes: number
}

/** What is written for a subscription that was refused: the door knows best. */
export type Refuse = (result: ExecutionResult) => void

/** Below the 60 s after which load balancers take a connection for dead, and often enough to notice a dead client. */
const HEARTBEAT_MS = 12_000
/** Parts of that time, in each of which a part of the streams is looked at. */
const SLICES = 50

/** Subscriptions whose results go into a response that goes on: server-sent events, and parts of a multipart one. */
export class ResponseStreams {
  readonly #options: ResponseStreamsOptions
  readonly #slices: Set<ResponseOutlet>[] = Array.from({ length: SLICES }, () => new Set())
  readonly #timer: NodeJS.Timeout
  #slice = 0
  #newest = 0

  constructor(options: ResponseStreamsOptions) {
    this.#options = options
    options.clients.everySweep(() => options.responses.cutExpired(Date.now()))
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS / SLICES)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /**
   * Runs a subscription into a response, to its end or until the client leaves.
   *
   * @param headers beside those of the format
   */
  async serve(
    response: ServerResponse,
    operation: Operation,
    format: StreamFormat,
    headers: Readonly<Record<string, string>>,
    refuse: Refuse,
  ): Promise<void> {
    const { operations, responses, callers, maxBufferedBytes } = this.#options
    const opening: Opening = {
      get isLeft() {
        return response.destroyed
      },
    }
    Object.assign(operation.contextValue, { opening })
    const results = await operations.subscribe(operation).catch((error: unknown) => ({
      errors: [operations.translate(error)],
    }))
    const isShared = results instanceof SharedSubscription
    if (!isShared && !(Symbol.asyncIterator in results)) {
      if (isOver(results)) response.writeHead(204, headers).end()
      else refuse(results)
      return
    }
    const outlet = new ResponseOutlet(response as CountedResponse, format, maxBufferedBytes)
    const pump = isShared ? this.#delivered(results, outlet) : this.#iterated(results, outlet, format)
    const stop = () => void pump.stop().catch((error) => operations.translate(error))
    if (response.destroyed) return stop()
    if (response.req.method === 'HEAD') {
      // Node would keep the head of a response without a body back until its end.
      response.writeHead(200, { ...format.headers, ...headers }).end()
      return stop()
    }
    responses.addEventStream(response, callers.endOf(operation.contextValue.caller), this.#logged(operation))
    response.once('close', stop)
    response.writeHead(200, { ...format.headers, ...headers })
    outlet.write(format.opening)
    const slice = this.#slices[this.#newest++ % SLICES] as Set<ResponseOutlet>
    slice.add(outlet)
    try {
      await pump.run()
      if (outlet.isOpen) response.end(format.completion)
    } catch (error) {
      const errors = [operations.translate(error)]
      const { refusals, holder } = response as CountedResponse
      refusals.addAll(errors, 'http', holder)
      if (outlet.isOpen) response.end(format.failure(textOf({ errors })))
    } finally {
      slice.delete(outlet)
    }
  }

  /** Tells the log of an event stream that has begun, once it is over. */
  #logged({ contextValue: { caller } }: Operation): () => void {
    const { log } = this.#options.clients
    const { subject, address } = caller
    const [connection, openedAt] = [log.nextConnection(), performance.now()]
    return () => log.closed({ door: 'event_stream', connection, subject, address, openedAt })
  }

  #delivered(results: SharedSubscription, outlet: ResponseOutlet) {
    const subscriber = results.deliverTo(outlet)
    return { run: () => subscriber.start(), stop: () => subscriber.stop() }
  }

  #iterated(results: AsyncGenerator<ExecutionResult, void>, outlet: ResponseOutlet, format: StreamFormat) {
    const run = async () => {
      for await (const result of results) {
        outlet.write(format.result(textOf(result), null))
        await outlet.drained()
      }
    }
    const stop = async () => {
      await results.return()
    }
    return { run, stop }
  }

  #beat(): void {
    this.#slice = (this.#slice + 1) % SLICES
    const now = performance.now()
    for (const outlet of this.#slices[this.#slice] ?? []) outlet.beat(now, HEARTBEAT_MS / 2)
  }
}

/** Nothing is left of the stream that its client comes back for. */
const isOver = ({ errors }: ExecutionResult): boolean => errors?.[0]?.extensions.code === 'STREAM_COMPLETE'

export function textOf({ data, errors }: ExecutionResult): string {
  return stringify({
    ...(data === undefined ? {} : { data }),
    ...(errors && { errors: errors.map((error) => withoutHttpHints(error).toJSON()) }),
  })
}
