import { createContext, createElement, type ReactNode, useContext, useMemo } from 'react'
import { createClient } from '../typescript/client.ts'
import { createResumingClient } from '../typescript/resuming-client.ts'
import { webSocketUrl } from '../typescript/socket.ts'
import { type AnyClient, type Source, sourceOf } from './source.ts'
import type { Status, Store } from './store.ts'

/** Stores beyond that are let go of, where nobody uses them. */
const MAX_IDLE_STORES = 100

// biome-ignore lint/suspicious/noExplicitAny: stores of all kinds
type AnyStore = Store<any>

/** The stores of one source, shared by the components below a provider. */
export class Registry {
  readonly source: Source
  readonly #stores = new Map<string, AnyStore>()

  constructor(source: Source) {
    this.source = source
  }

  /** Of one that is not used, nothing is open. */
  store<S extends Store<Status>>(key: string, create: (source: Source) => S): S {
    const known = this.#stores.get(key)
    if (known) return known as S
    if (this.#stores.size >= MAX_IDLE_STORES) this.#forgetIdle()
    const store = create(this.source)
    this.#stores.set(key, store as AnyStore)
    return store
  }

  #forgetIdle(): void {
    for (const [key, store] of this.#stores) if (store.isIdle) this.#stores.delete(key)
  }
}

const Context = createContext<Registry | null>(null)

export type EpochcastProviderProps = { readonly children?: ReactNode } & (
  | {
      /** createResumingClient's, createClient's, graphql-ws' own, or the Apollo or urql client that the page has. */
      readonly client: AnyClient
    }
  | {
      /** Without a client: the GraphQL endpoint, such as `https://host/graphql`. */
      readonly url: string
      /** A function is asked at each request and connection; the provider's first one is kept. */
      readonly token?: string | (() => string | Promise<string>) | undefined
    }
)

/** Gives the hooks below it their client. Nothing is opened before one of them asks for something. */
export function EpochcastProvider(props: EpochcastProviderProps): ReactNode {
  const client = 'client' in props ? props.client : null
  const url = 'url' in props ? props.url : null
  const token = 'token' in props ? props.token : undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: a token is often written in place, another function each time
  const own = useMemo(() => (url === null ? null : ownSource(url, token)), [url])
  const registry = useMemo(() => {
    const source = client ? sourceOf(client) : own
    if (!source) throw new TypeError('<EpochcastProvider> has neither a client nor a url')
    return new Registry(source)
  }, [client, own])
  return createElement(Context.Provider, { value: registry }, props.children)
}

export function useRegistry(): Registry {
  const registry = useContext(Context)
  if (!registry) throw new Error('a hook of epochcast/react is used outside of <EpochcastProvider>')
  return registry
}

type Token = string | (() => string | Promise<string>) | undefined

/** Requests over HTTP, subscriptions over a socket that is there while there are any. */
function ownSource(url: string, token: Token): Source {
  const client = createClient({ url, token })
  const params = (value: string) => ({ authorization: `Bearer ${value}` })
  let socket: Source | null = null
  const open = () => {
    const connectionParams =
      typeof token === 'function' ? async () => params(await token()) : token ? params(token) : undefined
    return sourceOf(
      createResumingClient({ url: webSocketUrl(url), ...(connectionParams && { connectionParams }) }),
    )
  }
  return {
    execute: (document, variables) => client.execute(document, variables),
    subscribe: (document, variables, receiver) => {
      socket ??= open()
      return socket.subscribe(document, variables, receiver)
    },
  }
}
