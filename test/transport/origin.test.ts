import type { IncomingHttpHeaders } from 'node:http'
import { hostname, networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { isLoopback } from '../../src/loopback.ts'
import { OriginRule } from '../../src/transport/origin.ts'

const passes = (rule: OriginRule, headers: IncomingHttpHeaders, method = 'GET'): boolean => {
  try {
    rule.check({ headers, method })
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' })
    return false
  }
}

describe('by default, a request', () => {
  const rule = new OriginRule(['loopback'], '127.0.0.1')
  it.each<readonly [boolean, IncomingHttpHeaders]>([
    [true, { host: 'localhost:4000' }],
    [true, { host: '127.0.0.1:4000', origin: 'http://localhost:3000' }],
    [true, { host: '[::1]:4000', origin: 'http://[::1]:3000' }],
    [true, {}],
    [false, { host: 'evil.example:4000' }],
    [false, { host: 'evil.example:4000', origin: 'http://evil.example:4000' }],
    [false, { host: 'localhost:4000', origin: 'https://evil.example' }],
    [false, { host: 'localhost:4000', origin: 'null' }],
    [false, { host: 'localhost.evil.example' }],
    [false, { host: 'a b' }],
    [true, { host: 'LocalHost:4000' }],
    [true, { host: '127.1.2.3' }],
    [false, { host: '' }],
    ...[
      'localhost.',
      'localhost.:4000',
      'user@localhost',
      'localhost:4000@evil.example',
      'localhost/evil',
      'localhost?x',
      'localhost#x',
      'localhost:4000:4000',
      'localhost:',
      'localhost:x',
      '127.0.0.1.evil.example',
      '127.0.0.1.',
      '127.1',
      '2130706433',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '0.0.0.0',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:0:0:1]',
      '::1',
      '[::1',
      'ｌocalhost',
      'localhost\t',
    ].map((host) => [false, { host }] as const),
    [true, { host: 'localhost', origin: 'https://localhost:3000' }],
    [true, { host: 'localhost', origin: 'http://app.localhost' }],
    ...[
      'foo://127.0.0.1',
      'file://',
      'file://localhost',
      'ftp://localhost',
      'ws://localhost',
      'javascript://localhost',
      'chrome-extension://localhost',
      'null',
      'NULL',
      '',
      'localhost',
      '//localhost',
      'loopback',
      'http://',
      'http:localhost',
      'http://user@localhost',
      'http://localhost:3000@evil.example',
      'http://evil.example/http://localhost',
      'http://localhost/',
      'http://localhost/x',
      'http://localhost?x',
      'http://localhost#x',
      'http://localhost.',
      'http://localhost:',
      'http://localhost:80',
      'http://LOCALHOST',
      'HTTP://localhost',
      ' http://localhost',
      'http://localhost ',
      'http://localhost, http://evil.example',
      'http://127.0.0.1.evil.example',
      'http://localhost.evil.example',
      'http://evil.example\\@localhost',
      'http://127.1',
      'http://2130706433',
      'http://0x7f000001',
      'http://0.0.0.0',
      'http://[::ffff:127.0.0.1]',
      'http://[::ffff:7f00:1]',
      'http://[0:0:0:0:0:0:0:1]',
      'http://[::]',
    ].map((origin) => [false, { host: 'localhost', origin }] as const),
  ])('passes: %s, with %o', (expected, headers) => {
    expect(passes(rule, headers)).toBe(expected)
  })
})

it('origins that are listed pass, and their hosts; with nothing else listed, this machine has its programs only', () => {
  const rule = new OriginRule(['https://app.example'], '127.0.0.1')
  expect(passes(rule, { host: 'app.example', origin: 'https://app.example' })).toBe(true)
  expect(passes(rule, { host: 'localhost', origin: 'http://localhost' })).toBe(false)
  expect(passes(rule, { host: 'app.example', origin: 'http://app.example' })).toBe(false)
  expect(passes(rule, { host: 'localhost' })).toBe(true)
})

it('the address that the server listens on is this machine, and no other one is', () => {
  const rule = new OriginRule(['loopback'], '10.0.0.5')
  expect(passes(rule, { host: '10.0.0.5:4000', origin: 'http://10.0.0.5:4000' })).toBe(true)
  expect(passes(rule, { host: '10.0.0.6:4000' })).toBe(false)
})

describe('a server that listens at all addresses of its machine', () => {
  const rule = new OriginRule(['loopback'], '0.0.0.0')
  const ofMachine = Object.values(networkInterfaces()).flatMap((all = []) =>
    all.map(({ address }) => address),
  )
  const bracketed = (address: string) => (address.includes(':') ? `[${address}]` : address)

  it.each([hostname(), hostname().toUpperCase(), ...ofMachine.map(bracketed)])('passes as %s', (name) => {
    expect(passes(rule, { host: `${name}:4000` })).toBe(true)
    expect(passes(rule, { host: name, origin: `http://${name.toLowerCase()}` })).toBe(true)
    expect(passes(new OriginRule(['loopback'], '::'), { host: name })).toBe(true)
  })

  it.each(['8.8.8.8', 'evil.example', `${hostname()}.evil.example`, '[::]', '[2001:db8::1]'])(
    'does not pass as %s',
    (name) => {
      expect(passes(rule, { host: name })).toBe(false)
      expect(passes(rule, { host: 'localhost', origin: `http://${name}` })).toBe(false)
    },
  )

  it('has no page of its own by its name where only others are listed', () => {
    const listed = new OriginRule(['https://app.example'], '0.0.0.0')
    expect(passes(listed, { host: hostname() })).toBe(true)
    expect(passes(listed, { host: hostname(), origin: `http://${hostname().toLowerCase()}` })).toBe(false)
  })
})

it('one that listens at this machine only is not reached by the name of it', () => {
  const rule = new OriginRule(['loopback'], '127.0.0.1')
  // Some machines are called localhost.
  expect(passes(rule, { host: hostname() })).toBe(isLoopback(hostname()))
})

it('the addresses that the configuration has for a server are its own, and so are pages there', () => {
  const ownUrls = ['https://runs.example/epochcast', 'http://epochcast:4000/graphql']
  const rule = new OriginRule(['https://app.example'], '0.0.0.0', { ownUrls })
  expect(passes(rule, { host: 'runs.example', origin: 'https://runs.example' })).toBe(true)
  expect(passes(rule, { host: 'epochcast:4000' })).toBe(true)
  expect(passes(rule, { host: 'runs.example', origin: 'http://runs.example' })).toBe(false)
  expect(passes(rule, { host: 'other.example' })).toBe(false)
})

it('a host that is none of them is told what to do', () => {
  const check = () =>
    new OriginRule(['loopback'], '127.0.0.1').check({ headers: { host: 'gpu-box:5211' }, method: 'POST' })
  expect(check).toThrow(
    'the Host header is "gpu-box:5211"; expected this machine, or the host of an origin in EPOCHCAST_ALLOWED_ORIGINS: where this server is to be reached under that name, add it there, such as http://gpu-box:5211',
  )
})

it('origins of apps pass where they are listed, as they are', () => {
  const rule = new OriginRule(['capacitor://localhost'], '127.0.0.1')
  expect(passes(rule, { host: 'localhost', origin: 'capacitor://localhost' })).toBe(true)
  expect(passes(rule, { host: 'localhost', origin: 'capacitor://localhost2' })).toBe(false)
  expect(passes(rule, { host: 'localhost', origin: 'http://localhost' })).toBe(false)
})

describe('without an Origin header', () => {
  const link = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: 'text/html,*/*' }
  const rule = new OriginRule(['loopback'], '127.0.0.1')

  it.each<[boolean, string, IncomingHttpHeaders, string?]>([
    [true, 'of a program', {}],
    [true, 'of its own page', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
    [true, 'of somebody who typed the address', { 'sec-fetch-site': 'none', ...link }],
    [true, 'of somebody who follows a link', { 'sec-fetch-site': 'cross-site', ...link }],
    [false, 'of an image', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }],
    [false, 'of an image of a neighbour', { 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'image' }],
    [false, 'of a script', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    [false, 'of a frame', { 'sec-fetch-site': 'cross-site', ...link, 'sec-fetch-dest': 'iframe' }],
    [false, 'of a form', { 'sec-fetch-site': 'cross-site', ...link }, 'POST'],
    [
      false,
      'of a link to something else than a page',
      { 'sec-fetch-site': 'cross-site', ...link, accept: '*/*' },
    ],
    [false, 'of what nobody knows', { 'sec-fetch-site': 'elsewhere' }],
    [false, 'of what is sent twice', { 'sec-fetch-site': 'same-origin, cross-site' }],
  ])('a request passes: %s, %s', (expected, _, headers, method) => {
    expect(passes(rule, { host: 'localhost', ...headers }, method)).toBe(expected)
  })

  it('a link passes no longer where there is no page that it would open', () => {
    const pageless = new OriginRule(['loopback'], '127.0.0.1', { servesPages: false })
    expect(passes(pageless, { host: 'localhost', 'sec-fetch-site': 'cross-site', ...link })).toBe(false)
    expect(passes(pageless, { host: 'localhost', 'sec-fetch-site': 'none', ...link })).toBe(true)
  })

  it('an allowed page passes wherever it is', () => {
    const headers = { host: 'localhost', 'sec-fetch-site': 'cross-site', origin: 'http://localhost:3000' }
    expect(passes(rule, headers)).toBe(true)
  })
})
