import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatch } from './dispatch/dispatch.ts'
import type { Liveness } from './dispatch/liveness.ts'
import type { OperationConfig } from './operation-config.ts'
import type { OpenResponses } from './transport/open-responses.ts'
import type { Operations } from './transport/operations.ts'
import type { WebSocketTransport } from './transport/websocket/upgrades.ts'

export interface Stopping extends Pick<OperationConfig, 'stopDelayMs' | 'drainMs'> {
  readonly dispatch: Pick<Dispatch, 'close'>
  readonly liveness: Pick<Liveness, 'close'>
  readonly http: Server
  readonly webSocket: WebSocketTransport
  readonly responses: OpenResponses
  readonly operations: Pick<Operations, 'underWay'>
  /** What only holds something, in the order in which it is let go. */
  readonly parts: readonly { close(): void | Promise<void> }[]
}

/**
 * Stops a server that says already that it is not ready, so that nobody loses anything by it: who is served elsewhere
 * finds time to notice, and who is served here is told to come back. docs/operations.md has the order for operators.
 */
export async function stopServer(stopping: Stopping): Promise<void> {
  const { dispatch, liveness, http, webSocket, responses, operations, drainMs } = stopping
  responses.isStopping = true
  // Until load balancers have noticed, connections still come, and are served.
  await sleep(stopping.stopDelayMs)
  // Trainers are ended while they can still report how they ended.
  await dispatch.close()
  // Only now: until here its trainers are held by a server that lives.
  await liveness.close()
  const closed = new Promise((resolve) => http.close(resolve))
  await Promise.all([webSocket.close(drainMs), responses.cutStreams(drainMs)])
  // Appends among them, begun on a socket that is closed now.
  await responses.settled(() => operations.underWay === 0)
  http.closeAllConnections()
  await closed
  for (const part of stopping.parts) await part.close()
}
