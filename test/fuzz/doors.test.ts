import { connect } from 'node:net'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/task/position.ts'
import { post, REPORT, run, startExternal } from '../support/graphql.ts'
import { clientFrame, UPGRADE } from '../support/raw-connection.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { EFFORT, mutated, TIME_LIMIT_MS } from './mutations.ts'

/*
 * Inputs of the corpus (`corpus.json`) with edits at random, through real sockets: whatever comes in, the server does not
 * fail, says nothing of its insides, and has nothing left of it afterwards. `EPOCHCAST_FUZZ_SECONDS=60 npx vitest run
 * test/fuzz` goes on for a minute each; a failure names its seed and its input, which belongs into the corpus.
 */

const SHORT = {
  EPOCHCAST_MAX_STREAM_SECONDS: '1',
  EPOCHCAST_MAX_STATE_STREAM_SECONDS: '1',
  EPOCHCAST_MAX_TASKS_PER_ADDRESS: '0',
  EPOCHCAST_STARTS_PER_HOUR: '0',
}
const SECRET = /INTERNAL_SERVER_ERROR|node_modules|Maximum call stack|\.ts:\d+:\d+/
/** After which a connection that is still open is left once something has come: a stream, or one that waits for more. */
const PATIENCE_MS = 100
const DEADLINE_MS = 5000

/** All that comes for some bytes, as characters of one byte. */
function exchange(url: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', (data) => {
      // Of GraphiQL, the beginning is enough.
      if (text.length < 100_000) text += data
      else socket.destroy()
    })
    socket.on('error', () => {})
    let timer = setTimeout(() => socket.destroy(), DEADLINE_MS)
    socket.once('data', () => {
      clearTimeout(timer)
      timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
    socket.end(bytes)
  })
}

async function expectNothingLeft({ url, gauges }: TestServer): Promise<void> {
  expect((await run(url, '{ server { version } }')).server).toBeTruthy()
  const left = () => {
    const { sockets, subscriptions, receivedBytes, bufferedBytes, queries, feeds, updateSubscribers } =
      gauges()
    return { sockets, subscriptions, receivedBytes, bufferedBytes, queries, feeds, updateSubscribers }
  }
  const nothing = Object.fromEntries(Object.keys(left()).map((name) => [name, 0]))
  await expect.poll(left, { timeout: 10_000 }).toEqual(nothing)
}

it('requests, as bytes', { timeout: TIME_LIMIT_MS }, async () => {
  const server = await testServer(SHORT)
  await fc.assert(
    fc.asyncProperty(mutated('http'), async (text) => {
      const response = await exchange(server.url, Buffer.from(text, 'latin1'))
      expect(response).not.toMatch(SECRET)
      // 503 is a refusal in words; nothing else of ours fails.
      for (const [, status] of response.matchAll(/^HTTP\/1\.1 (\d{3})/gm))
        expect(status).toMatch(/^[1234]|503/)
    }),
    EFFORT,
  )
  await expectNothingLeft(server)
})

const message = mutated('messages')
const frames = fc.array(
  fc.record({
    text: message,
    opcode: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, fc.nat(15)),
    isFinal: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.boolean()),
    isCompressed: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.boolean()),
    /** Bytes that the header promises beyond those that come, or fewer. */
    off: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: -5, max: 5 })),
  }),
  { minLength: 1, maxLength: 6 },
)

it.each(['0', '1'])(
  'frames of a WebSocket, as bytes (compression: %s)',
  { timeout: TIME_LIMIT_MS },
  async (compression) => {
    const server = await testServer({ ...SHORT, EPOCHCAST_COMPRESSION: compression })
    const upgrade = UPGRADE.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n')
    await fc.assert(
      fc.asyncProperty(fc.boolean(), frames, async (isOpened, sent) => {
        const init = isOpened ? [clientFrame('{"type":"connection_init"}')] : []
        const bytes = sent.map(({ text, off, ...rest }) => {
          const payload = Buffer.byteLength(text)
          return clientFrame(text, { ...rest, length: Math.max(0, payload + off) })
        })
        const text = await exchange(server.url, Buffer.concat([Buffer.from(upgrade), ...init, ...bytes]))
        expect(text).toMatch(/^HTTP\/1\.1 101/)
        expect(text).not.toMatch(SECRET)
      }),
      EFFORT,
    )
    await expectNothingLeft(server)
  },
)

it('query strings', { timeout: TIME_LIMIT_MS }, async () => {
  const server = await testServer(SHORT)
  await fc.assert(
    fc.asyncProperty(mutated('urls'), async (search) => {
      // A space, or the end of a line, would end the target.
      const target = `/graphql?${search.replaceAll(/[\s\p{Cc}]/gu, '+')}`
      const request = `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nConnection: close\r\n\r\n`
      const response = await exchange(server.url, Buffer.from(request, 'latin1'))
      expect(response).not.toMatch(SECRET)
      expect(response).toMatch(/^HTTP\/1\.1 [234]\d\d /)
    }),
    EFFORT,
  )
  await expectNothingLeft(server)
})

it('cursors', { timeout: TIME_LIMIT_MS }, async () => {
  const server = await testServer(SHORT)
  const { url } = server
  const id = await startExternal(url)
  const key = { channelPrefix: 'gan:training', id }
  await run(url, REPORT, { input: { taskId: id, reports: [{ progress: { current: 1 } }] } })
  const { task } = await run(url, 'query ($id: ID!) { task(id: $id) { cursor } }', { id })
  const [mark, generation] = task.cursor.split('.')
  const query =
    'query ($id: ID!, $after: Cursor!) { task(id: $id) { events(after: $after) { edges { cursor } } } }'
  await fc.assert(
    fc.asyncProperty(mutated('cursors'), async (shape) => {
      const after = shape.replace('{mark}', mark).replace('{generation}', generation)
      const { data, errors = [] } = await post(url, query, { id, after })
      for (const { extensions } of errors)
        expect(['BAD_CURSOR', 'CURSOR_OF_ANOTHER_TASK', 'CURSOR_AHEAD', 'BAD_INPUT']).toContain(
          extensions.code,
        )
      if (errors.length > 0) return
      // What is taken says where it stands, and its events come after that.
      const position = decodeCursor(key, after)
      expect(Number.isSafeInteger(position.offset)).toBe(true)
      expect(decodeCursor(key, encodeCursor(key, position))).toEqual(position)
      for (const { cursor } of data.task.events.edges) {
        const found = decodeCursor(key, cursor)
        if (found.generation === position.generation) expect(found.offset).toBeGreaterThan(position.offset)
      }
    }),
    EFFORT,
  )
  await expectNothingLeft(server)
})

it('reports: the fast path and graphql-js say the same, and leave the same', {
  timeout: TIME_LIMIT_MS,
}, async () => {
  const server = await testServer(SHORT)
  const { url } = server
  const STATE =
    'query ($id: ID!) { task(id: $id) { status stage current total progress epoch totalEpochs round totalRounds step loss metrics message result error { message type } series { name member phase points { step epoch value } } } }'
  const send = async (door: string, taskId: string, reports: string) => {
    // As text: JSON.stringify could not write all of it.
    const body = `{"query":${JSON.stringify(REPORT)},"variables":{"input":{"taskId":"${taskId}","reports":${reports}}}}`
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const response = await fetch(door, { method: 'POST', headers, body: Buffer.from(body, 'latin1') })
    const text = await response.text()
    expect(text).not.toMatch(SECRET)
    const { data, errors } = JSON.parse(text)
    const codes = errors?.map(({ extensions }: { extensions: { code: string } }) => extensions.code)
    return { codes, accepted: data?.reportMetrics?.accepted }
  }
  await fc.assert(
    fc.asyncProperty(fc.array(mutated('reports'), { minLength: 1, maxLength: 3 }), async (calls) => {
      const ids = [await startExternal(url), await startExternal(url)] as const
      for (const reports of calls) {
        const [fast, slow] = [await send(url, ids[0], reports), await send(`${url}?`, ids[1], reports)]
        expect(fast).toEqual(slow)
      }
      const [fast, slow] = await Promise.all(ids.map((id) => run(url, STATE, { id })))
      // Times are those of the server, and differ.
      const timeless = (state: unknown) => JSON.stringify(state).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
      expect(timeless(fast)).toBe(timeless(slow))
    }),
    EFFORT,
  )
  await expectNothingLeft(server)
})
