import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { type ApiError, isPassing, type StreamEvent, WATCH, type Watched } from './api.ts'
import type { Random } from './random.ts'
import type { Run } from './run.ts'
import { Sequence } from './sequence.ts'
import type { Server } from './server.ts'
import type { Trainer } from './trainer.ts'

/** On these, clients of the protocol give up for good; no fault of this run may bring one about. */
const FATAL_CODES = new Set([1002, 1009, 4004, 4005, 4400, 4401, 4406, 4409, 4429, 4500])
const MAX_RETRY_DELAY_MS = 400
const ACK_TIMEOUT_MS = 5000
/** All that there is: subscribers are there before the first report. */
const LAST = 100

/** Watches one task over WebSocket to its end, on one server after the other, always from its last cursor on. */
export class Subscriber {
  readonly sequence = new Sequence()
  readonly name: string
  readonly trainer: Trainer
  /** Connections after the first one. */
  reconnects = 0
  interruptions = 0
  /** Longest time from when there was an event to deliver, in ms, while it was connected. */
  longestWaitMs = 0
  /** Delivery is over, and the stream said so. */
  done = false
  readonly #run: Run
  readonly #random: Random
  #cursor: string | null = null
  #socket: WebSocket | undefined
  #opened = false
  /** Reports that are in the log for certain. */
  #known = 0
  #waitingSince = 0
  #server: Server
  #tries = 0

  /** @param server where it begins */
  constructor(run: Run, name: string, trainer: Trainer, server: Server) {
    this.#run = run
    this.#random = run.random(`subscriber ${name}`)
    this.name = name
    this.trainer = trainer
    this.#server = server
  }

  /** It has a cursor: from here on nothing can be lost. */
  get ready() {
    return this.#cursor !== null
  }

  get state() {
    const connection = this.#opened ? `on ${this.#server.name}` : 'not connected'
    return `subscriber ${this.name} of task ${this.trainer.name} at offset ${this.sequence.offset}, current ${this.sequence.current}, ${connection}`
  }

  /** How long it has been connected to a server that had something for it and delivered nothing, in ms. */
  get waitedMs() {
    return this.#opened && this.sequence.current < this.#known ? Date.now() - this.#waitingSince : 0
  }

  /** To the end of the stream, or of the run. */
  async watch() {
    const { signal, servers } = this.#run
    for (;;) {
      await this.#connect()
      if (this.done || signal.aborted) return
      this.reconnects++
      if (this.#random.chance(0.5)) this.#server = this.#random.pick(servers)
      const delay = Math.min(MAX_RETRY_DELAY_MS, 10 * 2 ** this.#tries++) * (0.5 + this.#random.fraction())
      await sleep(delay, undefined, { signal })
    }
  }

  /** As a cable that is pulled. */
  cut() {
    this.#socket?.terminate()
  }

  knowOf(reported: number) {
    if (this.sequence.current >= this.#known) this.#waitingSince = Date.now()
    this.#known = reported
  }

  /** One connection and one subscription on it, until either is over. */
  async #connect() {
    const server = this.#server
    const client = createClient({
      url: server.webSocketUrl,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionAckWaitTimeout: ACK_TIMEOUT_MS,
      on: {
        opened: (socket) => {
          this.#socket = socket as WebSocket
        },
      },
    })
    const abort = () => this.cut()
    this.#run.signal.addEventListener('abort', abort)
    try {
      await new Promise((resolve) => {
        const variables = { taskId: this.trainer.taskId, after: this.#cursor, last: LAST }
        client.subscribe<Watched>(
          { query: WATCH, variables },
          {
            next: ({ data, errors }) => {
              if (errors) this.#refused(errors)
              else if (data) this.#take(data.trainingProgress)
            },
            error: (error) => {
              this.#ended(server, error)
              resolve(undefined)
            },
            complete: () => {
              this.#completed(server)
              resolve(undefined)
            },
          },
        )
      })
    } finally {
      this.#opened = false
      this.#run.signal.removeEventListener('abort', abort)
      await client.dispose()
      this.cut()
      this.#socket = undefined
    }
  }

  #take(event: StreamEvent) {
    switch (event.__typename) {
      case 'StreamOpened':
        if (this.#cursor !== null && event.cursor !== this.#cursor) {
          this.#fail(`the stream opened at ${event.cursor}; expected the cursor given, ${this.#cursor}`)
        }
        this.#cursor = event.cursor
        this.#opened = true
        this.#waitingSince = Date.now()
        return
      case 'StreamInterrupted':
        this.interruptions++
        return
      case 'StreamClosing':
        if (this.sequence.final === null) this.#fail('the stream closed before the final event')
        this.done = true
        return
      case 'StreamTimedOut':
        return
      case 'EventsSkipped':
        this.#fail(`${event.count} events were skipped (${event.skipReason}), and none can be missing`)
        return
    }
    const problem = this.sequence.take(event)
    if (problem) this.#fail(problem)
    this.#cursor = event.cursor
    this.#tries = 0
    this.#run.delivered++
    const now = Date.now()
    this.longestWaitMs = Math.max(this.longestWaitMs, now - this.#waitingSince)
    this.#waitingSince = now
  }

  #ended(server: Server, error: unknown) {
    if (Array.isArray(error)) return this.#refused(error)
    const { code, reason } = (error ?? {}) as { code?: number; reason?: string }
    if (code !== undefined && FATAL_CODES.has(code)) {
      this.#fail(`${server.name} closed the socket with ${code} ${reason}, on which clients give up`)
    }
  }

  #completed(server: Server) {
    // Where the socket was closed on purpose, graphql-ws completes, too.
    if (this.done || this.#run.signal.aborted || this.#socket?.readyState !== WebSocket.OPEN) return
    this.#fail(`${server.name} completed the stream without a word`)
  }

  #refused(errors: readonly ApiError[]) {
    const unexpected = errors.find((error) => !isPassing(error))
    if (unexpected) this.#fail(`refused with ${JSON.stringify(unexpected)}`)
  }

  #fail(problem: string) {
    this.#run.fail(`${problem} (${this.state})`)
  }
}

/** Whether one that comes after the end is told how it ended. */
export async function showsTheEnd(server: Server, taskId: string) {
  const client = createClient({ url: server.webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 })
  const types: string[] = []
  try {
    for await (const { data } of client.iterate<Watched>({ query: WATCH, variables: { taskId } })) {
      if (data) types.push(data.trainingProgress.__typename)
    }
  } catch {
    // Refused, or the socket was closed.
  } finally {
    await client.dispose()
  }
  return types.join() === 'StreamOpened,TrainingSucceeded,StreamClosing'
}
