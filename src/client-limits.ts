import { isIP } from 'node:net'
import { z } from 'zod'
import { expecting, list, number, oneOf, seconds, whole } from './setting.ts'

/** What clients may have of the server, and whose word on their addresses is taken; docs/limits.md has all bounds. */
export interface ClientLimits {
  /** Addresses and CIDRs of proxies whose word on their clients' addresses is taken. */
  readonly trustedProxies: readonly string[]
  readonly forwardedHeader: 'x-forwarded-for' | 'forwarded'
  /** What one address may have of connections, subscriptions, bytes and the like, as a part of all of them. */
  readonly addressShare: number
  readonly maxConnections: number
  /** Bytes of responses and messages that may wait in this process for clients to read them. */
  readonly maxWaitingBytes: number
  /** Bytes of request bodies and WebSocket messages that have not come whole. */
  readonly maxReceivedBytes: number
  /** Queries under way at a time. */
  readonly maxQueries: number
  /** Time for the headers of a request; a part of `requestMs`. */
  readonly headersMs: number
  /** Time for a whole request, and for a whole WebSocket message. */
  readonly requestMs: number
  /** A response of which nothing is taken for so long is ended. */
  readonly writeTimeoutMs: number
  /** Of one socket, on the average. */
  readonly operationsPerSecond: number
  /** Of one address, on the average. */
  readonly mutationsPerSecond: number
  /** Values of taskProgress, taskUpdates and heartbeat, all of them together. */
  readonly stateValuesPerSecond: number
  /** Silence after which a sender to `/ws/ingest` that names no task begins another run. */
  readonly relayQuietMs: number
}

const proxies = () => {
  const isProxy = (found: string) => {
    const [address = '', prefix, ...rest] = found.split('/')
    const bits = { 4: 32, 6: 128 }[isIP(address)]
    if (bits === undefined || rest.length > 0) return false
    return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
  }
  const expected = 'a comma-separated list of addresses and CIDRs such as 10.0.0.0/8,::1'
  return list('').pipe(z.array(z.string().refine(isProxy, expecting(expected, 'has'))).readonly())
}

const MIB = 1024 * 1024

/** Names, defaults and bounds. */
export const clientSettings = {
  EPOCHCAST_TRUSTED_PROXIES: proxies(),
  EPOCHCAST_FORWARDED_HEADER: oneOf('x-forwarded-for', ['x-forwarded-for', 'forwarded']),
  EPOCHCAST_ADDRESS_SHARE: number(0.5, /^\d(\.\d+)?$/, 0.01, 1, 'a number'),
  EPOCHCAST_MAX_CONNECTIONS: whole(20_000, 10, 1_000_000),
  EPOCHCAST_MAX_WAITING_BYTES: whole(128 * MIB, MIB, 2 ** 40),
  EPOCHCAST_MAX_RECEIVED_BYTES: whole(128 * MIB, 65_536, 2 ** 40),
  EPOCHCAST_MAX_QUERIES: whole(512, 2, 1_000_000),
  EPOCHCAST_HEADERS_SECONDS: seconds(20, 0.1, 3600),
  EPOCHCAST_REQUEST_SECONDS: seconds(60, 0.1, 3600),
  EPOCHCAST_WRITE_TIMEOUT_SECONDS: seconds(30, 0.1, 3600),
  EPOCHCAST_OPERATIONS_PER_SECOND: whole(500, 1, 1_000_000),
  EPOCHCAST_MUTATIONS_PER_SECOND: whole(4000, 1, 1_000_000),
  EPOCHCAST_STATE_VALUES_PER_SECOND: whole(3000, 10, 1_000_000),
  EPOCHCAST_RELAY_QUIET_SECONDS: seconds(600, 1, 86_400),
}

type Found = { readonly [Name in keyof typeof clientSettings]: z.infer<(typeof clientSettings)[Name]> }

export const clientLimits = (found: Found): ClientLimits => ({
  trustedProxies: found.EPOCHCAST_TRUSTED_PROXIES,
  forwardedHeader: found.EPOCHCAST_FORWARDED_HEADER,
  addressShare: found.EPOCHCAST_ADDRESS_SHARE,
  maxConnections: found.EPOCHCAST_MAX_CONNECTIONS,
  maxWaitingBytes: found.EPOCHCAST_MAX_WAITING_BYTES,
  maxReceivedBytes: found.EPOCHCAST_MAX_RECEIVED_BYTES,
  maxQueries: found.EPOCHCAST_MAX_QUERIES,
  headersMs: Math.min(found.EPOCHCAST_HEADERS_SECONDS, found.EPOCHCAST_REQUEST_SECONDS),
  requestMs: found.EPOCHCAST_REQUEST_SECONDS,
  writeTimeoutMs: found.EPOCHCAST_WRITE_TIMEOUT_SECONDS,
  operationsPerSecond: found.EPOCHCAST_OPERATIONS_PER_SECOND,
  mutationsPerSecond: found.EPOCHCAST_MUTATIONS_PER_SECOND,
  stateValuesPerSecond: found.EPOCHCAST_STATE_VALUES_PER_SECOND,
  relayQuietMs: found.EPOCHCAST_RELAY_QUIET_SECONDS,
})
