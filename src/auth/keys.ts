import type { JWTPayload, JWTVerifyOptions } from 'jose'

/** Keys by which tokens of others are checked. */
export interface Keys {
  /**
   * The claims of a token that one of the keys signed, and whose times, issuer and audience are right.
   *
   * @throws the error of jose; EpochcastError AUTHENTICATION_UNAVAILABLE
   */
  verify(token: string, options: JWTVerifyOptions): Promise<JWTPayload>
  close(): void
}
