import { hostname, networkInterfaces } from 'node:os'

/** Whether a host (a name or an address, an IPv6 one with or without brackets) is this machine only. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase()
  return (
    name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
  )
}

/** Whether a server that listens there is reached under all names and addresses of this machine. */
export const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** Asking the system takes longer than all else that is looked at of a request; addresses change now and then. */
const NAMES_KNOWN_MS = 10_000
let names: readonly string[] = []
let namesUntil = 0

/** The names and addresses by which other machines may know this one; those that a name server gives it are not known here. */
export function namesOfMachine(): readonly string[] {
  const now = performance.now()
  if (now >= namesUntil) {
    const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
      all.map(({ address }) => address),
    )
    names = [hostname().toLowerCase(), ...addresses]
    namesUntil = now + NAMES_KNOWN_MS
  }
  return names
}

/** Whether a setting names the origin of a page, in the one form in which browsers write it, or of an app. */
export function isOrigin(text: string): boolean {
  if (/^https?:/i.test(text)) return URL.canParse(text) && new URL(text).origin === text
  return text === 'loopback' || /^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/.test(text)
}
