import { resolve } from 'node:path'

/** The engine that keeps the events, and where it is; its name is that of a `Store`. */
export type EngineConfig =
  | { readonly name: 'memory' }
  | { readonly name: 'lmdb'; readonly path: string }
  | { readonly name: 'redis'; readonly url: string }

export const DEFAULT_DATA = '.epochcast'
/** Instead of a path; `./none` is one. */
const NO_DATA = 'none'

export function engineOf(redisUrl: string | null, data: string): EngineConfig {
  if (redisUrl !== null) return { name: 'redis', url: redisUrl }
  return data === NO_DATA ? { name: 'memory' } : { name: 'lmdb', path: resolve(data) }
}
