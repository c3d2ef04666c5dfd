/** What a REDIS_URL leads to. */
export interface RedisTarget {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  /** Name of the master that sentinels are asked for; empty for the other kinds. */
  readonly master: string
  readonly username: string | null
  readonly password: string | null
  readonly database: number
  readonly tls: boolean
}

const DEFAULT_PORT = { single: 6379, sentinel: 26_379, cluster: 6379 } as const
const EXPECTED =
  'expected redis://[user:password@]host[:port][/database], redis+sentinel://host[:port],…/master[/database] or redis+cluster://host[:port],… (rediss for TLS)'

/**
 *   redis://[user:password@]host[:port][/database]              one Redis
 *   redis+sentinel://host[:port],host[:port]/master[/database]  the master that the sentinels name
 *   redis+cluster://host[:port],host[:port]                     a Redis Cluster
 *
 * With `rediss` instead of `redis` over TLS.
 *
 * @throws Error where the URL is none of these; the message says what was expected
 */
export function parseRedisUrl(url: string): RedisTarget {
  const [, tls, kindName = '', userInfo, hosts = '', path = ''] =
    /^redis(s)?(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^/?]+)(?:\/([^?]*))?$/.exec(url) ?? []
  const kind = kindName === '+sentinel' ? 'sentinel' : kindName === '+cluster' ? 'cluster' : 'single'
  const nodes = hosts.split(',').map((each) => parseNode(each, DEFAULT_PORT[kind]))
  const segments = path === '' ? [] : path.split('/')
  const [master = ''] = kind === 'sentinel' ? segments.splice(0, 1) : []
  const [database = '0'] = segments
  const isUsable =
    nodes.every(({ host, port }) => host !== '' && port > 0 && port < 65_536) &&
    (kind !== 'single' || nodes.length === 1) &&
    (kind !== 'sentinel' || master !== '') &&
    (kind !== 'cluster' || path === '') &&
    segments.length <= 1 &&
    /^\d{1,4}$/.test(database)
  if (!isUsable) throw new Error(EXPECTED)
  const [username, password] = userInfo?.split(':').map(decodeURIComponent) ?? []
  return {
    kind,
    nodes,
    master,
    username: username || null,
    password: password || null,
    database: Number(database),
    tls: tls !== undefined,
  }
}

function parseNode(text: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  return { host: bracketed ?? plain ?? '', port: port === undefined ? defaultPort : Number(port) }
}
