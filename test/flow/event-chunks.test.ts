import { describe, expect, it } from 'vitest'
import { progressReports, report, startExternal } from '../support/graphql.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

describe('events on the wire', () => {
  it('are chunks of which each is whole, to HTTP/1.0 and to HEAD none', async () => {
    const { url, gauges } = await testServer()
    const id = await startExternal(url)
    const path = `/events/gan/training/${id}`
    const ask = (method: string, version: string) =>
      new RawConnection(url).write(`${method} ${path} HTTP/${version}\r\nHost: 127.0.0.1\r\n\r\n`)
    const [chunked, old, head] = [ask('GET', '1.1'), ask('GET', '1.0'), ask('HEAD', '1.1')]
    await until('both to be open', () => [chunked, old].every(({ text }) => text.includes('StreamOpened')))
    await until('the head', () => head.text.endsWith('\r\n\r\n'))
    await until('nothing to be left of it', () => gauges().subscriptions === 2)
    // Live, for several at once: what is written to them was made once.
    for (let step = 1; step <= 5; step++) await report(url, id, ...progressReports(step, step))
    await report(url, id, ...progressReports(6, 20), { success: { result: { text: 'grün …' } } })
    await until('the ends', () => old.isEnded && chunked.text.endsWith('\r\n0\r\n\r\n'))
    const body = unchunked(bodyOf(chunked.text))
    // Each opening and closing has a time of its own.
    const events = (text: string) =>
      text.slice(text.indexOf('StatusChanged')).replace(/"timestamp":"[^"]*"}\s*$/, '')
    expect(events(body)).toBe(events(bodyOf(old.text)))
    expect(stepsIn(body)).toEqual(range(1, 20))
    expect(Buffer.from(body, 'latin1').toString()).toContain('grün …')
    expect(bodyOf(head.text)).toBe('')
  })

  it('of a stream behind another response on its connection come after that', async () => {
    const { url } = await testServer()
    const id = await startExternal(url)
    const path = `/events/gan/training/${id}`
    const raw = new RawConnection(url).write(
      `GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
    )
    await until('the opening', () => raw.text.includes('StreamOpened'))
    await report(url, id, ...progressReports(1, 5), { success: {} })
    await until('the end', () => raw.text.endsWith('\r\n0\r\n\r\n'))
    expect(raw.statuses).toEqual([200, 200])
    const events = unchunked(bodyOf(raw.text.slice(raw.text.lastIndexOf('HTTP/1.1 200'))))
    expect(stepsIn(events)).toEqual(range(1, 5))
  })
})

/** The body, where every chunk is as long as it says and holds whole events. */
function unchunked(chunks: string): string {
  let body = ''
  for (let at = 0; ; ) {
    const lineEnd = chunks.indexOf('\r\n', at)
    const size = Number.parseInt(chunks.slice(at, lineEnd), 16)
    const chunk = chunks.slice(lineEnd + 2, lineEnd + 2 + size)
    expect(chunks.slice(lineEnd + 2 + size, lineEnd + 4 + size)).toBe('\r\n')
    if (size === 0) return body
    expect(chunk.endsWith('\n\n')).toBe(true)
    body += chunk
    at = lineEnd + 4 + size
  }
}

const bodyOf = (response: string): string => response.slice(response.indexOf('\r\n\r\n') + 4)

const stepsIn = (body: string): number[] =>
  [...body.matchAll(/^data: \{"type":"ProgressUpdate","current":(\d+)/gm)].map(([, step]) => Number(step))
