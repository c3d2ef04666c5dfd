import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface ReceivedRequest {
  headers: IncomingHttpHeaders
  body: string
  input: {
    taskId: string
    channelPrefix?: string
    attempt?: number
    producer: string
    firstSequence: number
    reports: Record<string, Record<string, unknown>>[]
  }
}

export type Respond = (request: ReceivedRequest, response: ServerResponse) => void

const accept: Respond = ({ input }, response) => {
  const payload = { accepted: input.reports.length, duplicates: 0, stopRequested: false }
  response.end(JSON.stringify({ data: { reportMetrics: payload } }))
}

export const acceptAndAskToStop: Respond = ({ input }, response) => {
  const payload = { accepted: input.reports.length, duplicates: 0, stopRequested: true }
  response.end(JSON.stringify({ data: { reportMetrics: payload } }))
}

export const loseAnswer: Respond = (_request, response) => {
  response.destroy()
}

export function fail(extensions: { code: string; retryable?: boolean }, httpStatus = 200): Respond {
  return (_request, response) => {
    response.statusCode = httpStatus
    response.end(JSON.stringify({ data: null, errors: [{ message: `${extensions.code}!`, extensions }] }))
  }
}

/** An HTTP server that records reportMetrics calls and answers them as told: `answers` first, then `accept`. */
export async function startFakeServer(...answers: Respond[]) {
  const requests: ReceivedRequest[] = []
  const arrivals = new EventTarget()
  const server = createServer(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    const request = { headers: incoming.headers, body, input: JSON.parse(body).variables.input }
    requests.push(request)
    arrivals.dispatchEvent(new Event('request'))
    const respond = answers.shift() ?? accept
    respond(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    requests,
    /** All reports of all requests, repeated ones included. */
    reports: () => requests.flatMap(({ input }) => input.reports),
    async received(count: number): Promise<void> {
      while (requests.length < count) await once(arrivals, 'request')
    },
    async close(): Promise<void> {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

export type FakeServer = Awaited<ReturnType<typeof startFakeServer>>
