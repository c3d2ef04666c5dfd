import { request } from 'node:http'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { Data, Result } from './graphql.ts'

export interface Asked {
  readonly query?: string
  readonly operationName?: string
  readonly variables?: Record<string, unknown>
  readonly extensions?: Record<string, unknown>
  readonly documentId?: string
}

export interface DoorOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Of `connection_init`. */
  readonly connectionParams?: Readonly<Record<string, unknown>>
  /** Of GraphQL, such as `http://127.0.0.1:4000/graphql`. */
  readonly url: string
  /** Puts into the text of a request what JSON.stringify could not write. */
  readonly rewrite?: (text: string) => string
}

/** Sends one operation through one door and gives its first result, or its refusal. */
export type Door = (options: DoorOptions, asked: Asked) => Promise<Result>

const json = { 'content-type': 'application/json' }

function send(url: string, method: string, headers: Record<string, string>, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const parsed = (text: string): Result => JSON.parse(text) as Result

const textOf = ({ rewrite = (text) => text }: DoorOptions, value: unknown) => rewrite(JSON.stringify(value))

const length = (body: string) => ({ 'content-length': `${Buffer.byteLength(body)}` })

/** Every way by which an operation can come in. */
export const DOORS: Readonly<Record<string, Door>> = {
  POST: async (options, asked) => {
    const { url, headers } = options
    const body = textOf(options, asked)
    return parsed(await send(url, 'POST', { ...json, ...length(body), ...headers }, body))
  },
  'POST in chunks': async (options, asked) =>
    parsed(await send(options.url, 'POST', { ...json, ...options.headers }, textOf(options, asked))),
  // With a query string, a request is served by Yoga.
  'POST with a query string': async (options, asked) => {
    const { url, headers } = options
    const body = textOf(options, asked)
    return parsed(await send(`${url}?`, 'POST', { ...json, ...length(body), ...headers }, body))
  },
  GET: async ({ url, headers }, asked) =>
    parsed(await send(`${url}?${search(asked)}`, 'GET', { ...headers })),
  'server-sent events': async (options, asked) => {
    const { url, headers } = options
    const body = textOf(options, asked)
    const accept = { accept: 'text/event-stream' }
    return firstEvent(await send(url, 'POST', { ...json, ...accept, ...length(body), ...headers }, body))
  },
  WebSocket: async (options, asked) => {
    const { url, headers, connectionParams } = options
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
      headers: { ...headers },
    })
    onTestFinished(() => socket.terminate())
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('unexpected-response', (_, response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve(parsed(text)))
      })
      socket.on('close', (code, reason) => reject(new Error(`closed with ${code} ${reason}`)))
      const init = { type: 'connection_init', ...(connectionParams && { payload: connectionParams }) }
      socket.on('open', () => socket.send(JSON.stringify(init)))
      socket.on('message', (data) => {
        const { type, payload } = JSON.parse(String(data)) as { type: string; payload: Data }
        if (type === 'connection_ack')
          socket.send(textOf(options, { id: '1', type: 'subscribe', payload: { query: '', ...asked } }))
        else if (type === 'next' || type === 'error') {
          resolve(type === 'next' ? payload : { errors: payload })
          socket.terminate()
        }
      })
    })
  },
}

export const DOOR_NAMES = Object.keys(DOORS)

export function ask(door: string, options: DoorOptions, asked: Asked): Promise<Result> {
  const through = DOORS[door]
  if (!through) throw new Error(`there is no door ${door}`)
  return through(options, asked)
}

function search({ query, operationName, variables, extensions, documentId }: Asked): URLSearchParams {
  const params = new URLSearchParams()
  if (query !== undefined) params.set('query', query)
  if (operationName !== undefined) params.set('operationName', operationName)
  if (variables) params.set('variables', JSON.stringify(variables))
  if (extensions) params.set('extensions', JSON.stringify(extensions))
  if (documentId !== undefined) params.set('documentId', documentId)
  return params
}

function firstEvent(text: string): Result {
  const [, data] = /^data: (\{.*\})$/m.exec(text) ?? []
  // What is refused before there is a stream is no event.
  return parsed(data ?? text)
}
