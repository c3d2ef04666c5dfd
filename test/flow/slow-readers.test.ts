import { request } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { COSTLY, describeEngines } from '../support/engines.ts'
import { type Data, report, startExternal, WATCH } from '../support/graphql.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const EVENTS = 5000
/** With its message an event is about 2 KB, so all of them are far more than the system buffers for a socket. */
const message = 'x'.repeat(2000)
/** One event in hand, and what Node's own streams hold. */
const MOST_BUFFERED_BYTES = 256 * 1024

interface Reader {
  /** `current` of every progress event that was read so far. */
  readonly seen: number[]
  readonly isComplete: () => boolean
  pause(): void
  resume(): void
}

function webSocketReader(url: string, taskId: string): Reader {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
  onTestFinished(() => socket.terminate())
  const seen: number[] = []
  let complete = false
  socket.on('open', () => socket.send('{"type":"connection_init"}'))
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data))
    if (type === 'connection_ack') {
      socket.send(
        JSON.stringify({
          id: '1',
          type: 'subscribe',
          payload: { query: WATCH, variables: { taskId, last: 10 } },
        }),
      )
    }
    if (type === 'next') note(seen, payload)
    if (type === 'complete') complete = true
  })
  return { seen, isComplete: () => complete, pause: () => socket.pause(), resume: () => socket.resume() }
}

function sseReader(url: string, taskId: string): Reader {
  const seen: number[] = []
  let complete = false
  let pause = () => {}
  let resume = () => {}
  const sse = request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  })
  onTestFinished(() => void sse.destroy())
  sse.end(JSON.stringify({ query: WATCH, variables: { taskId, last: 10 } }))
  sse.on('response', (response) => {
    response.setEncoding('utf8')
    pause = () => response.pause()
    resume = () => response.resume()
    let text = ''
    response.on('data', (chunk: string) => {
      text += chunk
      const messages = text.split('\n\n')
      text = messages.pop() ?? ''
      for (const each of messages) {
        if (each.startsWith('event: complete')) complete = true
        const [, data] = /^id: \S+\nevent: next\ndata: (.*)$/s.exec(each) ?? []
        if (data) note(seen, JSON.parse(data))
      }
    })
  })
  return { seen, isComplete: () => complete, pause: () => pause(), resume: () => resume() }
}

function note(seen: number[], { data }: Data): void {
  if (data.trainingProgress.__typename === 'ProgressUpdate') seen.push(data.trainingProgress.current)
}

/** Carried by every event that is delivered: 100 numbers, about 2 KB. */
const METRICS = Object.fromEntries(range(1, 100).map((i) => [`metric_${i}`, Math.sqrt(i)]))

describeEngines((openServer) => {
  it.each([
    ['over WebSocket', webSocketReader],
    ['of server-sent events', sseReader],
  ])(
    'a subscriber %s that does not read for a while costs bounded memory and then catches up',
    async (_, open) => {
      const { url, gauges } = await openServer({ EPOCHCAST_RETAIN_EVENTS: '10000' })
      const taskId = await startExternal(url)
      const reader = open(url, taskId)
      const quick = webSocketReader(url, taskId)
      await report(url, taskId, { progress: { current: 1, message } })
      await until('both to read', () => reader.seen.length === 1 && quick.seen.length === 1)

      reader.pause()
      let most = 0
      for (let from = 2; from <= EVENTS; from += 100) {
        await report(
          url,
          taskId,
          ...range(from, Math.min(EVENTS, from + 99)).map((current) => ({
            progress: { current, metrics: METRICS },
          })),
        )
        most = Math.max(most, gauges().bufferedBytes)
      }
      await report(url, taskId, { success: {} })
      // The slow one slows nobody.
      await until('the quick one to be through', () => quick.isComplete(), 20_000)
      expect(quick.seen).toEqual(range(1, EVENTS))
      most = Math.max(most, gauges().bufferedBytes)
      expect(reader.seen.length).toBeLessThan(EVENTS / 2)
      expect(reader.isComplete()).toBe(false)
      expect(most).toBeLessThan(MOST_BUFFERED_BYTES)

      reader.resume()
      await until('the slow one to catch up', () => reader.isComplete(), 20_000)
      expect(reader.seen).toEqual(range(1, EVENTS))
    },
  )
}, COSTLY)
