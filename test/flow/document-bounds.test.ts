import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/task/limits.ts'
import { type Asked, ask, DOOR_NAMES } from '../support/doors.ts'
import { testServer } from '../support/server.ts'

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ')
const version = '{ server { version } }'

/** Documents of a size, which are valid where they are as large as they may be. */
const BOUNDS: readonly [
  bound: keyof typeof LIMITS,
  code: string,
  document: (size: number) => Asked,
  message: (size: number) => string,
][] = [
  [
    'documentBytes',
    'DOCUMENT_TOO_LARGE',
    (size) => ({ query: `${version} #é`.padEnd(size - 1, 'x') }),
    (size) => `the document has ${size} bytes`,
  ],
  [
    'documentTokens',
    'DOCUMENT_TOO_LARGE',
    (size) => ({ query: `${version}\n${'#\n'.repeat(size - 6)}` }),
    (size) => `the document has ${size} tokens`,
  ],
  [
    'documentNameLength',
    'DOCUMENT_TOO_LARGE',
    (size) => ({ query: `{ server { ${'x'.repeat(size)}: version } }` }),
    (size) => `the document has the name "${'x'.repeat(80)}"… (${size} characters)`,
  ],
  [
    'documentNesting',
    'QUERY_TOO_COMPLEX',
    (size) => ({ query: `${'{ ... '.repeat(size - 2)} ${version} ${'}'.repeat(size - 2)}` }),
    (size) => `the document has ${size} brackets within each other`,
  ],
  [
    'queryDepth',
    'QUERY_TOO_COMPLEX',
    (size) => ({
      query: `{ ...F } fragment F on Query { __type(name: "Task") { ${'ofType { '.repeat(size - 2)} name ${'}'.repeat(size - 2)} } }`,
    }),
    (size) => `the query's depth is ${size}`,
  ],
  [
    'documentOperations',
    'QUERY_TOO_COMPLEX',
    (size) => ({ query: times(size, (i) => `query Q${i} ${version}`), operationName: 'Q1' }),
    (size) => `the document has ${size} operations`,
  ],
  [
    'documentFragments',
    'QUERY_TOO_COMPLEX',
    (size) => ({
      query: `{ server { ${times(size, (i) => `...F${i}`)} } } ${times(size, (i) => `fragment F${i} on ServerInfo { a${i}: version }`)}`,
    }),
    (size) => `the document has ${size} fragments`,
  ],
  [
    'documentFields',
    'QUERY_TOO_COMPLEX',
    (size) => ({
      // 20 operations of 50 fields, the last one of more where the size is no multiple of 50.
      query: `${times(19, (i) => `query Q${i} { ...F }`)} query Last { server { ${'version '.repeat(49)} } ${times(size - 1000, () => '__typename')} } fragment F on Query { server { ${'version '.repeat(49)} } }`,
      operationName: 'Q1',
    }),
    (size) => `the document has ${size} fields (those of a fragment counted wherever it is spread)`,
  ],
  [
    'documentAliases',
    'QUERY_TOO_COMPLEX',
    (size) => ({
      query: `{ server { ...F ${times(size - 100, (i) => `b${i}: version`)} } } fragment F on ServerInfo { ${times(100, (i) => `a${i}: version`)} }`,
    }),
    (size) => `the document has ${size} aliases (those of a fragment counted wherever it is spread)`,
  ],
  [
    'documentIntrospections',
    'QUERY_TOO_COMPLEX',
    (size) => ({
      query: `{ ...F ${times(size - 1, (i) => `a${i}: __schema { queryType { name } }`)} } fragment F on Query { __type(name: "Task") { name } }`,
    }),
    (size) =>
      `the document asks for the schema ${size} times (those of a fragment counted wherever it is spread)`,
  ],
  [
    'fieldRepeats',
    'QUERY_TOO_COMPLEX',
    (size) => ({
      query: `{ server { engine { ...F } ... { engine { ${'name '.repeat(size - 1)} } } } } fragment F on EngineStatus { name }`,
    }),
    (size) => `the field "server.engine.name" is selected ${size} times`,
  ],
  [
    'rootFields',
    'QUERY_TOO_COMPLEX',
    (size) => ({ query: `{ ${times(size, (i) => `a${i}: __typename`)} }` }),
    (size) => `an operation has ${size} fields at its root`,
  ],
  [
    'operationVariables',
    'QUERY_TOO_COMPLEX',
    (size) => ({
      query: `query (${times(size, (i) => `$v${i}: Boolean = true`)}) { server { ${times(size, (i) => `a${i}: version @include(if: $v${i})`)} } }`,
    }),
    (size) => `an operation has ${size} variables`,
  ],
]

describe.each(BOUNDS)('%s', (bound, code, document, message) => {
  const max = LIMITS[bound] as number

  it.each(DOOR_NAMES)('is kept by %s: one that is at it runs, and one more is refused', async (door) => {
    const server = await testServer()
    // Node takes 16 KiB of headers, the path among them.
    if (door === 'GET' && (document(max).query?.length ?? 0) > 10_000) return
    const { data, errors } = await ask(door, server, document(max))
    expect(errors).toBeUndefined()
    expect(Object.keys(data).length).toBeGreaterThan(0)
    const refused = await ask(door, server, document(max + 1))
    expect(refused.errors).toHaveLength(1)
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code, retryable: false })
    expect(refused.errors?.[0]?.message).toContain(`${message(max + 1)}; expected`)
    expect(refused.errors?.[0]?.message).toContain(`at most ${max}`)
  })
})

describe('a document', () => {
  it.each<[string, string, string, RegExp]>([
    [
      'of fragments that double at each level',
      `{ ...F0 } ${times(60, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)} fragment F60 on Query { server { version } }`,
      'QUERY_TOO_COMPLEX',
      /has over 9007199254740991 fields/,
    ],
    [
      'of unused fragments of one name',
      `${version} ${times(30, () => `fragment F on ServerInfo { ${'version '.repeat(40)} }`)}`,
      'QUERY_TOO_COMPLEX',
      /has 1202 fields/,
    ],
    [
      'of spreads of a fragment that is not there',
      `{ ${'...No '.repeat(1001)} }`,
      'QUERY_TOO_COMPLEX',
      /has 1001 fields/,
    ],
    [
      'of fragments in a circle',
      `{ ...F0 } ${times(100, (i) => `fragment F${i} on Query { server { version } ...F${(i + 1) % 100} }`)}`,
      'GRAPHQL_VALIDATION_FAILED',
      /the fragment "F0" is spread within itself/,
    ],
    [
      'of a fragment within itself',
      '{ ...F } fragment F on Query { ... { ...F } }',
      'GRAPHQL_VALIDATION_FAILED',
      /the fragment "F" is spread within itself/,
    ],
    [
      'of 9 directives at a field',
      `{ server ${'@include(if: true) '.repeat(9)} { version } }`,
      'QUERY_TOO_COMPLEX',
      /there are 9 directives at one place; expected at most 8/,
    ],
    [
      'of 9 directives at a variable, a fragment or a spread',
      `query ($v: Int ${'@a '.repeat(9)}) { __typename }`,
      'QUERY_TOO_COMPLEX',
      /9 directives/,
    ],
    [
      'of 2000 lists within each other',
      `{ task(id: ${'['.repeat(2000)}`,
      'QUERY_TOO_COMPLEX',
      /2002 brackets/,
    ],
    [
      'of 1000 types within each other',
      `query ($v: ${'['.repeat(1000)}`,
      'QUERY_TOO_COMPLEX',
      /1001 brackets/,
    ],
    [
      'of objects within each other',
      `{ task(id: ${'{a:'.repeat(1000)}1${'}'.repeat(1000)}) { id } }`,
      'QUERY_TOO_COMPLEX',
      /1002 brackets/,
    ],
    [
      'with a name of 60000 characters',
      `{ server { ${'v'.repeat(60_000)} } }`,
      'DOCUMENT_TOO_LARGE',
      /60000 characters/,
    ],
    ['that is binary', '\u0000\u0001', 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    ['that is wrong behind 5001 tokens', `${'{ '.repeat(5001)} \u0000`, 'DOCUMENT_TOO_LARGE', /5001 tokens/],
  ])('%s is refused by every door', async (_, query, code, message) => {
    const server = await testServer()
    for (const door of DOOR_NAMES) {
      if (door === 'GET' && encodeURIComponent(query).length > 14_000) continue
      const { errors } = await ask(door, server, { query })
      expect({ door, code: errors?.[0]?.extensions.code }).toEqual({ door, code })
      expect(errors?.[0]?.message).toMatch(message)
    }
  })

  it('is told ten things that do not fit, and that there are more', async () => {
    const server = await testServer()
    for (const door of DOOR_NAMES) {
      const ten = await ask(door, server, { query: `{ server { ${times(10, (i) => `wrong${i}`)} } }` })
      expect(ten.errors).toHaveLength(10)
      const eleven = await ask(door, server, { query: `{ server { ${times(400, (i) => `wrong${i}`)} } }` })
      expect(eleven.errors).toHaveLength(11)
      expect(eleven.errors?.[10]?.message).toMatch(/error limit reached/)
    }
  })

  it('of GraphiQL and a full introspection are far from every bound', async () => {
    const { getIntrospectionQuery } = await import('graphql')
    const { graphiqlExamples } = await import('../../src/transport/graphiql.ts')
    const server = await testServer()
    const schema = await ask('POST', server, { query: getIntrospectionQuery() })
    expect(schema.errors).toBeUndefined()
    const { data } = await ask('POST', server, { query: graphiqlExamples, operationName: 'Server' })
    expect(data.server.version).toBeTypeOf('string')
  })
})

it('the variables of a subscription are bounded, as they are kept as long as it is', async () => {
  const server = await testServer()
  const query = 'subscription ($by: Int!) { heartbeat(intervalMs: $by) { sequence } }'
  const variables = (bytes: number) => {
    const empty = JSON.stringify({ by: 1000, more: '' }).length
    return { by: 1000, more: 'x'.repeat(bytes - empty) }
  }
  const refused = /^the variables of the subscription are 65537 bytes of JSON; expected at most 65536$/
  const { errors } = await ask('server-sent events', server, { query, variables: variables(65_537) })
  expect(errors).toMatchObject([
    { message: expect.stringMatching(refused), extensions: { code: 'BAD_INPUT' } },
  ])
  const socket = await ask('WebSocket', server, { query, variables: variables(65_537) })
  expect(socket.errors).toEqual(errors)
  const taken = await ask('WebSocket', server, { query, variables: variables(65_536) })
  expect(taken.data.heartbeat.sequence).toBe(1)
})

it('an input of very many unknown fields is refused with words that are not many', async () => {
  const server = await testServer()
  const query = 'mutation ($input: StartTrainingInput!) { startTraining(input: $input) { task { id } } }'
  const input = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`epoch_${i}`, i]))
  const few = await ask('POST', server, { query, variables: { input: input(20) } })
  expect(few.errors).toHaveLength(11)
  for (const door of ['POST', 'POST with a query string', 'WebSocket']) {
    const { errors } = await ask(door, server, { query, variables: { input: input(50_000) } })
    expect(errors).toMatchObject([
      {
        message: 'input has the field "epoch_0"; expected only fields of StartTrainingInput',
        extensions: { code: 'BAD_INPUT', retryable: false },
      },
    ])
    expect(JSON.stringify(errors).length).toBeLessThan(2000)
  }
})

it('an operationName that no operation can have is refused, and one that none has', async () => {
  const server = await testServer()
  const query = 'query Version { server { version } }'
  for (const door of DOOR_NAMES) {
    const long = await ask(door, server, { query, operationName: 'x'.repeat(129) })
    expect(long.errors).toMatchObject([
      {
        message: expect.stringMatching(/\(129 characters\); expected at most 128 characters$/),
        extensions: { code: 'BAD_REQUEST' },
      },
    ])
    const unknown = await ask(door, server, { query, operationName: 'x'.repeat(128) })
    expect(unknown.errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST', retryable: false } }])
  }
})
