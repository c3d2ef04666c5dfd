import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'

/** The header in which trusted proxies say for whom they ask. */
export type ForwardedHeader = 'x-forwarded-for' | 'forwarded'

/** Proxies before this server that are looked through; a longer chain is not an honest one. */
const MAX_HOPS = 32

/** The address of a client whose connection is gone, or has none (a Unix socket). */
const UNKNOWN = 'unknown'

/**
 * Where clients call from, as the holder of their shares and rates. An address that a client claims counts only where a
 * trusted proxy passed it on: of the addresses in its header, the rightmost that is not a trusted proxy's. What stands
 * left of that, anybody can send.
 */
export class ClientAddresses {
  readonly #proxies: BlockList | null
  readonly #header: ForwardedHeader

  /** @param trustedProxies addresses and CIDRs, as `parseProxies` takes them */
  constructor(trustedProxies: readonly string[] = [], header: ForwardedHeader = 'x-forwarded-for') {
    this.#proxies = trustedProxies.length === 0 ? null : proxyList(trustedProxies)
    this.#header = header
  }

  /** Whether a connection is a proxy's, which carries requests of many clients. */
  isProxy(remoteAddress: string | undefined): boolean {
    return (
      this.#proxies !== null && remoteAddress !== undefined && this.#isTrusted(plainAddress(remoteAddress))
    )
  }

  /** Of the client that sent a request or asks for an upgrade. */
  of({
    socket,
    headers,
  }: Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } }): string {
    const { remoteAddress } = socket
    if (!remoteAddress) return UNKNOWN
    let address = plainAddress(remoteAddress)
    if (this.#proxies === null || !this.#isTrusted(address)) return holderOf(address)
    const hops = hopsOf(headers[this.#header], this.#header)
    for (let i = hops.length - 1; i >= 0; i--) {
      const hop = hops[i] as string
      // Not an address, as of a proxy that hides its clients: they share the proxy's.
      if (isIP(hop) === 0) break
      address = plainAddress(hop)
      if (!this.#isTrusted(address)) break
    }
    return holderOf(address)
  }

  #isTrusted(address: string): boolean {
    return this.#proxies?.check(address, hasColon(address) ? 'ipv6' : 'ipv4') ?? false
  }
}

/** Newest last, without ports. */
function hopsOf(found: string | string[] | undefined, header: ForwardedHeader): string[] {
  const text = Array.isArray(found) ? found.join(',') : (found ?? '')
  const hops = text.split(',').slice(-MAX_HOPS)
  return hops.map((hop) => withoutPort(header === 'forwarded' ? forwardedFor(hop) : hop.trim()))
}

/** The `for` of one element of a Forwarded header (RFC 7239). */
function forwardedFor(element: string): string {
  const [, quoted, plain] = /(?:^|;)\s*for=(?:"([^"]*)"|([^\s;"]*))/i.exec(element) ?? []
  return quoted ?? plain ?? ''
}

function withoutPort(hop: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(hop) ?? []
  if (bracketed !== undefined) return bracketed
  const [, ipv4] = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop) ?? []
  return ipv4 ?? hop
}

/** Of what is an address: whether it is one of IPv6. An expression that makes sure would take longer than the rest. */
const hasColon = (address: string): boolean => address.includes(':')

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** An IPv4 address that came over an IPv6 socket is the same client's. */
function plainAddress(address: string): string {
  if (!hasColon(address)) return address
  const [, ipv4] = MAPPED.exec(address) ?? []
  if (ipv4 !== undefined) return ipv4
  const zone = address.indexOf('%')
  return zone < 0 ? address : address.slice(0, zone)
}

/** Whoever has one IPv6 address usually has its whole /64. */
function holderOf(address: string): string {
  if (!hasColon(address) || address === '::1') return address
  const groups = groupsOf(address)
  // The other ways to write a mapped address.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high, low] = groups.slice(6) as [number, number]
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight groups of an IPv6 address, however it was shortened. */
function groupsOf(address: string): number[] {
  const hex = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) => `${(a * 256 + Number(b)).toString(16)}:${(c * 256 + Number(d)).toString(16)}`,
  )
  const [head = '', tail] = hex.split('::')
  const numbers = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const [left, right] = [numbers(head), numbers(tail ?? '')]
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<number>(missing).fill(0), ...right]
}

function proxyList(proxies: readonly string[]): BlockList {
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = '', prefix] = proxy.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}
