import { SignJWT } from 'jose'
import type { AuthConfig } from '../auth-config.ts'
import { ConfigError } from '../config.ts'
import { BUNDLES, SCOPES } from '../repository/access.ts'
import { quote } from '../task/errors.ts'
import type { RightsClaims } from './rights.ts'

interface DevelopmentToken {
  readonly subject: string
  readonly scope: string
  readonly taskIds: readonly string[] | null
  readonly channelPrefixes: readonly string[] | null
  /** Names and values; several of one name are alternatives. */
  readonly labels: readonly (readonly [string, string])[] | null
  readonly seconds: number
}

/**
 * A token as an issuer would sign it, for servers with this configuration.
 *
 * @throws ConfigError
 */
export async function developmentToken(auth: AuthConfig | null, asked: DevelopmentToken): Promise<string> {
  if (auth?.keys.kind !== 'secrets') {
    const found = auth === null ? 'is not set' : 'is not what tokens are checked by here'
    throw new ConfigError(
      `EPOCHCAST_JWT_SECRET ${found}; expected the server's secret, as only an issuer has the keys for the others`,
    )
  }
  const names: readonly string[] = [...SCOPES, ...Object.keys(BUNDLES)]
  const unknown = asked.scope.split(' ').find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new ConfigError(`--scope has ${quote(unknown)}; expected some of ${names.join(', ')}`)
  const claims: RightsClaims = {
    scope: asked.scope,
    ...(asked.taskIds && { task_ids: asked.taskIds }),
    ...(asked.channelPrefixes && { channel_prefixes: asked.channelPrefixes }),
    ...(asked.labels && { labels: alternatives(asked.labels) }),
  }
  const token = new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(asked.subject)
    .setIssuedAt()
    .setExpirationTime(`${asked.seconds}s`)
  if (auth.issuer !== null) token.setIssuer(auth.issuer)
  if (auth.audience !== null) token.setAudience(auth.audience)
  return token.sign(new TextEncoder().encode(auth.keys.secrets[0]))
}

function alternatives(labels: readonly (readonly [string, string])[]): Readonly<Record<string, string[]>> {
  const values = new Map<string, string[]>()
  for (const [name, value] of labels) values.set(name, [...(values.get(name) ?? []), value])
  return Object.fromEntries(values)
}
