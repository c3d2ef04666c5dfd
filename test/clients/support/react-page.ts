/*
 * A page of the tests: renders what it is told with the hooks, and keeps what they gave. Bundled and run in a browser.
 */
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { createClient as createUrql, fetchExchange, subscriptionExchange } from '@urql/core'
import { createClient as createGraphqlWs } from 'graphql-ws'
import { createElement as h, type ReactNode, StrictMode, Suspense } from 'react'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import {
  type AnyClient,
  EpochcastProvider,
  TrainingCard,
  useCurves,
  useHeartbeat,
  useStartTraining,
  useTask,
  useTaskOutput,
  useTasks,
  useTrainingProgress,
} from '../../../clients/react/index.ts'
import { createClient, createResumingClient } from '../../../clients/typescript/index.ts'

export type ClientName = 'none' | 'epochcast' | 'resuming' | 'graphql-ws' | 'Apollo Client' | 'urql'

export interface View {
  readonly client: ClientName
  readonly taskId?: string | null
  /** Which hooks, and the card; all of them use the same task. */
  readonly show: readonly (
    | 'training'
    | 'task'
    | 'curves'
    | 'tasks'
    | 'heartbeat'
    | 'start'
    | 'output'
    | 'card'
  )[]
  readonly suspense?: boolean
  readonly hydrate?: boolean
}

interface Seen {
  renders: number
  frames: number
  /** By the hook's `onEvent`. */
  events: { kind: string; current: number | undefined }[]
  states: string[]
  /** By hook: what it gave last. */
  newest: Record<string, unknown>
  started: string[]
}

interface Page {
  serverUrl: string
  document: { getElementById(id: string): Element }
  seen: Seen
  show(view: View): void
  unmount(): void
}

const page = globalThis as unknown as Page & typeof globalThis
const url = page.serverUrl
const socketUrl = url.replace('http', 'ws')

page.seen = { renders: 0, frames: 0, events: [], states: [], newest: {}, started: [] }
const countFrames = () => {
  page.seen.frames++
  requestAnimationFrame(countFrames)
}
declare const requestAnimationFrame: (run: () => void) => number
requestAnimationFrame(countFrames)

const stock = () => createGraphqlWs({ url: socketUrl, shouldRetry: () => true, retryWait: async () => {} })
const CLIENTS: Record<Exclude<ClientName, 'none'>, () => AnyClient> = {
  epochcast: () => createClient({ url }),
  resuming: () => createResumingClient({ url: socketUrl }),
  'graphql-ws': stock,
  'Apollo Client': () => {
    const http = new HttpLink({ uri: url })
    const link = ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(stock()),
      http,
    )
    return new ApolloClient({ link, cache: new InMemoryCache() })
  },
  urql: () => {
    const socket = stock()
    return createUrql({
      url,
      preferGetMethod: false,
      exchanges: [
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: ({ query = '', variables }) => ({
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe(
                { query, variables: variables as Record<string, unknown> },
                sink as never,
              ),
            }),
          }),
        }),
      ],
    })
  },
}

const note = (name: string, value: { readonly state?: { readonly kind: string } }) => {
  page.seen.newest[name] = value
  const kind = value.state?.kind
  if (name === 'training' && kind && page.seen.states.at(-1) !== kind) page.seen.states.push(kind)
}

const HOOKS: Record<View['show'][number], (view: View) => ReactNode> = {
  card: ({ taskId }) => h(TrainingCard, { taskId, className: 'card' }),
  training: ({ taskId, suspense }) => {
    page.seen.renders++
    const onEvent = (event: { __typename: string; current?: number }) =>
      page.seen.events.push({ kind: event.__typename, current: event.current })
    note(
      'training',
      useTrainingProgress(taskId, { last: 20_000, maxEvents: 50, suspense, onEvent: onEvent as never }),
    )
    return null
  },
  task: ({ taskId, suspense }) => {
    note('task', useTask(taskId, { suspense }))
    return null
  },
  curves: ({ taskId, suspense }) => {
    note('curves', useCurves(taskId, { suspense, maxPoints: 100 }))
    return null
  },
  output: ({ taskId, suspense }) => {
    note('output', useTaskOutput(taskId, { suspense }))
    return null
  },
  tasks: () => {
    note('tasks', useTasks({ first: 5 }))
    return null
  },
  heartbeat: () => {
    note('heartbeat', useHeartbeat({ intervalMs: 100 }))
    return null
  },
  start: () => {
    const [start, state] = useStartTraining()
    note('start', state as never)
    Object.assign(page, {
      start: async (input: never) => page.seen.started.push((await start(input)).task.id),
    })
    return null
  },
}

let root: Root | null = null
const clients = new Map<ClientName, AnyClient>()

function element(view: View) {
  if (view.client !== 'none' && !clients.has(view.client)) clients.set(view.client, CLIENTS[view.client]())
  const client = clients.get(view.client)
  const children = view.show.map((name) => h(HOOKS[name], { key: name, ...view }))
  const fallback = h('p', null, 'waiting')
  const below = h(Suspense, { fallback }, h('p', null, 'shown'), ...children)
  return h(StrictMode, null, h(EpochcastProvider, client ? { client } : { url }, below))
}

page.show = (view) => {
  const container = page.document.getElementById('root') as never
  if (view.hydrate && !root) root = hydrateRoot(container, element(view))
  else {
    root ??= createRoot(container)
    root.render(element(view))
  }
}
page.unmount = () => {
  root?.unmount()
  root = null
}
