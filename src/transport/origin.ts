import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import { isLoopback, isWildcard, namesOfMachine } from '../loopback.ts'
import { EpochcastError, quote } from '../task/errors.ts'

const MAX_KNOWN_HOSTS = 100
/** Characters of a host that is told as an example. */
const MAX_TOLD_HOST = 80

export type OriginHeaders = Pick<IncomingMessage, 'headers' | 'method'>

export interface OriginRuleOptions {
  /** Whether whoever follows a link to the server gets a page, and no operation is run. */
  readonly servesPages?: boolean
  /** Under which the configuration says that this server is reached. */
  readonly ownUrls?: readonly string[]
}

/**
 * Whether a request may come in, by where it comes from. Browsers send `Origin`; programs such as
 * trainers need not. One rule for HTTP and for the upgrade to WebSocket, which no CORS check guards.
 *
 * The `Host` is checked as well: a page whose own name was made to lead to this machine (DNS
 * rebinding) has this server for its origin and would pass any check against `Host`. And where a browser sends no
 * `Origin`, as for an image, it says by `Sec-Fetch-Site` whether another site has it asked.
 */
export class OriginRule {
  readonly #allowed: readonly string[]
  readonly #allowsLoopback: boolean
  readonly #allowedHosts: readonly string[]
  readonly #ownHost: string
  readonly #ownUrls: readonly URL[]
  readonly #servesPages: boolean
  /** Hosts that were allowed: programs come back with the same few. */
  readonly #knownHosts = new LRUCache<string, true>({ max: MAX_KNOWN_HOSTS })

  /**
   * @param allowed origins such as `https://app.example`; `loopback` stands for every page of this machine
   * @param ownHost the address that the server listens on, which is of this machine, too
   */
  constructor(
    allowed: readonly string[],
    ownHost: string,
    { servesPages = true, ownUrls = [] }: OriginRuleOptions = {},
  ) {
    this.#allowed = allowed
    this.#allowsLoopback = allowed.includes('loopback')
    this.#allowedHosts = allowed.map((origin) => webHostOf(origin)).filter((host) => host !== '')
    this.#ownHost = ownHost
    this.#ownUrls = ownUrls.map((url) => new URL(url))
    this.#servesPages = servesPages
  }

  /** @throws EpochcastError ORIGIN_NOT_ALLOWED */
  check(request: OriginHeaders): void {
    const { origin, host, 'sec-fetch-site': site } = request.headers
    if (host !== undefined) this.checkHost(host)
    if (origin !== undefined) {
      if (this.allows(origin)) return
      throw new EpochcastError(
        'ORIGIN_NOT_ALLOWED',
        `the Origin header is ${quote(origin)}; expected one of EPOCHCAST_ALLOWED_ORIGINS: ${this.#allowed.join(', ')}`,
      )
    }
    if (site === undefined || site === 'same-origin' || site === 'none' || this.#opensPage(request)) return
    throw new EpochcastError(
      'ORIGIN_NOT_ALLOWED',
      `the Sec-Fetch-Site header is ${quote(site)}, and there is no Origin header; expected a request of this server's own page, or the origin of another`,
    )
  }

  /** @throws EpochcastError ORIGIN_NOT_ALLOWED */
  checkHost(host: string): void {
    if (this.#knownHosts.get(host)) return
    if (!this.#isHostOfOurs(host)) {
      throw new EpochcastError(
        'ORIGIN_NOT_ALLOWED',
        `the Host header is ${quote(host)}; expected this machine, or the host of an origin in EPOCHCAST_ALLOWED_ORIGINS: where this server is to be reached under that name, add it there, such as http://${host.slice(0, MAX_TOLD_HOST)}`,
      )
    }
    this.#knownHosts.set(host, true)
  }

  /** Whether pages of an origin may use the server. */
  allows(origin: string): boolean {
    // The word is of the configuration; no page has it for its origin.
    if (this.#allowed.includes(origin)) return origin !== 'loopback'
    if (this.#ownUrls.some((url) => url.origin === origin)) return true
    return this.#allowsLoopback && this.#isThisMachine(webHostOf(origin))
  }

  /** Somebody follows a link, or typed the address; a page within a page does not count. */
  #opensPage({ method, headers }: OriginHeaders): boolean {
    const { 'sec-fetch-mode': mode, 'sec-fetch-dest': dest, accept } = headers
    const isNavigation = method === 'GET' && mode === 'navigate' && dest === 'document'
    return this.#servesPages && isNavigation && accept?.includes('text/html') === true
  }

  #isHostOfOurs(host: string): boolean {
    const name = /^(?<name>[^:[\]]+|\[[^[\]]+\])(:\d{1,5})?$/.exec(host.toLowerCase())?.groups?.name ?? ''
    const hostname = webHostOf(`http://${name}`)
    const isOwn =
      this.#isThisMachine(hostname) || this.#ownUrls.some((url) => bare(url.hostname) === hostname)
    return hostname !== '' && (isOwn || this.#allowedHosts.includes(hostname))
  }

  /** An address, or the name that a machine has given itself, cannot be made to lead here as the name of a page can. */
  #isThisMachine(hostname: string): boolean {
    if (isLoopback(hostname) || hostname === this.#ownHost) return true
    return isWildcard(this.#ownHost) && namesOfMachine().includes(hostname)
  }
}

/** A host without the brackets of IPv6. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')

/**
 * The host of a page's origin; empty for any other text. A browser writes an origin in one form only, so that whatever
 * differs from it (a path, a user, another way to write an address) is of no browser.
 */
function webHostOf(origin: string): string {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return ''
  const url = new URL(origin)
  return url.origin === origin ? bare(url.hostname) : ''
}
