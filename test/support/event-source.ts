import { get, type IncomingHttpHeaders } from 'node:http'
import { onTestFinished } from 'vitest'
import { until } from './until.ts'

/** One event of a stream, as an EventSource would give it. */
export interface ServerSentEvent {
  readonly id?: string
  readonly event?: string
  readonly data: string
}

/** Reads server-sent events by hand, so that a test sees every line. */
export class EventReader {
  status: number | undefined
  headers: IncomingHttpHeaders = {}
  text = ''
  /** Whether the response came to its end. */
  isEnded = false
  readonly #leave: () => void

  constructor(url: string, headers: Record<string, string> = {}) {
    const request = get(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false })
    request.on('error', () => {})
    request.on('response', (response) => {
      this.status = response.statusCode
      this.headers = response.headers
      response.on('data', (chunk) => {
        this.text += chunk
      })
      response.on('end', () => {
        this.isEnded = true
      })
      response.on('error', () => {})
    })
    this.#leave = () => request.destroy()
    onTestFinished(this.#leave)
  }

  get events(): ServerSentEvent[] {
    const whole = this.text.slice(0, this.text.lastIndexOf('\n\n') + 2)
    return whole.split('\n\n').flatMap((block) => {
      const fields: Record<string, string> = {}
      for (const line of block.split('\n')) {
        const [, name, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
        if (name) fields[name] = value
      }
      return fields.data === undefined ? [] : [fields as unknown as ServerSentEvent]
    })
  }

  /** The id by which whoever is cut here comes back. */
  get lastEventId(): string | undefined {
    return [...this.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1]
  }

  has(count: number): Promise<unknown> {
    return until(`${count} events`, () => this.events.length >= count)
  }

  ended(): Promise<unknown> {
    return until('the end of the stream', () => this.isEnded)
  }

  leave(): void {
    this.#leave()
  }
}
