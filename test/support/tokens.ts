import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JWTPayload, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

export const SECRET = 'a secret of tests with 32 bytes or more'
export const TOKEN_SECRET = 'the secret of the server itself, as long'

/** Of a server whose callers have tokens that are signed with `SECRET`. */
export const SECRET_ENV = { EPOCHCAST_JWT_SECRET: SECRET } as const

const secondsNow = () => Math.floor(Date.now() / 1000)

/** A token as an issuer signs it: of an hour, unless the claims say otherwise. */
export function token(
  claims: JWTPayload = {},
  {
    key = new TextEncoder().encode(SECRET),
    alg = 'HS256',
    kid,
  }: { key?: Uint8Array | KeyObject; alg?: string; kid?: string } = {},
): Promise<string> {
  return new SignJWT({ sub: 'alice', exp: secondsNow() + 3600, ...claims })
    .setProtectedHeader({ alg, typ: 'JWT', ...(kid && { kid }) })
    .sign(key)
}

/** A token that lasts so many seconds, or lasted until so many seconds ago. */
export const tokenFor = (seconds: number, claims: JWTPayload = {}) =>
  token({ scope: 'operator', ...claims, exp: secondsNow() + seconds })

/** As somebody writes it who hopes that nobody looks at signatures. */
export function unsigned(claims: JWTPayload): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ exp: secondsNow() + 3600, ...claims })}.`
}

export interface KeyPair {
  readonly alg: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Of the public key. */
  readonly pem: string
}

export function keyPair(alg: 'RS256' | 'ES256' | 'EdDSA'): KeyPair {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        : generateKeyPairSync('ed25519')
  return { alg, privateKey, publicKey, pem: String(publicKey.export({ type: 'spki', format: 'pem' })) }
}

/** A file with these texts, gone when the test is over. */
export function fileOf(...texts: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'epochcast-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'keys.pem')
  writeFileSync(path, texts.join('\n'))
  return path
}
