// The same API as the documentation of its parts puts it together: GraphQL Yoga, graphql-ws and
// graphql-redis-subscriptions (or, without Redis, Yoga's own createPubSub). Yoga's recipe for graphql-ws is
// https://the-guild.dev/graphql/yoga-server/docs/features/subscriptions#graphql-over-websocket-protocol-via-graphql-ws
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { RedisPubSub } from 'graphql-redis-subscriptions'
import { useServer } from 'graphql-ws/use/ws'
import { createPubSub, createSchema, createYoga } from 'graphql-yoga'
import { Redis } from 'ioredis'
import { WebSocketServer } from 'ws'
import type { Progress } from '../client/workload.ts'
import { channelOf, cursorAt, openingEvent, wholeEvent } from './events.ts'

interface PubSub {
  readonly publish: (channel: string, payload: object) => unknown
  readonly iterate: (channel: string) => AsyncIterator<unknown>
}

const { PORT, REDIS_URL } = process.env
const pubsub = REDIS_URL ? redisPubSub(REDIS_URL) : memoryPubSub()
const offsets: Map<string, number> = new Map()

const yoga = createYoga({
  schema: createSchema({
    typeDefs: readFileSync(join(import.meta.dirname, '../../../schema.graphql'), 'utf8'),
    resolvers: {
      Subscription: {
        trainingProgress: {
          subscribe: (_: unknown, { taskId }) => watch(taskId),
        },
      },
      Mutation: { reportMetrics: (_: unknown, { input }) => report(input) },
    },
  }),
  graphiql: { subscriptionsProtocol: 'WS' },
})

const server = createServer((request, response) => {
  if (request.url === '/ready') return void response.end()
  void yoga(request, response)
})
type Enveloped = Pick<ReturnType<typeof yoga.getEnveloped>, 'execute' | 'subscribe'>

const sockets = new WebSocketServer({ server, path: yoga.graphqlEndpoint })
useServer(
  {
    execute: (args) => (args.rootValue as Enveloped).execute(args),
    subscribe: (args) => (args.rootValue as Enveloped).subscribe(args),
    onSubscribe: async (context, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        socket: context.extra.socket,
        params,
      })
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      }
      const errors = validate(args.schema, args.document)
      return errors.length ? errors : args
    },
  },
  sockets,
)
server.listen(Number(PORT), '127.0.0.1')

/** What is published from now on, behind an opening event, which costs the events after it nothing. */
function watch(taskId: string) {
  const events = pubsub.iterate(channelOf(taskId))
  let isOpen = false
  return {
    next: () => {
      if (isOpen) return events.next()
      isOpen = true
      return Promise.resolve({ done: false, value: { trainingProgress: openingEvent(taskId) } })
    },
    return: () => events.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function report({ taskId, reports }: { taskId: string; reports: readonly { progress: Progress }[] }) {
  const channel = channelOf(taskId)
  let offset = offsets.get(channel) ?? 0
  const events = reports.map(({ progress }) => wholeEvent(taskId, progress, ++offset))
  offsets.set(channel, offset)
  await Promise.all(events.map((event) => pubsub.publish(channel, { trainingProgress: event })))
  return { accepted: reports.length, duplicates: 0, stopRequested: false, cursor: cursorAt(offset) }
}

function redisPubSub(url: string): PubSub {
  const redis = new RedisPubSub({ publisher: new Redis(url), subscriber: new Redis(url) })
  return {
    publish: (channel, payload) => redis.publish(channel, payload),
    iterate: (channel) => redis.asyncIterableIterator(channel),
  }
}

function memoryPubSub(): PubSub {
  const memory = createPubSub<Record<string, [payload: object]>>()
  return {
    publish: (channel, payload) => memory.publish(channel, payload),
    iterate: (channel) => memory.subscribe(channel),
  }
}
