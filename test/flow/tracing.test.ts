import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { describeEngines } from '../support/engines.ts'
import { progressReports, REPORT, report, startExternal, WATCH } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[]
}

/** Takes what is exported, as an OpenTelemetry collector does. */
async function collector() {
  const spans: Span[] = []
  const resources: string[] = []
  const paths = new Set<string>()
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    paths.add(`${request.method} ${request.url}`)
    let text = ''
    for await (const chunk of request) text += chunk
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      resources.push(JSON.stringify(resource))
      for (const scope of scopeSpans) spans.push(...scope.spans)
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }
  const server = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, resources, paths }
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

async function reportTraced(url: string, taskId: string, step: number, flags = '01'): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${TRACE}-${PARENT}-${flags}` },
    body: JSON.stringify({
      query: REPORT,
      variables: { input: { taskId, reports: progressReports(step, step) } },
    }),
  })
  expect(await response.json()).toMatchObject({ data: { reportMetrics: { accepted: 1 } } })
}

const attributesOf = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

describeEngines((open) => {
  it("a trainer's trace leads from its call over the append to the viewers", async () => {
    const { url: endpoint, spans, resources, paths } = await collector()
    const { url, webSocketUrl, gauges, close } = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
    const taskId = await startExternal(url)
    const viewers = [await ProtocolClient.open(webSocketUrl), await ProtocolClient.open(webSocketUrl)]
    for (const viewer of viewers) viewer.subscribe('1', WATCH, { taskId })
    await until('the viewers to be live', () => gauges().groups === 1)
    await reportTraced(url, taskId, 1)
    // Its trainer decided not to have it traced.
    await reportTraced(url, taskId, 2, '00')
    await until('the events', () => viewers.every((viewer) => viewer.results('1').length >= 4))
    await close()

    const traced = spans.filter(({ traceId }) => traceId === TRACE)
    expect(traced.map(({ name }) => name).sort()).toEqual(['append', 'deliver', 'mutation'])
    const of = (name: string) => traced.find((span) => span.name === name) as Span
    const [mutation, append, deliver] = [of('mutation'), of('append'), of('deliver')]
    expect(mutation.parentSpanId).toBe(PARENT)
    expect(append.parentSpanId).toBe(mutation.spanId)
    expect(deliver.parentSpanId).toBe(append.spanId)
    const task = `gan:training:${taskId}`
    // The report, and that the task is RUNNING now.
    expect(attributesOf(append)).toEqual({ 'epochcast.task': task, 'epochcast.events': 2 })
    expect(attributesOf(deliver)).toEqual({ 'epochcast.task': task, 'epochcast.viewers': 2 })
    for (const span of traced)
      expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano))
    expect([...paths]).toEqual(['POST /v1/traces'])
    expect(resources[0]).toMatch(/"service.name".*"epochcast"/)
  })
})

it('a call without a trace begins one, and calls that wait together keep theirs', async () => {
  const { url: endpoint, spans } = await collector()
  const { url, close } = await testServer({ OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/` })
  const taskId = await startExternal(url)
  await Promise.all([1, 2, 3, 4, 5].map((step) => report(url, taskId, ...progressReports(step, step))))
  await close()
  const appends = spans.filter(({ name }) => name === 'append')
  expect(appends).toHaveLength(5)
  const mutations = new Map(
    spans.filter(({ name }) => name === 'mutation').map((span) => [span.spanId, span]),
  )
  for (const { parentSpanId, traceId } of appends)
    expect(mutations.get(parentSpanId ?? '')?.traceId).toBe(traceId)
  expect(new Set(appends.map(({ traceId }) => traceId)).size).toBe(5)
})

it('a collector that is away costs nobody anything, nor keeps a server from stopping', async () => {
  const { url, close } = await testServer({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })
  const taskId = await startExternal(url)
  await report(url, taskId, ...progressReports(1, 5))
  await close()
})

it('is off unless asked for', () => {
  const endpointOf = (env: Record<string, string>) => readConfig({}, env).operation.tracingEndpoint
  expect(endpointOf({})).toBeNull()
  expect(endpointOf({ EPOCHCAST_TRACING: '1' })).toBe('http://localhost:4318')
  expect(endpointOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example' })).toBe('https://otel.example')
  expect(() => endpointOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'otel' })).toThrow(
    /^OTEL_EXPORTER_OTLP_ENDPOINT is "otel"/,
  )
})
