import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import type { EventBatch } from '../../../src/delivery/outlet.ts'
import { framesOf } from '../../../src/transport/websocket/frames.ts'
import { idText, NEXT } from '../../../src/transport/websocket/graphql-ws-outlet.ts'
import { SocketWriter } from '../../../src/transport/websocket/socket-writer.ts'
import { batchOf } from '../../support/delivery.ts'
import { type Connected, connected } from '../../support/sockets.ts'
import { range } from '../../support/tasks.ts'
import { until } from '../../support/until.ts'

const AROUND = '{"id":"","type":"next","payload":}'.length
const BOUND = 65_536

const message = (id: string, text: string) => `{"id":"${idText(id)}","type":"next","payload":${text}}`

/** A JSON string of so many bytes, of characters of one to four bytes. */
function textOf(bytes: number, seed = 0): string {
  const characters = ['x', 'é', '€', '👍'][seed % 4] as string
  const room = Math.max(0, bytes - 2)
  const repeated = characters.repeat(Math.floor(room / Buffer.byteLength(characters)))
  return `"${repeated.padEnd(repeated.length + room - Buffer.byteLength(repeated), '.')}"`
}

/** Sends what fits, as messages of an operation. */
const send = (writer: SocketWriter, id: string, batch: EventBatch, from: number) =>
  writer.sendBatch(NEXT, id, batch, from, batch.texts.length)

/** Sends all of a batch, as far at a time as it goes. */
async function sendAll(outlet: SocketWriter, id: string, batch: EventBatch, from = 0): Promise<void> {
  for (let at = from; at < batch.texts.length; ) {
    at = send(outlet, idText(id), batch, at)
    if (at < batch.texts.length) await outlet.drained()
  }
}

const outletOf = ({ peer, socket }: Connected, maxBufferedBytes = BOUND) =>
  new SocketWriter(peer, socket, maxBufferedBytes)

const oddId = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    minLength: 1,
    maxLength: 8,
  }),
  fc.uuid(),
  fc.constantFrom(
    '1',
    '2',
    '9',
    '"',
    '\\',
    '\\u0000',
    '\u0000',
    '\u007f',
    '\u2028',
    '\ud83d',
    '👍',
    'é',
    '","type":"',
  ),
)

describe('what a client reads', () => {
  it('is one message for each result, whatever the ids, the sizes and the places in the batch', async () => {
    const plain = await connected()
    const tight = await connected({ room: 700 })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(plain, tight),
        fc.constantFrom(4096, BOUND),
        fc.uniqueArray(oddId, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.constantFrom(0, 126, 65_536), fc.integer({ min: -3, max: 3 }), fc.nat(3)), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 8 }),
        async (link, bound, ids, sizes, sends) => {
          const outlet = outletOf(link, bound)
          const [{ length: idLength }] = ids.map(idText) as [string]
          // The edges of the three kinds of headers, for the first of the ids.
          const batch = batchOf(
            sizes.map(([size, off, seed]) => textOf(size === 0 ? 2 : size + off - AROUND - idLength, seed)),
          )
          const expected: string[] = []
          link.texts.length = 0
          for (const [who, where] of sends) {
            const id = ids[who % ids.length] as string
            const from = where % batch.texts.length
            await sendAll(outlet, id, batch, from)
            expected.push(...batch.texts.slice(from).map((text) => message(id, text)))
          }
          await until('all messages', () => link.texts.length >= expected.length)
          expect(link.texts.map((text) => JSON.parse(text).id)).toEqual(
            expected.map((text) => JSON.parse(text).id),
          )
          expect(link.texts).toEqual(expected)
        },
      ),
      { numRuns: 150, interruptAfterTimeLimit: 8_000 },
    )
  })

  it.each([124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537])('is whole at %i bytes', async (bytes) => {
    const link = await connected()
    const text = textOf(bytes - AROUND - 36)
    expect(Buffer.byteLength(message('x'.repeat(36), text))).toBe(bytes)
    const batch = batchOf([text, text])
    for (const id of ['a', 'b', 'c']) await sendAll(outletOf(link), id.repeat(36), batch)
    await until('all messages', () => link.texts.length === 6)
    expect(link.texts).toEqual([...'aabbcc'].map((id) => message(id.repeat(36), text)))
  })

  it('has its own id, though the frames are those of all', async () => {
    const links = await Promise.all(range(1, 12).map((i) => connected(i % 3 ? {} : { room: 300 })))
    // More lengths than a batch keeps frames of.
    const idOf = (i: number) => `${'x'.repeat(i % 7)}${i.toString(36)}`
    const batches = range(1, 40).map((i) => batchOf(range(1, (i % 5) + 1).map((k) => textOf(50 * k + i, k))))
    await Promise.all(
      links.map(async (link, i) => {
        const outlet = outletOf(link, 4096)
        for (const batch of batches) await sendAll(outlet, idOf(i), batch)
      }),
    )
    const texts = batches.flatMap((batch) => batch.texts)
    for (const [i, link] of links.entries()) {
      await until('all messages', () => link.texts.length === texts.length)
      expect(link.texts).toEqual(texts.map((text) => message(idOf(i), text)))
    }
  })

  it.each([
    ['where the system takes nothing more', undefined],
    ['where the system takes part of it', 1000],
  ])('is not changed by what is sent to others meanwhile, %s', async (_, room) => {
    const slow = await Promise.all(range(1, 3).map(() => connected(room === undefined ? {} : { room })))
    const quick = await connected()
    const outlets = [...slow, quick].map((link) => outletOf(link))
    const ids = ['slow-1', 'slow-2', 'slow-3', 'quick!']
    for (const { client } of slow) client.pause()
    const sent: string[][] = ids.map(() => [])
    const isFull = () => outlets.slice(0, 3).every((outlet) => outlet.bufferedBytes > BOUND / 2)
    // Some batches that are held by several sockets at once, with others patched in between.
    for (let round = 0; round < 5000 && !isFull(); round++) {
      const batch = batchOf(range(1, 6).map((i) => textOf(3000 + 500 * i, round + i)))
      for (const turn of [0, 1]) {
        for (const [i, outlet] of outlets.entries()) {
          const from = (turn * (round + i)) % 6
          const to = send(outlet, ids[i] as string, batch, from)
          sent[i]?.push(...batch.texts.slice(from, to).map((text) => message(ids[i] as string, text)))
        }
      }
      await outlets[3]?.drained()
    }
    expect(isFull()).toBe(true)
    for (const { client } of slow) client.resume()
    for (const [i, link] of [...slow, quick].entries()) {
      const expected = sent[i] as string[]
      await until('all messages', () => link.texts.length >= expected.length)
      expect(link.texts.length).toBe(expected.length)
      expect(link.texts.findIndex((text, at) => text !== expected[at])).toBe(-1)
    }
  })

  it('has pings, pongs and messages of the protocol between whole results, also where it reads slowly', async () => {
    const link = await connected({ room: 2000 })
    const outlet = outletOf(link, 8192)
    const [pings, pongs]: [string[], string[]] = [[], []]
    link.client.on('ping', (data) => pings.push(String(data)))
    link.client.on('pong', (data) => pongs.push(String(data)))
    link.client.pause()
    const expected: string[] = []
    const batch = batchOf(range(1, 4).map((i) => textOf(700 * i, i)))
    const sending = (async () => {
      for (const i of range(1, 50)) {
        link.peer.ping(`ping ${i}`)
        link.client.ping(`pong ${i}`)
        await sendAll(outlet, `id ${i}`, batch)
        expected.push(...batch.texts.map((text) => message(`id ${i}`, text)))
        const own = JSON.stringify({ type: 'pong', payload: { i, text: '👍'.repeat(i * 10) } })
        void outlet.sendMessage(own)
        expected.push(own)
        link.peer.send(`{"by":"the library","i":${i}}`)
        expected.push(`{"by":"the library","i":${i}}`)
      }
    })()
    await until('its socket to be full', () => outlet.bufferedBytes > 4096)
    link.client.resume()
    await sending
    await until('all messages', () => link.texts.length === expected.length)
    expect(link.texts).toEqual(expected)
    expect(pings).toEqual(range(1, 50).map((i) => `ping ${i}`))
    await until('all pongs', () => pongs.length === 50)
  })

  it('ends with the close: nothing comes after it, and it is understood', async () => {
    const link = await connected({ room: 500 })
    const outlet = outletOf(link)
    const batch = batchOf([textOf(4000, 3), textOf(20)])
    const closed = new Promise((resolve) =>
      link.client.on('close', (code, reason) => resolve([code, String(reason), link.texts.length])),
    )
    expect(send(outlet, 'a', batch, 0)).toBe(2)
    link.peer.close(4403, 'enough')
    expect(outlet.isOpen).toBe(false)
    expect(send(outlet, 'a', batch, 0)).toBe(2)
    expect(outlet.sendMessage('"late"')).toBe(undefined)
    await outlet.drained()
    expect(await closed).toEqual([4403, 'enough', 2])
  })

  it('is the same with compression, which the library does', async () => {
    const link = await connected({ compression: true })
    expect(link.client.extensions).toMatch(/permessage-deflate/)
    const outlet = outletOf(link, 8192)
    const texts = range(1, 60).map((i) => textOf(i * 97, i))
    const batch = batchOf(texts)
    const expected: string[] = []
    for (const id of ['a', '👍"', 'b']) {
      await sendAll(outlet, id, batch)
      expected.push(...texts.map((text) => message(id, text)))
      await outlet.sendMessage('{"type":"pong"}')
      expected.push('{"type":"pong"}')
    }
    await until('all messages', () => link.texts.length === expected.length)
    expect(link.texts).toEqual(expected)
  })
})

/** A socket of which nobody ever reads: the system takes nothing. */
function stuck() {
  const chunks: Buffer[] = []
  const socket = new Writable({ highWaterMark: 16_384, write: () => {} })
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
  socket.write = ((chunk: Buffer, ...rest: unknown[]) => {
    if (chunk.length > 0) chunks.push(chunk)
    return write(chunk, ...rest)
  }) as typeof socket.write
  const peer = { OPEN: 1, readyState: 1, extensions: '' } as WebSocket
  const outletWith = (bound: number) =>
    new SocketWriter(peer, socket as unknown as Connected['socket'], bound)
  return { socket, chunks, outletWith }
}

const frameBytes = (id: string, text: string) => {
  const length = Buffer.byteLength(message(id, text))
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10)
}

describe('frames that fit', () => {
  it('are counted to the byte, from any of them on', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 200 }), { minLength: 1, maxLength: 10 }),
        fc.nat(),
        fc.integer({ min: 0, max: 2500 }),
        (sizes, at, room) => {
          const batch = batchOf(sizes.map((size) => textOf(size)))
          const from = at % sizes.length
          let [to, left] = [from, room]
          for (; to < sizes.length; to++) {
            left -= frameBytes('id', batch.texts[to] as string)
            if (left < 0) break
          }
          expect(framesOf(batch, NEXT, 2).fitting(from, room)).toBe(to)
        },
      ),
    )
  })

  it('are none at the end, and none without room', () => {
    const frames = framesOf(batchOf(['1', '2']), NEXT, 1)
    expect(frames.fitting(2, 1000)).toBe(2)
    expect(frames.fitting(0, 0)).toBe(0)
    expect(frames.fitting(1, -1)).toBe(1)
    expect(framesOf(batchOf([]), NEXT, 1).fitting(0, 1000)).toBe(0)
  })
})

describe('the bound of buffered bytes', () => {
  const text = textOf(500)
  const bytes = frameBytes('1', text)
  const batch = () => batchOf(range(1, 10).map(() => text))

  it.each([
    ['exactly as many as fit', 4 * bytes, 4],
    ['one byte less', 4 * bytes - 1, 3],
    ['one byte more', 4 * bytes + 1, 4],
  ])('lets through %s', (_, bound, count) => {
    const { socket, outletWith } = stuck()
    const outlet = outletWith(bound)
    expect(send(outlet, '1', batch(), 0)).toBe(count)
    expect(socket.writableLength).toBe(count * bytes)
    // What is left is less than one.
    expect(send(outlet, '1', batch(), count)).toBe(count)
    expect(socket.writableLength).toBe(count * bytes)
  })

  it('lets one through that is larger, but only where nothing waits', () => {
    const { socket, outletWith } = stuck()
    const large = batchOf([textOf(5000), '1'])
    const outlet = outletWith(4096)
    expect(send(outlet, '1', large, 0)).toBe(1)
    const held = socket.writableLength
    expect(send(outlet, '1', large, 0)).toBe(0)
    expect(send(outlet, '1', large, 1)).toBe(1)
    expect(socket.writableLength).toBe(held)
  })

  it('counts what the protocol and the library have written', async () => {
    const { socket, outletWith } = stuck()
    const outlet = outletWith(10 * bytes)
    void outlet.sendMessage('x'.repeat(9 * bytes))
    expect(send(outlet, '1', batch(), 0)).toBe(0)
    expect(outlet.bufferedBytes).toBe(socket.writableLength)
  })

  it('holds whatever is sent, to a socket that never reads', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.array(fc.array(fc.integer({ min: 2, max: 3000 }), { minLength: 1, maxLength: 20 }), {
          minLength: 1,
        }),
        (bound, sizes) => {
          const { socket, outletWith } = stuck()
          const outlet = outletWith(bound)
          const batches = sizes.map((each) => batchOf(each.map((size) => textOf(size))))
          const largest = Math.max(
            ...batches.flatMap(({ texts }) => texts).map((each) => frameBytes('1', each)),
          )
          for (const each of batches)
            for (let at = 0; at < each.texts.length; at++) send(outlet, '1', each, at)
          expect(socket.writableLength).toBeLessThanOrEqual(Math.max(bound, largest))
        },
      ),
    )
  })

  it.each([
    ['of many results', 256, '1'],
    ['of results of an operation with a long id', 256, 'x'.repeat(20_000)],
  ])('holds for the memory behind the bytes, too: a socket does not keep a batch %s', (_, count, id) => {
    const sockets = range(1, 8).map(() => stuck())
    const large = batchOf(range(1, count).map((i) => textOf(5000, i)))
    for (const { outletWith } of sockets) send(outletWith(BOUND), id, large, 0)
    const kept = new Set(sockets.flatMap(({ chunks }) => chunks.map(({ buffer }) => buffer)))
    const keptBytes = [...kept].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(keptBytes).toBeLessThanOrEqual(sockets.length * (BOUND + frameBytes(id, textOf(5000)) + 8192))
  })
})

describe('a socket that lags', () => {
  it('is drained once all is taken, and as well when it dies', async () => {
    const link = await connected({ room: 500 })
    const outlet = outletOf(link)
    link.client.pause()
    send(outlet, '1', batchOf([textOf(10_000)]), 0)
    let isDrained = false
    const drained = outlet.drained().then(() => {
      isDrained = true
    })
    await until('part of it to be taken', () => outlet.bufferedBytes > 0)
    expect(isDrained).toBe(false)
    link.client.resume()
    await drained
    expect(outlet.bufferedBytes).toBe(0)

    link.client.pause()
    send(outlet, '1', batchOf([textOf(10_000)]), 0)
    const inVain = outlet.drained()
    link.peer.terminate()
    await inVain
    await outlet.drained()
  })

  it('and is compressed is not drained while a ping still waits', async () => {
    let handOver = () => {}
    const webSocket = {
      OPEN: 1,
      readyState: 1,
      extensions: 'permessage-deflate',
      bufferedAmount: 0,
      send: (_text: string, done: () => void) => {
        handOver = done
      },
    }
    const { socket } = stuck()
    const outlet = new SocketWriter(webSocket as unknown as WebSocket, socket as never, 4096)
    send(outlet, '1', batchOf([textOf(100)]), 0)
    handOver()
    // A ping, which the system has no room for.
    socket.write(Buffer.alloc(2))
    webSocket.bufferedAmount = 2
    let isDrained = false
    void outlet.drained().then(() => {
      isDrained = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isDrained).toBe(false)
  })
})

describe('the text of an id', () => {
  it('is ASCII, and read as the id', () => {
    fc.assert(
      fc.property(oddId, (id) => {
        expect(idText(id)).toMatch(/^[ -~]*$/)
        expect(JSON.parse(`"${idText(id)}"`)).toBe(id)
      }),
    )
  })
})
