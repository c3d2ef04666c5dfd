import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions } from 'jose'
import type { KeyAlgorithm } from '../auth-config.ts'
import { ConfigError } from '../config.ts'
import type { Keys } from './keys.ts'
import { verifiedByOneOf } from './secret-keys.ts'

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g
const PUBLIC_BLOCKS = ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']
/** By RFC 7518, section 3.3. */
const MIN_RSA_BITS = 2048

interface PublicKey {
  readonly algorithm: KeyAlgorithm
  readonly key: KeyObject
}

/** Public keys of a PEM file: one, or while one is replaced two. */
export class FileKeys implements Keys {
  readonly #keys: readonly PublicKey[]
  readonly #algorithms: readonly KeyAlgorithm[]

  /** @throws ConfigError */
  constructor(path: string, algorithms: readonly KeyAlgorithm[]) {
    this.#keys = keysOf(path).filter(({ algorithm }) => algorithms.includes(algorithm))
    this.#algorithms = [...new Set(this.#keys.map(({ algorithm }) => algorithm))]
    if (this.#keys.length === 0)
      throw unusable(path, `has no key for EPOCHCAST_JWT_ALGORITHMS (${algorithms.join(', ')})`)
  }

  async verify(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    const { alg } = decodeProtectedHeader(token)
    const keys = this.#keys.filter(({ algorithm }) => algorithm === alg).map(({ key }) => key)
    if (keys.length === 0)
      throw new errors.JOSEAlgNotAllowed('"alg" (Algorithm) Header Parameter value not allowed')
    return verifiedByOneOf(token, keys, { ...options, algorithms: [...this.#algorithms] })
  }

  close(): void {}
}

function keysOf(path: string): PublicKey[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw unusable(path, `cannot be read: ${(error as Error).message}`)
  }
  const blocks = [...text.matchAll(PEM_BLOCK)]
  if (blocks.length === 0) throw unusable(path, 'has no key in it')
  return blocks.map(([pem, label = '']) => {
    if (!PUBLIC_BLOCKS.includes(label))
      throw unusable(path, `has a ${label.toLowerCase()} in it, which a server need not have`)
    return publicKey(path, pem)
  })
}

function publicKey(path: string, pem: string): PublicKey {
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch (error) {
    throw unusable(path, `has a key that cannot be read: ${(error as Error).message}`)
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return { algorithm: 'RS256', key }
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { algorithm: 'ES256', key }
  if (type === 'ed25519') return { algorithm: 'EdDSA', key }
  throw unusable(path, `has a ${type} key in it`)
}

const unusable = (path: string, problem: string): ConfigError =>
  new ConfigError(
    `EPOCHCAST_JWT_PUBLIC_KEY is ${JSON.stringify(path)}, which ${problem}; expected a PEM file of public keys: RSA with ${MIN_RSA_BITS} bits or more, EC P-256 or Ed25519`,
  )
