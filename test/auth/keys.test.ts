import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CompactSign, exportJWK, type JWK } from 'jose'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Authenticator } from '../../src/auth/authenticator.ts'
import { FileKeys } from '../../src/auth/file-keys.ts'
import type { Keys } from '../../src/auth/keys.ts'
import { RemoteKeys } from '../../src/auth/remote-keys.ts'
import { SecretKeys } from '../../src/auth/secret-keys.ts'
import { KEY_ALGORITHMS } from '../../src/auth-config.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { fileOf, type KeyPair, keyPair, SECRET, TOKEN_SECRET, token } from '../support/tokens.ts'
import { until } from '../support/until.ts'

const signedBy = ({ privateKey, alg }: KeyPair, kid?: string) =>
  token({}, { key: privateKey, alg, ...(kid && { kid }) })

/** As an issuer may write it that is not a program in JavaScript. */
const signedText = (claims: string) =>
  new CompactSign(new TextEncoder().encode(claims))
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET))

/** By what tokens are refused; null where they are taken. */
async function problemOf(keys: Keys, text: string): Promise<unknown> {
  const store = new MemoryStore({ retainEvents: 1, retainSeconds: 1, maxBytes: 1_000_000 })
  onTestFinished(() => store.close())
  const authenticator = new Authenticator(keys, store, {
    keys: { kind: 'secrets', secrets: [] },
    issuer: null,
    audience: null,
    clockToleranceMs: 0,
    ownSecrets: [TOKEN_SECRET],
    graceMs: 0,
    ticketMs: 1000,
  })
  try {
    await authenticator.rightsOf(text)
    return null
  } catch (error) {
    const { code, details } = error as { code: string; details: { reason?: string } }
    return details.reason ?? code
  }
}

it.each([
  ['9007199254740991', null],
  ['1e999', null],
  ['0', 'expired'],
  ['-1', 'expired'],
  ['-1e20', 'expired'],
  ['-1e999', 'expired'],
  ['null', 'malformed'],
  ['"4102444800"', 'malformed'],
])('a token whose exp is %s is taken, or refused for it', async (exp, problem) => {
  const signed = await signedText(`{"sub":"alice","exp":${exp}}`)
  expect(await problemOf(new SecretKeys([SECRET]), signed)).toBe(problem)
})

describe('a file of public keys', () => {
  it.each(KEY_ALGORITHMS)('checks %s, and no other key of that kind', async (alg) => {
    const [pair, other] = [keyPair(alg), keyPair(alg)]
    const keys = new FileKeys(fileOf(pair.pem), KEY_ALGORITHMS)
    expect(await problemOf(keys, await signedBy(pair))).toBeNull()
    expect(await problemOf(keys, await signedBy(other))).toBe('signature')
    // Whoever has the file could sign so.
    const forged = await token({}, { key: new TextEncoder().encode(pair.pem), alg: 'HS256' })
    expect(await problemOf(keys, forged)).toBe('algorithm')
  })

  it('may have several, while one is replaced', async () => {
    const [before, after] = [keyPair('RS256'), keyPair('RS256')]
    const keys = new FileKeys(fileOf(before.pem, after.pem), KEY_ALGORITHMS)
    for (const pair of [before, after]) expect(await problemOf(keys, await signedBy(pair))).toBeNull()
  })

  it('takes only the algorithms that are configured', async () => {
    const [rsa, ec] = [keyPair('RS256'), keyPair('ES256')]
    const keys = new FileKeys(fileOf(rsa.pem, ec.pem), ['ES256'])
    expect(await problemOf(keys, await signedBy(ec))).toBeNull()
    expect(await problemOf(keys, await signedBy(rsa))).toBe('algorithm')
    expect(() => new FileKeys(fileOf(rsa.pem), ['EdDSA'])).toThrow(
      /has no key for EPOCHCAST_JWT_ALGORITHMS \(EdDSA\)/,
    )
  })

  it.each([
    ['is not there', () => '/nowhere/keys.pem', /cannot be read: ENOENT/],
    ['is empty', () => fileOf(''), /has no key in it/],
    ['is something else', () => fileOf('{"keys": []}'), /has no key in it/],
    [
      'has a private key',
      () => fileOf(String(keyPair('ES256').privateKey.export({ type: 'pkcs8', format: 'pem' }))),
      /has a private key in it, which a server need not have/,
    ],
    ['is cut', () => fileOf(keyPair('RS256').pem.replace(/\n.{20}/, '\n')), /has a key that cannot be read/],
  ])('is refused by name where it %s', (_, path, problem) => {
    expect(() => new FileKeys(path(), KEY_ALGORITHMS)).toThrow(problem)
  })
})

/** Whoever issues tokens: tells its keys, as long as it can be reached. */
async function issuer() {
  let keys: JWK[] = []
  let respond = (): { status: number; body: string } => ({ status: 200, body: JSON.stringify({ keys }) })
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    const { status, body } = respond()
    response.writeHead(status).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    get asked() {
      return asked
    },
    has: async (...pairs: readonly (readonly [string | undefined, KeyPair])[]) => {
      keys = await Promise.all(
        pairs.map(async ([kid, { publicKey, alg }]) => ({
          ...(await exportJWK(publicKey)),
          alg,
          ...(kid && { kid }),
        })),
      )
    },
    responds: (status: number, body: string) => {
      respond = () => ({ status, body })
    },
    respondsAgain: () => {
      respond = () => ({ status: 200, body: JSON.stringify({ keys }) })
    },
  }
}

describe('a key set at a URL', () => {
  const open = (url: string, { cooldownMs = 0, cacheMs = 60_000 } = {}) => {
    const lines: { level: number; msg: string }[] = []
    const logger = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
    let now = 0
    const keys = new RemoteKeys({
      url,
      algorithms: KEY_ALGORITHMS,
      cacheMs,
      cooldownMs,
      logger,
      now: () => now,
    })
    onTestFinished(() => keys.close())
    return {
      keys,
      lines,
      pass: (ms: number) => {
        now += ms
      },
    }
  }

  it('is asked once, and again for a token with a key that is new', async () => {
    const source = await issuer()
    const [before, after] = [keyPair('RS256'), keyPair('ES256')]
    await source.has(['before', before])
    const { keys } = open(source.url)
    for (let i = 0; i < 3; i++) expect(await problemOf(keys, await signedBy(before, 'before'))).toBeNull()
    expect(source.asked).toBe(1)
    await source.has(['before', before], ['after', after])
    expect(await problemOf(keys, await signedBy(after, 'after'))).toBeNull()
    expect(await problemOf(keys, await signedBy(before, 'before'))).toBeNull()
    expect(source.asked).toBe(2)
    // A key that was withdrawn.
    await source.has(['after', after])
    expect(await problemOf(keys, await signedBy(keyPair('RS256'), 'unknown'))).toBe('key')
    expect(await problemOf(keys, await signedBy(before, 'before'))).toBe('key')
  })

  it('is asked no more often than its cooldown allows, whatever keys tokens name', async () => {
    const source = await issuer()
    const pair = keyPair('EdDSA')
    await source.has(['a', pair])
    const { keys, pass } = open(source.url, { cooldownMs: 1000 })
    expect(await problemOf(keys, await signedBy(pair, 'a'))).toBeNull()
    const unknown = await signedBy(pair, 'unknown')
    for (let i = 0; i < 20; i++) expect(await problemOf(keys, unknown)).toBe('key')
    expect(source.asked).toBe(1)
    pass(1000)
    for (let i = 0; i < 20; i++) expect(await problemOf(keys, unknown)).toBe('key')
    expect(source.asked).toBe(2)
  })

  it('goes on with the keys that are known while it cannot be had, and says so once', async () => {
    const source = await issuer()
    const [pair, next] = [keyPair('RS256'), keyPair('RS256')]
    await source.has(['a', pair])
    const { keys, lines, pass } = open(source.url, { cacheMs: 1000 })
    expect(await problemOf(keys, await signedBy(pair, 'a'))).toBeNull()
    for (const [status, body] of [
      [500, ''],
      [200, 'no JSON'],
      [200, '{"keys": 1}'],
      [200, JSON.stringify({ keys: [], filling: 'x'.repeat(1024 * 1024) })],
    ] as const) {
      source.responds(status, body)
      const { asked } = source
      pass(1001)
      await until('another request', async () => {
        expect(await problemOf(keys, await signedBy(pair, 'a'))).toBeNull()
        return source.asked > asked
      })
    }
    await until('the log line', () => lines.length > 0)
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [50, 'the key set of tokens (EPOCHCAST_JWKS_URL) cannot be had; the known keys go on'],
    ])
    await source.has(['a', next])
    source.respondsAgain()
    pass(1001)
    await until('the new key', async () => (await problemOf(keys, await signedBy(next, 'a'))) === null)
    expect(lines.map(({ msg }) => msg).slice(1)).toEqual(['the key set of tokens can be had again'])
  })

  it('refuses, so that clients try again, where no keys were ever had', async () => {
    const source = await issuer()
    const pair = keyPair('RS256')
    await source.has([undefined, pair])
    source.responds(503, '')
    const { keys } = open(source.url)
    expect(await problemOf(keys, await signedBy(pair))).toBe('AUTHENTICATION_UNAVAILABLE')
    source.respondsAgain()
    expect(await problemOf(keys, await signedBy(pair))).toBeNull()
  })

  it('tries all keys that fit for a token that names none', async () => {
    const source = await issuer()
    const [first, second] = [keyPair('RS256'), keyPair('RS256')]
    await source.has(['1', first], ['2', second])
    const { keys } = open(source.url)
    for (const pair of [first, second]) expect(await problemOf(keys, await signedBy(pair))).toBeNull()
    expect(await problemOf(keys, await signedBy(keyPair('RS256')))).toBe('signature')
  })

  it('never takes a secret, not even one that it lists', async () => {
    const source = await issuer()
    source.responds(
      200,
      JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', k: Buffer.from(SECRET).toString('base64url') }] }),
    )
    const { keys } = open(source.url)
    expect(await problemOf(keys, await token())).toBe('algorithm')
  })
})
