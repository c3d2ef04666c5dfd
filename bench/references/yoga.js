// @ts-check
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
import { channelOf, cursorAt, openingEvent, wholeEvent } from './events.js'

/**
 * @typedef {object} PubSub
 * @property {(channel: string, payload: object) => unknown} publish
 * @property {(channel: string) => AsyncIterator<any>} iterate
 */

const { PORT, REDIS_URL } = process.env
const pubsub = REDIS_URL ? redisPubSub(REDIS_URL) : memoryPubSub()
/** @type {Map<string, number>} */
const offsets = new Map()

const yoga = createYoga({
  schema: createSchema({
    typeDefs: readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'),
    resolvers: {
      Subscription: {
        trainingProgress: {
          subscribe: (/** @type {any} */ _, { taskId }) => watch(taskId),
        },
      },
      Mutation: { reportMetrics: (/** @type {any} */ _, { input }) => report(input) },
    },
  }),
  graphiql: { subscriptionsProtocol: 'WS' },
})

const server = createServer((request, response) => {
  if (request.url === '/ready') return void response.end()
  void yoga(request, response)
})
const sockets = new WebSocketServer({ server, path: yoga.graphqlEndpoint })
useServer(
  {
    execute: (/** @type {any} */ args) => args.rootValue.execute(args),
    subscribe: (/** @type {any} */ args) => args.rootValue.subscribe(args),
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

/**
 * What is published from now on, behind an opening event, which costs the events after it nothing.
 *
 * @param {string} taskId
 */
function watch(taskId) {
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

/** @param {{ taskId: string, reports: { progress: any }[] }} input */
async function report({ taskId, reports }) {
  const channel = channelOf(taskId)
  let offset = offsets.get(channel) ?? 0
  const events = reports.map(({ progress }) => wholeEvent(taskId, progress, ++offset))
  offsets.set(channel, offset)
  await Promise.all(events.map((event) => pubsub.publish(channel, { trainingProgress: event })))
  return { accepted: reports.length, duplicates: 0, stopRequested: false, cursor: cursorAt(offset) }
}

/**
 * @param {string} url
 * @returns {PubSub}
 */
function redisPubSub(url) {
  const redis = new RedisPubSub({ publisher: new Redis(url), subscriber: new Redis(url) })
  return {
    publish: (channel, payload) => redis.publish(channel, payload),
    iterate: (channel) => redis.asyncIterableIterator(channel),
  }
}

/** @returns {PubSub} */
function memoryPubSub() {
  /** @type {any} */
  const memory = createPubSub()
  return {
    publish: (channel, payload) => memory.publish(channel, payload),
    iterate: (channel) => memory.subscribe(channel),
  }
}
