import { onTestFinished } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import type { Data, Result } from './graphql.ts'
import { until } from './until.ts'

export interface Message {
  readonly id?: string
  readonly type: string
  readonly payload?: Data
}

/** Speaks graphql-transport-ws by hand, so that a test decides what is sent and when something is read. */
export class ProtocolClient {
  readonly socket: WebSocket
  /** In the order of their coming. */
  readonly messages: Message[] = []
  /** The close code, once there is one. */
  closed: number | undefined
  readonly #of = new Map<string, Result[]>()
  readonly #completed = new Set<string>()

  /** @param params of `connection_init` */
  constructor(socket: WebSocket, params?: Data) {
    this.socket = socket
    onTestFinished(() => socket.terminate())
    socket.on('error', () => {})
    socket.on('close', (code) => {
      this.closed = code
    })
    socket.on('open', () => this.send({ type: 'connection_init', ...(params && { payload: params }) }))
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message
      this.messages.push(message)
      const { id, type, payload } = message
      if (id === undefined) return
      if (type === 'complete') this.#completed.add(id)
      else this.results(id).push(type === 'error' ? { errors: payload } : payload)
    })
  }

  static async open(url: string, options: ClientOptions = {}, params?: Data): Promise<ProtocolClient> {
    const client = new ProtocolClient(
      new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false, ...options }),
      params,
    )
    await client.isAcknowledged()
    return client
  }

  async isAcknowledged(): Promise<void> {
    await until('the acknowledgement', () => this.messages.length > 0)
  }

  send(message: Data): void {
    this.socket.send(JSON.stringify(message))
  }

  subscribe(id: string, query: string, variables: Data = {}, operationName?: string): void {
    this.send({ id, type: 'subscribe', payload: { query, variables, operationName } })
  }

  complete(id: string): void {
    this.send({ id, type: 'complete' })
  }

  /** What came for an operation. */
  results(id: string): Result[] {
    let results = this.#of.get(id)
    if (!results) {
      results = []
      this.#of.set(id, results)
    }
    return results
  }

  isComplete(id: string): boolean {
    return this.#completed.has(id)
  }
}
