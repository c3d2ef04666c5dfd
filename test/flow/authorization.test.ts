import { createHmac } from 'node:crypto'
import { type RequestOptions, request } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { schema } from '../../src/schema/index.ts'
import { GUARDED_PATHS } from '../../src/transport/http.ts'
import { type Asked, DOORS, type DoorOptions } from '../support/doors.ts'
import type { Result } from '../support/graphql.ts'
import { RIGHTS, type Right } from '../support/rights.ts'
import { testServer } from '../support/server.ts'
import { fileOf, keyPair, TOKEN_SECRET, token, unsigned } from '../support/tokens.ts'

/*
 * Every operation, through every door, with every kind of token, has the outcome that is written here. A root field
 * without a row in RIGHTS fails test/repository/rights.test.ts; a door without one fails here.
 */

type Kind = 'query' | 'mutation' | 'subscription'

/** A way to show a token with an operation; which kinds of operations come in there. */
interface TokenDoor {
  readonly kinds: readonly Kind[]
  readonly ask: (url: string, bearer: string | null, asked: Asked) => Promise<Result>
}

const ALL: readonly Kind[] = ['query', 'mutation', 'subscription']
const CALLS: readonly Kind[] = ['query', 'mutation']

const header = (bearer: string | null): Record<string, string> =>
  bearer === null ? {} : { authorization: `Bearer ${bearer}` }

const through = (door: string, options: DoorOptions, asked: Asked): Promise<Result> => {
  const ask = DOORS[door]
  if (!ask) throw new Error(`there is no door ${door}`)
  return ask(options, asked)
}

const byHeader =
  (door: string): TokenDoor['ask'] =>
  (url, bearer, asked) =>
    through(door, { url, headers: header(bearer) }, asked)

/** With a ticket in its URL; the refusal of the ticket is that of the door. */
const byTicket =
  (open: (url: string, asked: Asked) => Promise<Result>): TokenDoor['ask'] =>
  async (url, bearer, asked) => {
    const response = await fetch(new URL('/ticket', url), { method: 'POST', headers: header(bearer) })
    const { ticket, errors } = (await response.json()) as { ticket?: string; errors?: Result['errors'] }
    if (ticket === undefined) return { errors } as Result
    return open(`${url}?ticket=${ticket}`, asked)
  }

const DOORS_OF_TOKENS: Readonly<Record<string, TokenDoor>> = {
  POST: { kinds: CALLS, ask: byHeader('POST') },
  'POST in chunks': { kinds: CALLS, ask: byHeader('POST in chunks') },
  'POST with a query string': { kinds: CALLS, ask: byHeader('POST with a query string') },
  GET: { kinds: ['query'], ask: byHeader('GET') },
  'server-sent events': {
    kinds: ALL,
    ask: (url, bearer, asked) => {
      const json = { 'content-type': 'application/json', accept: 'text/event-stream' }
      const init = { method: 'POST', headers: { ...json, ...header(bearer) } }
      return firstOfStream(url, init, JSON.stringify(asked))
    },
  },
  'server-sent events with a ticket': { kinds: ['query', 'subscription'], ask: byTicket(eventSource) },
  'WebSocket, by connection_init': {
    kinds: ALL,
    ask: (url, bearer, asked) =>
      through('WebSocket', { url, connectionParams: header(bearer) }, asked).catch(refusalOfClose),
  },
  'WebSocket, by a header of its upgrade': {
    kinds: ALL,
    ask: (url, bearer, asked) =>
      through('WebSocket', { url, headers: header(bearer) }, asked).catch(refusalOfClose),
  },
  'WebSocket with a ticket': {
    kinds: ALL,
    ask: byTicket((url, asked) => through('WebSocket', { url }, asked).catch(refusalOfClose)),
  },
}

/** As a page's EventSource, by GET, and as fetch by POST: the first event, or the refusal. */
function firstOfStream(url: string, init: RequestOptions, body?: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...init, agent: false })
    sent.on('error', reject)
    sent.on('response', (response) => {
      let text = ''
      const isStream = response.headers['content-type']?.startsWith('text/event-stream')
      response.on('data', (chunk) => {
        text += chunk
        const [, data] = /^data: (\{.*\})$/m.exec(text) ?? []
        if (data === undefined) return
        resolve(JSON.parse(data) as Result)
        sent.destroy()
      })
      response.on('end', () => {
        if (!isStream) resolve(JSON.parse(text) as Result)
      })
      // That it was broken off.
      response.on('error', () => {})
    })
    sent.end(body)
  })
}

function eventSource(url: string, { query = '', variables = {} }: Asked): Promise<Result> {
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) })
  return firstOfStream(`${url}&${search}`, { headers: { accept: 'text/event-stream' } })
}

/** A socket that is not opened to a caller is closed with 4403, on which clients come back with another token. */
function refusalOfClose({ message }: Error): Result {
  if (!message.startsWith('closed with 4403 ')) throw new Error(message)
  return {
    errors: [{ message, extensions: { code: 'UNAUTHENTICATED', isOfClose: true } }],
  } as unknown as Result
}

const pair = keyPair('RS256')
const signed = (claims: Record<string, unknown>) =>
  token({ iss: 'https://issuer.example', aud: 'train', ...claims }, { key: pair.privateKey, alg: 'RS256' })

/** What a token is good for: every operation, none (and why), or only what is in its own reach. */
type Outcome = 'right' | 'unknown' | 'wrong scope' | 'out of reach'

interface Credential {
  readonly outcome: Outcome
  readonly reason?: string
  readonly bearer: (scope: string) => Promise<string | null> | string | null
}

const now = () => Math.floor(Date.now() / 1000)
const scopeOtherThan = (scope: string) => (scope === 'tasks:read' ? 'tasks:report' : 'tasks:read')

/** A token of which everything is right but that it is signed with the public key, as anybody can sign it. */
function signedWithPublicKey(scope: string): string {
  const claims = { iss: 'https://issuer.example', aud: 'train', exp: now() + 3600, scope }
  const [head, body] = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  return `${head}.${body}.${createHmac('sha256', pair.pem).update(`${head}.${body}`).digest('base64url')}`
}

const CREDENTIALS: Readonly<Record<string, Credential>> = {
  'no token': { outcome: 'unknown', reason: 'missing', bearer: () => null },
  garbage: { outcome: 'unknown', reason: 'malformed', bearer: () => 'garbage' },
  'an expired token': {
    outcome: 'unknown',
    reason: 'expired',
    bearer: (scope) => signed({ scope, exp: now() - 60 }),
  },
  'a token that is not valid yet': {
    outcome: 'unknown',
    reason: 'not_yet_valid',
    bearer: (scope) => signed({ scope, nbf: now() + 600 }),
  },
  'a token of another audience': {
    outcome: 'unknown',
    reason: 'audience',
    bearer: (scope) => signed({ scope, aud: 'serve' }),
  },
  'a token without an audience': {
    outcome: 'unknown',
    reason: 'audience',
    bearer: (scope) => signed({ scope, aud: undefined }),
  },
  'a token of another issuer': {
    outcome: 'unknown',
    reason: 'issuer',
    bearer: (scope) => signed({ scope, iss: 'https://issuer.example.org' }),
  },
  'a token of alg none': {
    outcome: 'unknown',
    reason: 'algorithm',
    bearer: (scope) => unsigned({ scope, iss: 'https://issuer.example', aud: 'train' }),
  },
  'HS256 with the public key for its secret': {
    outcome: 'unknown',
    reason: 'algorithm',
    bearer: signedWithPublicKey,
  },
  'a token that another key signed': {
    outcome: 'unknown',
    reason: 'signature',
    bearer: (scope) =>
      token(
        { scope, iss: 'https://issuer.example', aud: 'train' },
        { key: keyPair('RS256').privateKey, alg: 'RS256' },
      ),
  },
  'a token whose narrowing cannot be understood': {
    outcome: 'unknown',
    reason: 'malformed',
    bearer: (scope) => signed({ scope, task_ids: 't1' }),
  },
  'a token of another scope': {
    outcome: 'wrong scope',
    bearer: (scope) => signed({ scope: scopeOtherThan(scope) }),
  },
  'a token of another task': {
    outcome: 'out of reach',
    bearer: (scope) => signed({ scope, task_ids: ['another'] }),
  },
  'a token of another prefix': {
    outcome: 'out of reach',
    bearer: (scope) => signed({ scope, channel_prefixes: ['llm:training'] }),
  },
  'a token of other labels': {
    outcome: 'out of reach',
    bearer: (scope) => signed({ scope, labels: { team: ['audio', 'text'] } }),
  },
  'the right token': { outcome: 'right', bearer: (scope) => signed({ scope: `openid ${scope} email` }) },
}

/** A server that takes these tokens, and how an operator starts a run on it. */
async function server() {
  const { url, webSocketUrl } = await testServer({
    EPOCHCAST_JWT_PUBLIC_KEY: fileOf(pair.pem),
    EPOCHCAST_TOKEN_SECRET: TOKEN_SECRET,
    EPOCHCAST_JWT_ISSUER: 'https://issuer.example',
    EPOCHCAST_JWT_AUDIENCE: 'train',
  })
  const operator = await signed({ scope: 'operator' })
  const start = async (): Promise<string> => {
    const query =
      'mutation { startTraining(input: { trainer: "external", labels: { team: "vision" } }) { task { id } } }'
    const { data } = await through('POST', { url, headers: header(operator) }, { query })
    return data.startTraining.task.id
  }
  return { url, webSocketUrl, operator, start }
}

const kindOf = (field: string): Kind => (field.split('.')[0] as string).toLowerCase() as Kind

/** What comes of an operation: its code, or what its field has. */
function outcomeOf({ data, errors }: Result): unknown {
  if (errors?.length) return errors.map(({ extensions }) => extensions.code).join()
  const [value] = Object.values(data ?? {})
  if (value === null) return 'null'
  return JSON.stringify(value) === '{"edges":[]}' ? 'none' : 'right'
}

function expectedOf(field: string, outcome: Outcome, scope: string | null): string {
  if (outcome === 'unknown') return 'UNAUTHENTICATED'
  if (scope === null || outcome === 'right') return 'right'
  if (outcome === 'wrong scope') return 'FORBIDDEN'
  if (field === 'Query.task') return 'null'
  if (field === 'Query.tasks') return 'none'
  return field === 'Mutation.startTraining' ? 'FORBIDDEN' : 'TASK_NOT_FOUND'
}

it.each(Object.keys(DOORS_OF_TOKENS))(
  '%s lets in whom it is to, and tells the others why not',
  async (name) => {
    const { kinds, ask } = DOORS_OF_TOKENS[name] as TokenDoor
    const { url, operator, start } = await server()
    const found: string[] = []
    const expected: string[] = []
    for (const [field, { scope, query, isOfEnded, needsOutput }] of Object.entries(RIGHTS)) {
      // What is in reach of nobody has no first event.
      const isSilent = field === 'Subscription.taskUpdates'
      if (!kinds.includes(kindOf(field))) continue
      const id = await start()
      if (isOfEnded) {
        const end = 'mutation ($id: ID!) { cancelTraining(input: { taskId: $id }) { task { id } } }'
        await through('POST', { url, headers: header(operator) }, { query: end, variables: { id } })
      }
      if (needsOutput) {
        const { query } = RIGHTS['Mutation.reportOutput'] as Right
        await through('POST', { url, headers: header(operator) }, { query, variables: { id } })
      }
      for (const [credential, { outcome, reason, bearer }] of Object.entries(CREDENTIALS)) {
        if (isSilent && outcome === 'out of reach') continue
        const variables = query.includes('$id') ? { id } : {}
        const result = await ask(url, await bearer(scope ?? ''), { query, variables })
        expected.push(`${field} with ${credential}: ${expectedOf(field, outcome, scope)}`)
        found.push(`${field} with ${credential}: ${outcomeOf(result)}`)
        const [error] = result.errors ?? []
        // A close frame has no room for it but in words.
        if (!error || error.extensions.isOfClose) continue
        expect(error.extensions.reason, `${field} with ${credential}`).toBe(reason)
      }
    }
    expect(found).toEqual(expected)
    expect(found.length).toBeGreaterThanOrEqual(Object.keys(CREDENTIALS).length)
  },
  120_000,
)

/** What is not GraphQL, with the scope that it needs; `ID` stands for a task of another. */
const PLAIN_DOORS: Readonly<
  Record<
    string,
    { readonly at: string; readonly method?: string; readonly body?: string; readonly scope: string | null }
  >
> = {
  ticket: { at: '/ticket', method: 'POST', scope: null },
  events: { at: '/events/gan:training/ID', scope: 'tasks:read' },
  history: { at: '/history/gan:training/ID', scope: 'tasks:read' },
  metrics: { at: '/metrics', scope: 'server:metrics' },
  kubeflow: {
    at: '/kubeflow/gan:training/ID',
    method: 'POST',
    scope: 'tasks:report',
    body: '{"trainerStatus":{"progressPercentage":1}}',
  },
}

it.each(Object.entries(PLAIN_DOORS))(
  '/%s lets in whom it is to, too',
  async (_, { at, method = 'GET', body, scope }) => {
    const { url, start } = await server()
    const address = new URL(at.replace('ID', await start()), url)
    const statuses: Record<string, number> = {}
    const expected: Record<string, number> = {}
    for (const [name, { outcome, bearer }] of Object.entries(CREDENTIALS)) {
      const controller = new AbortController()
      const headers = header(await bearer(scope ?? ''))
      const init = { method, headers, signal: controller.signal, ...(body !== undefined && { body }) }
      const response = await fetch(address, init)
      controller.abort()
      const isOfTask = at.includes('ID')
      const allowed = outcome === 'right' || scope === null || (outcome === 'out of reach' && !isOfTask)
      const refused = outcome === 'unknown' ? 401 : outcome === 'wrong scope' ? 403 : 404
      statuses[name] = response.status
      expected[name] = outcome !== 'unknown' && allowed ? 200 : refused
    }
    expect(statuses).toEqual(expected)
  },
)

/** Of plain WebSockets: `null` where it has only to be known who opens one. */
const PLAIN_SOCKETS: Readonly<Record<string, string | null>> = {
  '/ws/gan/training/ID': 'tasks:read',
  '/ws/tasks/ID/progress?channel_prefix=gan:training': 'tasks:read',
  '/ws/metrics?task_id=ID': 'tasks:read',
  '/ws/metrics': 'tasks:read',
  '/ws/heartbeat': null,
}

/** What a plain socket says first: that it is connected, that it waits, or why it is closed; or the status of its upgrade. */
function firstWord(address: URL, headers: Record<string, string>): Promise<unknown> {
  const socket = new WebSocket(address, { headers })
  onTestFinished(() => socket.terminate())
  socket.on('error', () => {})
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode))
    socket.on('message', (data) => {
      const { type, code, message } = JSON.parse(String(data))
      resolve(type === 'error' ? code : /^waiting/.test(message) ? 'waiting' : type)
      socket.terminate()
    })
  })
}

it.each(Object.entries(PLAIN_SOCKETS))('%s lets in whom it is to, too', async (at, scope) => {
  const { webSocketUrl, start } = await server()
  const address = new URL(at.replace('ID', await start()), webSocketUrl)
  const found: Record<string, unknown> = {}
  const expected: Record<string, unknown> = {}
  for (const [name, { outcome, bearer }] of Object.entries(CREDENTIALS)) {
    found[name] = await firstWord(address, header(await bearer(scope ?? '')))
    // A task that is not in reach is as one that there is not yet.
    const isElsewhere = outcome === 'out of reach' && at.includes('ID')
    expected[name] =
      outcome === 'unknown'
        ? 401
        : outcome === 'wrong scope' && scope !== null
          ? 'FORBIDDEN'
          : isElsewhere
            ? 'waiting'
            : 'connected'
  }
  expect(found).toEqual(expected)
})

it('every path of the server has a row for tokens, or is for everybody', () => {
  expect(Object.keys(PLAIN_DOORS).sort()).toEqual([...GUARDED_PATHS, 'metrics'].sort())
})

it('every door of operations has a row for tokens', () => {
  const ways = Object.keys(DOORS_OF_TOKENS)
  for (const door of Object.keys(DOORS)) expect(ways.filter((way) => way.startsWith(door))).not.toEqual([])
  expect(Object.keys(RIGHTS).map(kindOf)).toEqual(
    expect.arrayContaining(['query', 'mutation', 'subscription']),
  )
  expect(schema.getMutationType()?.getFields()).toHaveProperty('createViewLink')
})
