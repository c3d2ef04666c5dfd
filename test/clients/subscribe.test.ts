import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createResumingClient, HeartbeatDocument } from '../../clients/typescript/index.ts'
import { type Respond, scripted, sendAtOnce } from './support/scripted-server.ts'
import { testClient } from './support/server.ts'

const beat = (id: string, sequence: number) => ({
  id,
  type: 'next',
  payload: { data: { heartbeat: { sequence } } },
})
const failed = (id: string, extensions = {}) => ({
  id,
  type: 'next',
  payload: { data: null, errors: [{ message: 'no', extensions }] },
})

/** The second subscription fails, and completes right behind; after that the first one goes on. */
function failingBesideAnother(extensions = {}): Respond[] {
  let first = ''
  return [
    (socket, id) => {
      first = id
      sendAtOnce(socket, beat(id, 1))
    },
    (socket, id) => {
      sendAtOnce(socket, failed(id, extensions), { id, type: 'complete' })
      // Two round trips later the client has closed the socket, if it ever will.
      socket.ping()
      socket.once('pong', () => {
        socket.ping()
        socket.once('pong', () => sendAtOnce(socket, beat(first, 2)))
      })
    },
  ]
}

it('a subscription that fails with a result leaves those beside it alone', async () => {
  const client = testClient((await scripted(failingBesideAnother())).url)
  const beats = client.subscribe(HeartbeatDocument, {})
  await beats.next()
  await expect(client.subscribe(HeartbeatDocument, {}).next()).rejects.toMatchObject({ message: 'no' })
  expect((await beats.next()).value?.heartbeat.sequence).toBe(2)
})

it('one of a resuming client does so, too', async () => {
  const { url, received } = await scripted(failingBesideAnother({ retryable: true, retryAfterMs: 60_000 }))
  const client = createResumingClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket })
  const query = 'subscription { heartbeat { sequence } }'
  const beats = client.iterate({ query })
  await beats.next()
  const waiting = client.iterate({ query })
  expect((await beats.next()).value?.data).toEqual({ heartbeat: { sequence: 2 } })
  expect(received).toHaveLength(2)
  await waiting.return?.()
  await beats.return?.()
  await client.dispose()
})
