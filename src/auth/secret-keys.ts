import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import { SECRET_ALGORITHMS } from '../auth-config.ts'
import type { Keys } from './keys.ts'

/** Secrets that are shared with whoever issues tokens; while one is replaced, there are two. */
export class SecretKeys implements Keys {
  readonly #secrets: readonly Uint8Array[]

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.map((secret) => new TextEncoder().encode(secret))
  }

  verify(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    return verifiedByOneOf(token, this.#secrets, { ...options, algorithms: [...SECRET_ALGORITHMS] })
  }

  close(): void {}
}

/** Tries one key after the other, as long as it is only the signature that is wrong. */
export async function verifiedByOneOf(
  token: string,
  keys: Iterable<Parameters<typeof jwtVerify>[1]> | AsyncIterable<Parameters<typeof jwtVerify>[1]>,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key as Uint8Array, options)).payload
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  }
  throw new errors.JWSSignatureVerificationFailed()
}
