import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Requests of one connection that may wait for the response to the one before them. */
const MAX_PIPELINED = 32

interface Pipeline {
  newest: ServerResponse
  request: IncomingMessage
  /** Requests that wait for their turn. */
  waiting: number
}

/**
 * Requests that a client sends without waiting for responses (HTTP pipelining) are run one after the other, each once
 * the response to the one before has left this process: so one connection has one response to read, however much it
 * asks for. Others, which is nearly all, run at once. A connection with too many is ended: what it would be told had to
 * wait, too, and Node goes on reading until then.
 */
export class Pipelines {
  readonly #of = new WeakMap<Duplex, Pipeline>()
  /** Responses that wait for their connection, which Node gives to one after the other. */
  readonly #waiting = new WeakMap<Duplex, Set<ServerResponse>>()

  /** Whether a response is under way on a connection. */
  isResponding(socket: Duplex): boolean {
    return this.#of.get(socket)?.newest.writableFinished === false
  }

  /** Whether the newest request of a connection has not come whole, and nothing of its response has been sent. */
  isReceiving(socket: Duplex): boolean {
    const pipeline = this.#of.get(socket)
    if (!pipeline || pipeline.waiting > 0) return false
    return !pipeline.request.complete && !pipeline.newest.headersSent
  }

  run(request: IncomingMessage, response: ServerResponse, run: () => void): void {
    const { socket } = request
    // Node hands over what it has read, all the same.
    if (socket.destroyed) return
    if (response.socket === null) this.#closeWith(socket, response)
    const pipeline = this.#of.get(socket)
    if (!pipeline) {
      this.#of.set(socket, { newest: response, request, waiting: 0 })
      run()
      return
    }
    const { newest } = pipeline
    if (newest.writableFinished) {
      pipeline.newest = response
      pipeline.request = request
      run()
    } else if (pipeline.waiting < MAX_PIPELINED) {
      pipeline.newest = response
      pipeline.request = request
      pipeline.waiting++
      newest.once('close', () => {
        pipeline.waiting--
        if (!socket.destroyed) run()
      })
    } else {
      socket.destroy()
    }
  }

  /** Takes a connection over, once what was asked for before has been responded to; never, where it is gone by then. */
  takeOver(socket: Duplex, run: () => void): void {
    const newest = this.#of.get(socket)?.newest
    if (!newest || newest.writableFinished) return void run()
    newest.once('close', () => {
      if (!socket.destroyed) run()
    })
  }

  /**
   * With a connection Node closes only the response that has it. Those behind it would be under way forever, and so would
   * all that is given back when a response closes.
   */
  #closeWith(socket: Duplex, response: ServerResponse): void {
    let waiting = this.#waiting.get(socket)
    if (!waiting) {
      waiting = new Set()
      this.#waiting.set(socket, waiting)
      socket.once('close', closeAll.bind(null, waiting))
    }
    waiting.add(response)
    response.once('close', () => waiting.delete(response))
  }
}

function closeAll(waiting: ReadonlySet<ServerResponse>): void {
  // One that has had the connection meanwhile is closed by Node, if it is not yet.
  for (const response of waiting)
    if (response.socket === null && !response.writableFinished) response.destroy().emit('close')
}
