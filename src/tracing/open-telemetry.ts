import { AsyncLocalStorage } from 'node:async_hooks'
import type { Context, Span } from '@opentelemetry/api'
import type { Tracing } from './tracing.ts'

export interface TracingOptions {
  /** OTLP over HTTP, without the path. */
  readonly endpoint: string
  readonly version: string
}

/** Longest wait for the last spans to be exported when the server stops. */
const CLOSE_MS = 2000

/** The append of one call, as long as anybody may have to write its events. */
interface Append {
  readonly context: Context
  endedAt: number
}

/**
 * Spans by OpenTelemetry, exported as OTLP over HTTP. Its own variables say the rest: OTEL_SERVICE_NAME,
 * OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS. What is exported late or never costs nobody
 * anything: spans that wait are bounded, and dropped beyond.
 *
 * @throws where the packages are not installed
 */
export async function openTelemetry({ endpoint, version }: TracingOptions): Promise<Tracing> {
  // Only here, so that a server without tracing neither has nor loads them.
  const [api, core, sdk, resources, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  const named = resources.resourceFromAttributes({ 'service.name': 'epochcast', 'service.version': version })
  const provider = new sdk.BasicTracerProvider({
    resource: named.merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [
      new sdk.BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })),
    ],
  })
  const tracer = provider.getTracer('epochcast', version)
  const propagator = new core.W3CTraceContextPropagator()
  const calls = new AsyncLocalStorage<Span>()
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api

  return {
    mutation: async (headers, run) => {
      const parent = propagator.extract(ROOT_CONTEXT, headers, api.defaultTextMapGetter)
      const span = tracer.startSpan('mutation', { kind: SpanKind.SERVER }, parent)
      try {
        return await calls.run(span, run)
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    origin: () => calls.getStore(),
    append: (channel, origin, events) => {
      const parent = origin ? trace.setSpan(ROOT_CONTEXT, origin as Span) : ROOT_CONTEXT
      const attributes = { 'epochcast.task': channel, 'epochcast.events': events }
      const span = tracer.startSpan('append', { attributes }, parent)
      const append: Append = { context: trace.setSpan(ROOT_CONTEXT, span), endedAt: Date.now() }
      return {
        origin: append,
        end: (isAppended) => {
          append.endedAt = Date.now()
          if (!isAppended) span.setStatus({ code: SpanStatusCode.ERROR, message: 'not appended' })
          span.end()
        },
      }
    },
    delivered: (append, channel, viewers) => {
      const { context, endedAt } = append as Append
      const attributes = { 'epochcast.task': channel, 'epochcast.viewers': viewers }
      tracer.startSpan('deliver', { attributes, startTime: endedAt, kind: SpanKind.PRODUCER }, context).end()
    },
    close: async () => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS)
      })
      // That nobody takes the last spans is no failure of the server.
      await Promise.race([provider.shutdown().catch(() => undefined), late])
      clearTimeout(timer)
    },
  }
}
