import { describe, expect, it } from 'vitest'
import { ClientAddresses, type ForwardedHeader } from '../../src/transport/client-address.ts'

const address = (
  remoteAddress: string | undefined,
  headers: Record<string, string> = {},
  proxies: readonly string[] = [],
  header: ForwardedHeader = 'x-forwarded-for',
) =>
  new ClientAddresses(proxies, header).of({
    socket: remoteAddress === undefined ? {} : { remoteAddress },
    headers,
  })

describe('the address of a client', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    // As a socket that takes both has it.
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:c000:207', '192.0.2.7'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    // A network's 2^64 addresses are one holder.
    ['2001:db8:1:2:aaaa:bbbb:cccc:dddd', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    [undefined, 'unknown'],
  ])('of a connection from %s is %s', (remote, expected) => {
    expect(address(remote)).toBe(expected)
  })

  it('is never what a header claims where no proxy is trusted', () => {
    const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' }
    expect(address('192.0.2.7', headers)).toBe('192.0.2.7')
    // A proxy that is not of those.
    expect(address('192.0.2.7', headers, ['10.0.0.0/8'])).toBe('192.0.2.7')
  })

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    // What stands further left, the client sent itself.
    ['127.0.0.1, 1.2.3.4, 203.0.113.9', '203.0.113.9'],
    ['1.2.3.4, 203.0.113.9, 10.9.9.9', '203.0.113.9'],
    ['1.2.3.4,203.0.113.9,10.9.9.9,10.1.2.3', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8:1:2::5]:4711', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::5', '2001:db8:1:2::/64'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    // What is no address ends the way back: the proxies that are known by then stand for it.
    ['203.0.113.9, unknown', '10.0.0.1'],
    ['203.0.113.9, ', '10.0.0.1'],
    ['203.0.113.9, x, 10.9.9.9', '10.9.9.9'],
    ['', '10.0.0.1'],
    // All of them are trusted.
    ['10.5.5.5', '10.5.5.5'],
  ])('behind a trusted proxy that sends %j is %s', (forwarded, expected) => {
    expect(address('10.0.0.1', { 'x-forwarded-for': forwarded }, ['10.0.0.0/8'])).toBe(expected)
    expect(address('::ffff:10.0.0.1', { 'x-forwarded-for': forwarded }, ['10.0.0.0/8'])).toBe(
      expected === '10.0.0.1' ? '10.0.0.1' : expected,
    )
  })

  it.each([
    ['for=203.0.113.9', '203.0.113.9'],
    ['for=1.2.3.4, for="203.0.113.9:4711";proto=https;by=10.0.0.1', '203.0.113.9'],
    ['proto=https;For="[2001:db8:1:2::5]:80"', '2001:db8:1:2::/64'],
    ['for=203.0.113.9, for=_hidden', '::1'],
    ['for=203.0.113.9, proto=https', '::1'],
  ])('is read from Forwarded (%j) where that is the one that is set', (forwarded, expected) => {
    const headers = { forwarded, 'x-forwarded-for': '9.9.9.9' }
    expect(address('::1', headers, ['::1'], 'forwarded')).toBe(expected)
  })

  it('goes back through so many proxies only', () => {
    const chain = ['203.0.113.9', ...Array<string>(40).fill('10.0.0.2')].join(', ')
    expect(address('10.0.0.1', { 'x-forwarded-for': chain }, ['10.0.0.0/8'])).toBe('10.0.0.2')
  })
})

it('a connection of a trusted proxy is known as such', () => {
  const addresses = new ClientAddresses(['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'])
  for (const proxy of ['10.1.1.1', '::ffff:10.1.1.1', '2001:db8::1', '192.0.2.1'])
    expect(addresses.isProxy(proxy)).toBe(true)
  for (const other of ['11.1.1.1', '2001:db9::1', '192.0.2.2', undefined])
    expect(addresses.isProxy(other)).toBe(false)
  expect(new ClientAddresses().isProxy('127.0.0.1')).toBe(false)
})
