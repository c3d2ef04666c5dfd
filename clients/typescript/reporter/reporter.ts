import { launchedTask, type NodeParts, nodeParts } from './node.ts'
import { Notices, wordsOf } from './notices.ts'
import type { Reporter, ReporterOptions } from './options.ts'
import { Pipeline } from './pipeline.ts'
import { RunReporter } from './run-reporter.ts'
import { type DeliveryTarget, newProducer, type ReportedTask, randomId } from './target.ts'

/** Never throws: a setting that cannot be used is told, and then nothing is reported. */
export function createReporter(options: ReporterOptions = {}): Reporter {
  const notices = new Notices(options.onNotice ?? ((text) => console.warn(text)))
  try {
    const node = nodeParts()
    const url = options.url || node?.env.EPOCHCAST_URL
    if (!url) return new RunReporter(null, null, options, notices)
    const target = targetOf(options, node)
    const pipeline = new Pipeline(endpointOf(url), target, options, notices, node)
    return new RunReporter(pipeline, node, options, notices)
  } catch (error) {
    notices.say('start', `nothing is reported: ${wordsOf(error)}`)
    return new RunReporter(null, null, options, notices)
  }
}

function targetOf(
  { taskId, channelPrefix, attempt, run }: ReporterOptions,
  node: NodeParts | null,
): DeliveryTarget {
  const producer = newProducer()
  const named = taskId === undefined ? null : { taskId }
  const task = named ?? (node && launchedTask(node.env))
  const more = { ...(channelPrefix && { channelPrefix }), ...(attempt !== undefined && { attempt }) }
  if (task) return { producer, task: { ...task, ...more } satisfies ReportedTask }
  const start = { ...run, ...(channelPrefix && { channelPrefix }), trainer: 'external' }
  return {
    producer,
    start: { ...start, idempotencyKey: run?.idempotencyKey ?? randomId() },
  }
}

/** The address of a server without a path is completed. */
function endpointOf(url: string): string {
  const page = (globalThis as { location?: { href: string } }).location?.href
  const endpoint = new URL(url, page)
  if (!/^https?:$/.test(endpoint.protocol))
    throw new TypeError(`the URL ${JSON.stringify(url)} is not one of http or https`)
  if (endpoint.pathname === '/') endpoint.pathname = '/graphql'
  return endpoint.href
}
