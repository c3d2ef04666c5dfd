import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import {
  createClient,
  createReporter,
  HeartbeatDocument,
  ServerDocument,
} from '../../clients/typescript/index.ts'
import { type Asked, ask, DOOR_NAMES } from '../support/doors.ts'
import { type Data, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MANIFEST = join(import.meta.dirname, '../../clients/typescript/generated/persisted-documents.json')
const texts = JSON.parse(readFileSync(MANIFEST, 'utf8')) as Record<string, string>
const entry = (name: string) => {
  const found = Object.entries(texts).find(([, text]) => new RegExp(`\\b${name}\\b *[({]`).test(text))
  if (!found) throw new Error(`the manifest has no ${name}`)
  return { id: found[0], text: found[1] }
}
const server = entry('query Server')
const trusting = (file = MANIFEST) => testServer({ EPOCHCAST_TRUSTED_DOCUMENTS: file })

function manifest(content: unknown): string {
  const folder = temporaryFolder()
  const file = join(folder, 'manifest.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const persistedQuery = (sha256Hash: unknown) => ({ persistedQuery: { version: 1, sha256Hash } })

describe('a server with a manifest', () => {
  it.each<[string, Asked]>([
    ['by the id that Apollo and urql send', { extensions: persistedQuery(server.id) }],
    ['by the id of GraphQL over HTTP', { documentId: `sha256:${server.id}` }],
    ['by the id of urql', { documentId: server.id }],
    ['by its text, word for word', { query: server.text }],
    [
      'by an id, whatever text is sent with it',
      { query: '{ __schema { types { name } } }', documentId: server.id },
    ],
  ])('runs a document of it %s, through every door', async (_, asked) => {
    const options = await trusting()
    for (const door of DOOR_NAMES) {
      const { data, errors } = await ask(door, options, asked)
      expect({ door, errors }).toEqual({ door, errors: undefined })
      expect(data.server.version).toBeTypeOf('string')
    }
  })

  it.each<[string, Asked]>([
    ['a free text', { query: '{ server { version } }' }],
    ['a text that is not quite it', { query: `${server.text} ` }],
    [
      'a text with another operation behind it',
      { query: `${server.text} query B { __typename }`, operationName: 'B' },
    ],
    ['introspection', { query: '{ __schema { queryType { name } } }' }],
    ['no GraphQL', { query: '}{' }],
    ['an unknown id', { documentId: 'f'.repeat(64) }],
    ['an unknown id with a text of the manifest', { query: server.text, documentId: 'f'.repeat(64) }],
    ['the name of what every object has', { documentId: '__proto__' }],
    [
      'a text by its hash for the first time',
      { query: '{ __typename }', extensions: persistedQuery('0'.repeat(64)) },
    ],
  ])('refuses %s, through every door', async (_, asked) => {
    const options = await trusting()
    for (const door of DOOR_NAMES) {
      const { data, errors } = await ask(door, options, asked)
      expect(data ?? null).toBeNull()
      expect(errors).toMatchObject([
        {
          message: expect.stringMatching(
            /^the document( ".*"(… \(\d+ characters\))?)? is not in the manifest of this server \(EPOCHCAST_TRUSTED_DOCUMENTS\); expected/,
          ),
          extensions: { code: 'DOCUMENT_NOT_TRUSTED', retryable: false },
        },
      ])
    }
  })

  it('serves the client of this project, and what its sample trainers send', async () => {
    const { url } = await trusting()
    const client = createClient({ url, webSocketImpl: WebSocket })
    onTestFinished(() => client.dispose())
    expect((await client.execute(ServerDocument, {})).server.version).toBeTypeOf('string')
    for await (const { heartbeat } of client.subscribe(HeartbeatDocument, { intervalMs: 1000 })) {
      expect(heartbeat.sequence).toBe(1)
      break
    }
    const start = entry('mutation StartTraining')
    const variables = { input: { trainer: 'external' } }
    const { data } = await ask('POST', { url }, { documentId: start.id, variables })
    const taskId: string = data.startTraining.task.id
    const reporter = createReporter({ url, taskId })
    reporter.log({ loss: 1 })
    expect(await reporter.success()).toBe(true)
    const another = createReporter({ url, run: { name: 'another' } })
    expect(await another.success()).toBe(true)
    const followed: string[] = []
    for await (const event of client.follow({ taskId, last: 10 })) followed.push(event.__typename)
    expect(followed).toEqual(expect.arrayContaining(['ProgressUpdate', 'TrainingSucceeded', 'StreamClosing']))
  })

  it('has no GraphiQL, and a link to it runs nothing', async () => {
    const { url } = await trusting()
    for (const search of ['', `?documentId=${server.id}`]) {
      const headers = { accept: 'text/html', 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }
      const response = await fetch(`${url}${search}`, { headers })
      expect(await response.text()).not.toContain('<html')
      expect(response.headers.get('content-type')).toContain('json')
    }
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    }
    const { errors } = await ask(
      'GET',
      { url, headers: { ...link, accept: 'text/html' } },
      { documentId: server.id },
    )
    expect(errors).toMatchObject([{ extensions: { code: 'ORIGIN_NOT_ALLOWED' } }])
  })

  it('takes a manifest of Apollo’s tools', async () => {
    const operations = [
      { id: 'one', name: 'Server', type: 'query', body: 'query Server { server { version } }' },
    ]
    const options = await trusting(
      manifest({ format: 'apollo-persisted-query-manifest', version: 1, operations }),
    )
    const { data } = await ask('WebSocket', options, { extensions: persistedQuery('one') })
    expect(data.server.version).toBeTypeOf('string')
  })

  it.each<[string, unknown, RegExp]>([
    ['that is not there', null, /^the manifest of documents .*nowhere\.json cannot be read: ENOENT/],
    ['that is no JSON', '{', /cannot be read: .*JSON/],
    ['that is a list', [], /is no manifest of documents; expected an object from ids to texts/],
    ['of something else', { a: 1 }, /is no manifest of documents/],
    ['of nothing', {}, /it has no documents; expected at least one/],
    [
      'with what does not fit',
      { a: '{ server { version } }', b: '{ nothing }', c: '{' },
      /document "b": Cannot query[\s\S]*document "c": Syntax Error/,
    ],
    [
      'with a document over a bound',
      { a: `{ ${'__typename '.repeat(51)} }` },
      /document "a": the field "__typename" is selected 51 times/,
    ],
  ])('does not start with a manifest %s', async (_, content, message) => {
    const file = content === null ? '/nowhere.json' : manifest(content)
    await expect(trusting(file)).rejects.toThrow(message)
  })
})

it('a server without a manifest tells clients that send ids to send the text', async () => {
  const options = await testServer()
  for (const door of DOOR_NAMES) {
    for (const asked of [{ documentId: server.id }, { extensions: persistedQuery(server.id) }]) {
      const { errors } = await ask(door, options, asked)
      // Apollo and urql look for this message.
      expect(errors).toMatchObject([
        { message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } },
      ])
    }
    const both = await ask(door, options, { query: '{ server { version } }', documentId: server.id })
    expect(both.data.server.version).toBeTypeOf('string')
  }
})

it('an id that is no text is refused', async () => {
  for (const options of [await testServer(), await trusting()]) {
    for (const door of DOOR_NAMES) {
      const { errors } = await ask(door, options, { extensions: persistedQuery(7) })
      expect(errors).toMatchObject([
        { message: "the document's id is 7; expected a text", extensions: { code: 'BAD_REQUEST' } },
      ])
    }
  }
})

describe('a server that does not tell its schema', () => {
  it('refuses introspection through every door, and suggests no name', async () => {
    const options = await testServer({ EPOCHCAST_INTROSPECTION: '0' })
    for (const door of DOOR_NAMES) {
      for (const query of [
        '{ __schema { queryType { name } } }',
        '{ __type(name: "Task") { name } }',
        '{ ...F } fragment F on Query { a: __schema { __typename } }',
      ]) {
        const { data, errors } = await ask(door, options, { query })
        expect(data ?? null).toBeNull()
        expect(errors).toMatchObject([
          {
            message: expect.stringContaining('EPOCHCAST_INTROSPECTION'),
            extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
          },
        ])
      }
      const wrong = await ask(door, options, { query: '{ server { versio } }' })
      expect(wrong.errors?.[0]?.message).toBe('Cannot query field "versio" on type "ServerInfo".')
      const variables = { input: { trainr: 'external' } }
      const query = 'mutation ($input: StartTrainingInput!) { startTraining(input: $input) { task { id } } }'
      if (door === 'GET') continue
      const input = await ask(door, options, { query, variables })
      expect(JSON.stringify(input.errors)).not.toContain('Did you mean')
      expect((await ask(door, options, { query: '{ __typename }' })).data).toEqual({ __typename: 'Query' })
    }
    const taskId = await startExternal(options.url)
    expect(taskId).toBeTypeOf('string')
  })
})

it('what failed unexpectedly is masked in the same way by every door', async () => {
  const options = await testServer()
  const seen: Data[] = []
  const { MemoryStore } = await import('../../src/event-log/memory.ts')
  const status = MemoryStore.prototype.status
  MemoryStore.prototype.status = () => {
    throw new TypeError('secret of the store')
  }
  onTestFinished(() => {
    MemoryStore.prototype.status = status
  })
  for (const door of DOOR_NAMES) {
    const { errors } = await ask(door, options, { query: '{ server { engine { connected } } }' })
    expect(errors).toMatchObject([
      {
        message: 'something went wrong in the server; its log tells more',
        extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: true },
      },
    ])
    seen.push(errors)
  }
  expect(JSON.stringify(seen)).not.toContain('secret')
  const subscription = { query: 'subscription { heartbeat { engine { connected } } }' }
  for (const door of ['server-sent events', 'WebSocket']) {
    const { errors } = await ask(door, options, subscription)
    expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
    expect(JSON.stringify(errors)).not.toContain('secret')
  }
})
