import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests of one connection that may wait for the response to the one before them. */
const MAX_PIPELINED = 32

interface Pipeline {
  newest: ServerResponse
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
  readonly #of = new WeakMap<Socket, Pipeline>()

  run({ socket }: IncomingMessage, response: ServerResponse, run: () => void): void {
    // Node hands over what it has read, all the same.
    if (socket.destroyed) return
    const pipeline = this.#of.get(socket)
    if (!pipeline) {
      this.#of.set(socket, { newest: response, waiting: 0 })
      run()
      return
    }
    const { newest } = pipeline
    if (newest.writableFinished) {
      pipeline.newest = response
      run()
    } else if (pipeline.waiting < MAX_PIPELINED) {
      pipeline.newest = response
      pipeline.waiting++
      newest.once('close', () => {
        pipeline.waiting--
        if (!socket.destroyed) run()
      })
    } else {
      socket.destroy()
    }
  }
}
