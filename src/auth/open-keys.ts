import type { Logger } from 'pino'
import type { TokenKeys } from '../auth-config.ts'
import { FileKeys } from './file-keys.ts'
import type { Keys } from './keys.ts'
import { RemoteKeys } from './remote-keys.ts'
import { SecretKeys } from './secret-keys.ts'

/** @throws ConfigError */
export function openKeys(keys: TokenKeys, logger: Logger): Keys {
  switch (keys.kind) {
    case 'secrets':
      return new SecretKeys(keys.secrets)
    case 'file':
      return new FileKeys(keys.path, keys.algorithms)
    case 'jwks':
      return new RemoteKeys({ ...keys, logger })
  }
}
