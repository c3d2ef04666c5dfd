// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { isPassing, WATCH } from './api.js'
import { Sequence } from './sequence.js'

/** @typedef {import('./run.js').Run} Run */
/** @typedef {import('./processes.js').Server} Server */
/** @typedef {import('./trainer.js').Trainer} Trainer */
/** @typedef {import('./api.js').ApiError} ApiError */
/** @typedef {import('./sequence.js').LogEvent} LogEvent */

/** On these, clients of the protocol give up for good; no fault of this run may bring one about. */
const FATAL_CODES = new Set([1002, 1009, 4004, 4005, 4400, 4401, 4406, 4409, 4429, 4500])
const MAX_RETRY_DELAY_MS = 400
const ACK_TIMEOUT_MS = 5000
/** All that there is: subscribers are there before the first report. */
const LAST = 100

/** Watches one task over WebSocket to its end, on one server after the other, always from its last cursor on. */
export class Subscriber {
  sequence = new Sequence()
  name
  trainer
  /** Connections after the first one. */
  reconnects = 0
  interruptions = 0
  /** Longest time from when there was an event to deliver, in ms, while it was connected. */
  longestWaitMs = 0
  /** Delivery is over, and the stream said so. */
  done = false
  #run
  #random
  /** @type {string | null} */
  #cursor = null
  /** @type {WebSocket | undefined} */
  #socket
  #opened = false
  /** Reports that are in the log for certain. */
  #known = 0
  #waitingSince = 0
  /** @type {Server} */
  #server
  #tries = 0

  /**
   * @param {Run} run
   * @param {string} name
   * @param {Trainer} trainer
   * @param {Server} server where it begins
   */
  constructor(run, name, trainer, server) {
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

  /** @param {number} reported */
  knowOf(reported) {
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
          this.#socket = /** @type {WebSocket} */ (socket)
        },
      },
    })
    const abort = () => this.cut()
    this.#run.signal.addEventListener('abort', abort)
    try {
      await new Promise((resolve) => {
        const variables = { taskId: this.trainer.taskId, after: this.#cursor, last: LAST }
        client.subscribe(
          { query: WATCH, variables },
          {
            next: ({ data, errors }) => {
              if (errors) this.#refused(errors)
              else this.#take(/** @type {any} */ (data).trainingProgress)
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

  /** @param {LogEvent & { error?: string, count?: number, skipReason?: string }} event */
  #take(event) {
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

  /**
   * @param {Server} server
   * @param {unknown} error
   */
  #ended(server, error) {
    if (Array.isArray(error)) return this.#refused(error)
    const { code, reason } = /** @type {{ code?: number, reason?: string }} */ (error ?? {})
    if (code !== undefined && FATAL_CODES.has(code)) {
      this.#fail(`server ${server.name} closed the socket with ${code} ${reason}, on which clients give up`)
    }
  }

  /** @param {Server} server */
  #completed(server) {
    // Where the socket was closed on purpose, graphql-ws completes, too.
    if (this.done || this.#run.signal.aborted || this.#socket?.readyState !== WebSocket.OPEN) return
    this.#fail(`server ${server.name} completed the stream without a word`)
  }

  /** @param {readonly ApiError[]} errors */
  #refused(errors) {
    const unexpected = errors.find((error) => !isPassing(error))
    if (unexpected) this.#fail(`refused with ${JSON.stringify(unexpected)}`)
  }

  /** @param {string} problem */
  #fail(problem) {
    this.#run.fail(`${problem} (${this.state})`)
  }
}

/**
 * Whether one who comes after the end is told how it ended.
 *
 * @param {Server} server
 * @param {string} taskId
 */
export async function showsTheEnd(server, taskId) {
  const client = createClient({ url: server.webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 })
  const types = []
  try {
    for await (const { data } of client.iterate({ query: WATCH, variables: { taskId } })) {
      types.push(/** @type {any} */ (data)?.trainingProgress.__typename)
    }
  } catch {
    // Refused, or the socket was closed.
  } finally {
    await client.dispose()
  }
  return types.join() === 'StreamOpened,TrainingSucceeded,StreamClosing'
}
