import type { IncomingMessage, ServerResponse } from 'node:http'
import { EpochcastError, quote } from '../../task/errors.ts'
import type { Operations } from '../operations.ts'
import { refuse } from '../refusals.ts'
import { statusOf } from '../streams/stream-requests.ts'

/** Serves a request of a door without GraphQL; what it fails with is a refusal of this request. */
export async function serveOrRefuse(
  request: IncomingMessage,
  response: ServerResponse,
  operations: Pick<Operations, 'translate'>,
  serve: () => void | Promise<void>,
): Promise<void> {
  try {
    await serve()
  } catch (error) {
    const translated = operations.translate(error)
    if (response.headersSent) response.destroy()
    else refuse(request, response, statusOf(translated), translated)
  }
}

/** @param allowed the first is the one that is expected */
export function refuseMethod(
  request: IncomingMessage,
  response: ServerResponse,
  allowed: readonly string[],
): void {
  const found = `the method is ${quote(request.method ?? '')}`
  const error = new EpochcastError('BAD_REQUEST', `${found}; expected ${allowed[0]}`)
  refuse(request, response, 405, error, { allow: allowed.join(', ') })
}
