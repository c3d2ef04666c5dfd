import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../loopback.ts'
import { EpochcastError, quote } from '../task/errors.ts'

/**
 * Whether a request may come in, by where it comes from. Browsers send `Origin`; programs such as
 * trainers need not. One rule for HTTP and for the upgrade to WebSocket, which no CORS check guards.
 *
 * The `Host` is checked as well: a page whose own name was made to lead to this machine (DNS
 * rebinding) has this server for its origin and would pass any check against `Host`.
 *
 * @param allowed origins such as `https://app.example`; `loopback` stands for every page of this machine
 * @throws EpochcastError ORIGIN_NOT_ALLOWED
 */
export function checkOrigin(request: Pick<IncomingMessage, 'headers'>, allowed: readonly string[]): void {
  const { origin, host } = request.headers
  if (host !== undefined && !isAllowedHost(host, allowed)) {
    throw new EpochcastError(
      'ORIGIN_NOT_ALLOWED',
      `the Host header is ${quote(host)}; expected this machine, or the host of an origin in EPOCHCAST_ALLOWED_ORIGINS`,
    )
  }
  if (origin !== undefined && !isAllowedOrigin(origin, allowed)) {
    throw new EpochcastError(
      'ORIGIN_NOT_ALLOWED',
      `the Origin header is ${quote(origin)}; expected one of EPOCHCAST_ALLOWED_ORIGINS: ${allowed.join(', ')}`,
    )
  }
}

export function isAllowedOrigin(origin: string, allowed: readonly string[]): boolean {
  if (allowed.includes(origin)) return true
  return allowed.includes('loopback') && isLoopback(hostnameOf(origin))
}

function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  const hostname = hostnameOf(`http://${host}`)
  return isLoopback(hostname) || allowed.some((origin) => hostnameOf(origin) === hostname)
}

function hostnameOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : ''
}
