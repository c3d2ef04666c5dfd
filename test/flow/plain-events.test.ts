import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Operations } from '../../src/transport/operations.ts'
import { openBrowser } from '../support/browser.ts'
import { COSTLY, describeEngines } from '../support/engines.ts'
import { EventReader } from '../support/event-source.ts'
import { type Data, progressReports, report, run, startExternal, WATCH } from '../support/graphql.ts'
import { runProgram } from '../support/program.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { SECRET_ENV, tokenFor } from '../support/tokens.ts'
import { until } from '../support/until.ts'

const eventsUrl = (url: string, id: string, search = '') =>
  `${new URL(`/events/gan/training/${id}`, url)}${search}`
const historyUrl = (url: string, id: string, search = '') =>
  `${new URL(`/history/gan:training/${id}`, url)}${search}`
const parsed = (reader: EventReader): Data[] => reader.events.map(({ data }) => JSON.parse(data))
const stepsOf = (events: readonly Data[]): number[] =>
  events.flatMap(({ type, current }) => (type === 'ProgressUpdate' ? [current] : []))

describeEngines((open) => {
  it('events come as they happen, each with its cursor for its id, and an end after which nobody comes back', async () => {
    const { url, gauges } = await open()
    const id = await startExternal(url)
    await report(url, id, ...progressReports(1, 3))
    const reader = new EventReader(eventsUrl(url, id, '?last=100'))
    await reader.has(6)
    await report(
      url,
      id,
      { progress: { current: 4, metrics: { loss: 'NaN' } } },
      { success: { result: { a: [1] } } },
    )
    await reader.ended()
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
    })
    expect(reader.text).toMatch(/^retry: 1000\n\nid: \S+\ndata: \{"type":"StreamOpened"/)
    const events = parsed(reader)
    expect(events.map(({ type }) => type)).toEqual([
      'StreamOpened',
      'StatusChanged',
      'StatusChanged',
      ...Array(4).fill('ProgressUpdate'),
      'TrainingSucceeded',
      'StreamClosing',
    ])
    expect(reader.events.map(({ id }) => id)).toEqual(events.map(({ cursor }) => cursor))
    expect(events[0].task).toMatchObject({ id, status: 'RUNNING', current: 3 })
    expect(events[6]).toMatchObject({ current: 4, metrics: { loss: 'NaN' }, taskId: id })
    expect(events[7]).toMatchObject({ result: { a: [1] } })
    expect(reader.events.at(-1)?.event).toBe('end')
    const back = new EventReader(eventsUrl(url, id), { 'last-event-id': reader.lastEventId ?? '' })
    await back.ended()
    expect([back.status, back.text]).toEqual([204, ''])
    await until('nothing to be open', () => gauges().subscriptions === 0 && gauges().feeds === 0)
  })

  it('whoever is cut comes back with the last id, and misses and repeats nothing', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    const seen: Data[] = []
    let lastEventId = ''
    for (let cut = 0; cut < 5; cut++) {
      const reader = new EventReader(
        eventsUrl(url, id, '?types=ProgressUpdate'),
        lastEventId ? { 'last-event-id': lastEventId } : {},
      )
      await until('the opening', () => reader.lastEventId)
      await report(url, id, ...progressReports(20 * cut + 1, 20 * cut + 10))
      await reader.has(10)
      // While nobody looks.
      reader.leave()
      seen.push(...parsed(reader))
      lastEventId = reader.lastEventId ?? ''
      await report(url, id, ...progressReports(20 * cut + 11, 20 * cut + 20))
    }
    await report(url, id, { success: {} })
    const last = new EventReader(eventsUrl(url, id, '?types=ProgressUpdate'), {
      'last-event-id': lastEventId,
    })
    await last.ended()
    expect(stepsOf([...seen, ...parsed(last)])).toEqual(range(1, 100))
    // What is not wanted is not sent, but the end.
    expect(
      parsed(last)
        .map(({ type }) => type)
        .filter((type) => type !== 'ProgressUpdate'),
    ).toEqual(['StreamClosing'])
  })

  it('history comes in pages, of which those that are full never change', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    await report(url, id, ...progressReports(1, 25))
    const events: Data[] = []
    let search = '?limit=10'
    const kept: (string | null)[] = []
    for (;;) {
      const response = await fetch(historyUrl(url, id, search))
      const page = (await response.json()) as Data
      events.push(...page.events)
      kept.push(response.headers.get('cache-control'))
      search = `?limit=10&after=${page.next}`
      if (!page.hasMore) break
    }
    // QUEUED and RUNNING, too.
    expect(events).toHaveLength(27)
    expect(stepsOf(events)).toEqual(range(1, 25))
    expect(kept).toEqual(['no-cache', 'public, max-age=31536000, immutable', 'no-cache'])
    const etag = (await fetch(historyUrl(url, id, search))).headers.get('etag') ?? ''
    const again = () => fetch(historyUrl(url, id, search), { headers: { 'if-none-match': etag } })
    expect((await again()).status).toBe(304)
    await report(url, id, { progress: { current: 26 } })
    const more = await again()
    expect(more.status).toBe(200)
    expect(stepsOf(((await more.json()) as Data).events)).toEqual([26])
    // Or a cache would give a page what it has from somebody without an origin.
    for (const headers of [{}, { origin: 'http://localhost:3000' }, { 'if-none-match': etag }])
      expect((await fetch(historyUrl(url, id, search), { headers })).headers.get('vary')).toBe('Origin')
    const head = await fetch(historyUrl(url, id), { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})

describe('an address without a document', () => {
  it.each([
    ['/events/gan:training/nowhere', 404, 'TASK_NOT_FOUND'],
    ['/history/gan:training/nowhere', 404, 'TASK_NOT_FOUND'],
    ['/events/other:prefix/nowhere', 404, 'CHANNEL_PREFIX_NOT_ALLOWED'],
    ['/history/other:prefix/nowhere', 404, 'CHANNEL_PREFIX_NOT_ALLOWED'],
    ['/events/gan:training/', 400, 'BAD_INPUT'],
    ['/events/nowhere', 400, 'BAD_INPUT'],
    ['/events/gan/training/%ff', 400, 'BAD_INPUT'],
    ['/events/gan:training/ID?last=-1', 400, 'BAD_INPUT'],
    ['/events/gan:training/ID?last=100001', 400, 'BAD_INPUT'],
    ['/events/gan:training/ID?types=Progress', 400, 'BAD_INPUT'],
    ['/events/gan:training/ID?after=x', 400, 'BAD_CURSOR'],
    ['/history/gan:training/ID?after=x', 400, 'BAD_CURSOR'],
    ['/history/gan:training/ID?limit=0', 400, 'BAD_INPUT'],
    ['/history/gan:training/ID?limit=1001', 400, 'BAD_INPUT'],
  ])('%s is refused with %i %s', async (path, status, code) => {
    const { url } = await testServer()
    const response = await fetch(new URL(path.replace('ID', await startExternal(url)), url))
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] })
  })

  it('is read only, and by pages of allowed origins only', async () => {
    const { url } = await testServer()
    const id = await startExternal(url)
    for (const at of [eventsUrl(url, id), historyUrl(url, id)]) {
      expect((await fetch(at, { method: 'POST' })).status).toBe(405)
      expect((await fetch(at, { headers: { origin: 'https://elsewhere.example' } })).status).toBe(403)
      const asked = await fetch(at, { method: 'OPTIONS', headers: { origin: 'http://localhost:3000' } })
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([
        204,
        'http://localhost:3000',
      ])
    }
    const response = await fetch(historyUrl(url, id), { headers: { origin: 'http://localhost:3000' } })
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:3000')
  })

  it('needs a token where one is required, and what it gives is for its bearer alone', async () => {
    const { url } = await testServer(SECRET_ENV)
    const bearer = { authorization: `Bearer ${await tokenFor(60)}` }
    const stranger = { authorization: `Bearer ${await tokenFor(60, { task_ids: ['another'] })}` }
    const { startTraining } = await run(
      url,
      'mutation { startTraining(input: { trainer: "external" }) { task { id } } }',
      {},
      bearer.authorization.slice(7),
    )
    const { id } = startTraining.task
    for (const at of [eventsUrl(url, id), historyUrl(url, id)]) {
      expect((await fetch(at)).status).toBe(401)
      expect((await fetch(at, { headers: stranger })).status).toBe(404)
    }
    const page = await fetch(historyUrl(url, id, '?limit=1'), { headers: bearer })
    expect([page.status, page.headers.get('vary')]).toEqual([200, 'Origin, Authorization'])
    const ticket = await fetch(new URL('/ticket', url), { method: 'POST', headers: bearer })
    const search = `?ticket=${((await ticket.json()) as Data).ticket}`
    const reader = new EventReader(eventsUrl(url, id, search))
    await reader.has(1)
    expect((await fetch(eventsUrl(url, id, search))).status).toBe(401)
  })

  it('works where only trusted documents are run', async () => {
    const { url } = await testServer({
      EPOCHCAST_TRUSTED_DOCUMENTS: 'clients/typescript/generated/persisted-documents.json',
    })
    expect((await fetch(historyUrl(url, 'nowhere'))).status).toBe(404)
  })
})

it('a page of the log that cannot be made is refused, and the server goes on', async () => {
  const { url } = await testServer()
  const id = await startExternal(url)
  const failing = vi.spyOn(Operations.prototype, 'execute').mockRejectedValue(new Error('broken'))
  onTestFinished(() => failing.mockRestore())
  const response = await fetch(historyUrl(url, id))
  expect(response.status).toBe(500)
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
  })
})

describe("GraphQL's own event stream", () => {
  it('has the cursor for its id, goes on from Last-Event-ID, and is over once it has been read to its end', async () => {
    const { url } = await testServer()
    const id = await startExternal(url)
    await report(url, id, ...progressReports(1, 3), { success: {} })
    const search = new URLSearchParams({ query: WATCH, variables: JSON.stringify({ taskId: id, last: 100 }) })
    const first = new EventReader(`${url}?${search}`)
    await first.ended()
    const events = first.events.filter(({ event }) => event === 'next')
    expect(events.map(({ id }) => id)).toEqual(
      events.map(({ data }) => JSON.parse(data).data.trainingProgress.cursor),
    )
    expect(first.events.at(-1)).toEqual({ event: 'complete', data: '' })
    const third = events.findIndex(({ data }) => data.includes('"current":2'))
    const second = new EventReader(`${url}?${search}`, { 'last-event-id': events[third]?.id ?? '' })
    await second.ended()
    const steps = second.events.flatMap(({ data }) => /"current":(\d)/.exec(data)?.[1] ?? [])
    expect(steps).toEqual(['3'])
    const over = new EventReader(`${url}?${search}`, { 'last-event-id': second.lastEventId ?? '' })
    await over.ended()
    expect(over.status).toBe(204)
    // What will never be right is not asked for again and again.
    const wrong = new EventReader(`${url}?${search}`, { 'last-event-id': 'x' })
    await wrong.ended()
    expect(wrong.status).toBe(400)
    expect(JSON.parse(wrong.events[0]?.data ?? '')).toMatchObject({
      errors: [{ extensions: { code: 'BAD_CURSOR' } }],
    })
  })

  it.each(['*/*', 'text/*', 'application/json, text/plain, */*', 'Text/Event-Stream'])(
    'comes to who accepts %s, by POST and by GET',
    async (accept) => {
      const { url } = await testServer()
      const id = await startExternal(url)
      await report(url, id, { progress: { current: 1 } }, { success: {} })
      const asked = { query: WATCH, variables: { taskId: id, last: 100 } }
      const search = new URLSearchParams({ query: WATCH, variables: JSON.stringify(asked.variables) })
      const headers = { accept, 'content-type': 'application/json' }
      for (const response of [
        await fetch(url, { method: 'POST', headers, body: JSON.stringify(asked) }),
        await fetch(`${url}?${search}`, { headers: { accept } }),
      ]) {
        expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
        expect(await response.text()).toMatch(
          /ProgressUpdate.*TrainingSucceeded.*StreamClosing.*event: complete/s,
        )
      }
      // No more than that is a stream.
      const query = await fetch(url, { method: 'POST', headers, body: '{"query":"{ server { version } }"}' })
      expect(await query.text()).toContain('"version"')
    },
  )

  it('comes as parts of a multipart response for Apollo, with an HttpLink alone', async () => {
    const { url } = await testServer()
    const id = await startExternal(url)
    const accept =
      'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9'
    const ask = (query: string, variables: Data) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ query, variables }),
      })
    const response = await ask(WATCH, { taskId: id })
    expect(response.headers.get('content-type')).toBe(
      'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"',
    )
    await report(url, id, { progress: { current: 1 } }, { success: {} })
    const parts = partsOf(await response.text())
    expect(parts.map(({ payload }) => payload.data.trainingProgress.__typename)).toEqual(
      expect.arrayContaining(['StreamOpened', 'ProgressUpdate', 'TrainingSucceeded', 'StreamClosing']),
    )
    // A query of the same client is no stream.
    expect(await (await ask('{ server { engine { name } } }', {})).json()).toEqual({
      data: { server: { engine: { name: 'memory' } } },
    })
    const refused = await ask(WATCH, { taskId: 'nowhere' })
    expect(partsOf(await refused.text())).toEqual([
      {
        payload: null,
        errors: [
          expect.objectContaining({ extensions: expect.objectContaining({ code: 'TASK_NOT_FOUND' }) }),
        ],
      },
    ])
  })
})

function partsOf(text: string): Data[] {
  expect(text.startsWith('\r\n--graphql\r\n')).toBe(true)
  expect(text.endsWith('\r\n--graphql--\r\n')).toBe(true)
  return text
    .split('\r\n--graphql')
    .slice(1, -1)
    .map((part) => JSON.parse(part.slice(part.indexOf('\r\n\r\n') + 4)))
}

describeEngines((open) => {
  it('an EventSource of a page follows a run over cuts to its end, and then leaves the server alone', async () => {
    const { url } = await open()
    const id = await startExternal(url)
    // A proxy that cuts, and counts who comes.
    const asked: string[] = []
    const cuts: (() => void)[] = []
    const proxy = createServer(async (request, response) => {
      asked.push(request.url ?? '')
      const upstream = new AbortController()
      cuts.push(() => response.destroy())
      response.on('close', () => upstream.abort())
      const headers = {
        accept: 'text/event-stream',
        'last-event-id': String(request.headers['last-event-id'] ?? ''),
      }
      const answer = await fetch(new URL(request.url ?? '', url), { headers, signal: upstream.signal })
      response.writeHead(answer.status, {
        'content-type': 'text/event-stream',
        'access-control-allow-origin': '*',
      })
      try {
        for await (const chunk of answer.body ?? []) response.write(chunk)
      } catch {
        // Cut by the test.
      }
      response.end()
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    onTestFinished(() => {
      proxy.closeAllConnections()
      proxy.close()
    })
    const { port } = proxy.address() as AddressInfo
    const page = await (await openBrowser()).newPage()
    await page.evaluate(
      (address) => {
        const seen: Data[] = []
        const source = new EventSource(address)
        source.onmessage = ({ data }) => seen.push(JSON.parse(data))
        source.addEventListener('end', () => seen.push('end'))
        Object.assign(globalThis, { seen, source })
      },
      eventsUrl(`http://127.0.0.1:${port}`, id),
    )
    const seen = () => page.evaluate<Data[]>('seen')
    // What was reported before is not its business.
    await until('the opening', async () => (await seen()).length > 0)
    for (let cut = 0; cut < 3; cut++) {
      await report(url, id, ...progressReports(10 * cut + 1, 10 * cut + 5))
      await until('what is new', async () => stepsOf(await seen()).includes(10 * cut + 5))
      for (const cutOff of cuts.splice(0)) cutOff()
      await report(url, id, ...progressReports(10 * cut + 6, 10 * cut + 10))
    }
    await report(url, id, { success: {} })
    await until('the end', async () => (await seen()).includes('end'))
    expect(stepsOf(await seen())).toEqual(range(1, 30))
    await until('it to leave', async () => (await page.evaluate('source.readyState')) === 2)
    expect(asked.length).toBeLessThanOrEqual(6)
  })
}, COSTLY)

it('curl follows a run, is killed, and goes on', async () => {
  const { url } = await testServer()
  const id = await startExternal(url)
  const follow = (lastEventId?: string) => {
    const resume = lastEventId ? ['-H', `Last-Event-ID: ${lastEventId}`] : []
    return runProgram('curl', ['-sN', ...resume, eventsUrl(url, id)], { env: process.env })
  }
  const first = follow()
  await until('the opening', () => first.printed.out.includes('StreamOpened'))
  await report(url, id, ...progressReports(1, 5))
  await until('the reports', () => first.printed.out.includes('"current":5'))
  first.child.kill('SIGKILL')
  await report(url, id, ...progressReports(6, 10), { success: {} })
  const [lastId] = [...first.printed.out.matchAll(/^id: (.*)$/gm)].map(([, id]) => id).slice(-1)
  const second = follow(lastId)
  expect(await second.ended).toBe(0)
  const steps = (text: string) =>
    [...text.matchAll(/"type":"ProgressUpdate".*?"current":(\d+)/g)].map(([, n]) => Number(n))
  expect(steps(first.printed.out + second.printed.out)).toEqual(range(1, 10))
})
