import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import { isLoopback } from '../loopback.ts'
import { EpochcastError, quote } from '../task/errors.ts'

const MAX_KNOWN_HOSTS = 100

/**
 * Whether a request may come in, by where it comes from. Browsers send `Origin`; programs such as
 * trainers need not. One rule for HTTP and for the upgrade to WebSocket, which no CORS check guards.
 *
 * The `Host` is checked as well: a page whose own name was made to lead to this machine (DNS
 * rebinding) has this server for its origin and would pass any check against `Host`.
 */
export class OriginRule {
  readonly #allowed: readonly string[]
  readonly #ownHost: string
  /** Hosts that were allowed: programs come back with the same few. */
  readonly #knownHosts = new LRUCache<string, true>({ max: MAX_KNOWN_HOSTS })

  /**
   * @param allowed origins such as `https://app.example`; `loopback` stands for every page of this machine
   * @param ownHost the address that the server listens on, which is of this machine, too
   */
  constructor(allowed: readonly string[], ownHost: string) {
    this.#allowed = allowed
    this.#ownHost = ownHost
  }

  /** @throws EpochcastError ORIGIN_NOT_ALLOWED */
  check({ headers: { origin, host } }: Pick<IncomingMessage, 'headers'>): void {
    if (host !== undefined && !this.#allowsHost(host)) {
      throw new EpochcastError(
        'ORIGIN_NOT_ALLOWED',
        `the Host header is ${quote(host)}; expected this machine, or the host of an origin in EPOCHCAST_ALLOWED_ORIGINS`,
      )
    }
    if (origin !== undefined && !this.allows(origin)) {
      throw new EpochcastError(
        'ORIGIN_NOT_ALLOWED',
        `the Origin header is ${quote(origin)}; expected one of EPOCHCAST_ALLOWED_ORIGINS: ${this.#allowed.join(', ')}`,
      )
    }
  }

  /** Whether pages of an origin may use the server. */
  allows(origin: string): boolean {
    if (this.#allowed.includes(origin)) return true
    return this.#allowed.includes('loopback') && this.#isThisMachine(hostnameOf(origin))
  }

  #allowsHost(host: string): boolean {
    if (this.#knownHosts.get(host)) return true
    const isAllowed = this.#isHostOfOurs(host)
    if (isAllowed) this.#knownHosts.set(host, true)
    return isAllowed
  }

  #isHostOfOurs(host: string): boolean {
    const hostname = hostnameOf(`http://${host}`)
    if (hostname === '') return false
    return this.#isThisMachine(hostname) || this.#allowed.some((origin) => hostnameOf(origin) === hostname)
  }

  #isThisMachine(hostname: string): boolean {
    return isLoopback(hostname) || hostname === this.#ownHost
  }
}

function hostnameOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname.replace(/^\[|\]$/g, '') : ''
}
