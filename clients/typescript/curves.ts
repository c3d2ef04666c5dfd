import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import type { CallOptions, StreamOptions } from './client.ts'
import { type Curve, type CurveFilter, CurveSet } from './curve-set.ts'
import { taskNotFound } from './error.ts'
import type { FollowRequest, TrainingProgressEvent } from './follow.ts'
import { TaskSeriesDocument, type TaskSummaryFragment } from './generated/graphql.ts'
import { DEFAULT_RETRY } from './retry.ts'
import { stoppable } from './stoppable.ts'
import { foldEvent, initialView, type TaskView } from './task-view.ts'

export interface CurvesRequest extends CurveFilter {
  readonly taskId: string
  readonly channelPrefix?: string | null | undefined
  /** Most points in one curve: 1000 by default, from 10 to 5000. */
  readonly maxPoints?: number | undefined
}

export interface Curves {
  readonly curves: readonly Curve[]
  readonly task: TaskView
}

/** An EpochcastClient, or anything that gives the same. */
export interface CurvesSource {
  execute<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    options?: CallOptions,
  ): Promise<Data>
  follow(request: FollowRequest, options?: StreamOptions): AsyncIterable<TrainingProgressEvent>
}

/**
 * The curves of a task's whole life, and then as they grow, to its end: `series` joined to the live stream without a seam.
 * Each `next` gives the newest, so whoever draws slowly draws less often and misses nothing. Over lost connections it goes on
 * as `follow` does; where events were skipped, the series are read again.
 *
 * Curves are thinned here as on the server: spikes stay, and the first NaN and Infinity. What a later attempt reports again
 * takes the place of earlier points.
 *
 * @throws (by `next`) EpochcastClientError, the signal's reason
 */
export function curves(
  source: CurvesSource,
  request: CurvesRequest,
  { signal, onConnection }: StreamOptions = {},
): AsyncIterableIterator<Curves, undefined> {
  return stoppable([signal], (signal) =>
    newestOf((tell) => readCurves(source, request, { signal, onConnection }, tell), signal),
  )
}

/** What is told of last, whenever the reader asks; what came in between is left out. */
async function* newestOf<T>(
  read: (tell: (newest: () => T) => void) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  let newest: (() => T) | null = null
  let failure: { readonly error: unknown } | null = null
  let isOver = false
  let wake = () => {}
  const tell = (next: () => T) => {
    newest = next
    wake()
  }
  const reading = read(tell)
    .catch((error: unknown) => {
      failure = { error }
    })
    .finally(() => {
      isOver = true
      wake()
    })
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = newest as (() => T) | null
      newest = null
      if (next) yield next()
      else if (failure) throw (failure as { readonly error: unknown }).error
      else if (isOver) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    await reading
  }
}

/** Tells whenever the curves have changed, and how to get them as they are by then. */
export async function readCurves(
  source: CurvesSource,
  { taskId, channelPrefix, maxPoints, names, phase, member }: CurvesRequest,
  options: StreamOptions,
  tell: (newest: () => Curves) => void,
): Promise<void> {
  const set = new CurveSet({ names, phase, member }, maxPoints)
  const filter = {
    names: names ?? null,
    phase: phase ?? null,
    member: member ?? null,
    maxPoints: maxPoints ?? null,
  }
  const variables = { id: taskId, channelPrefix: channelPrefix ?? null, ...filter }
  const call = { signal: options.signal, attempts: DEFAULT_RETRY.attempts }
  for (;;) {
    const { task } = await source.execute(TaskSeriesDocument, variables, call)
    if (!task) throw taskNotFound(taskId)
    const { series, ...summary } = task
    let view = initialView(summary as TaskSummaryFragment)
    set.reset({ attempt: task.attempt, series })
    // Copied when somebody looks, not at each of thousands of events.
    const newest = () => ({ curves: set.snapshot(), task: view })
    tell(newest)
    let hasSkipped = false
    for await (const event of source.follow({ taskId, channelPrefix, after: task.cursor }, options)) {
      hasSkipped = event.__typename === 'EventsSkipped'
      if (hasSkipped) break
      if (event.__typename === 'StreamOpened') continue
      set.add(event)
      view = foldEvent(view, event)
      tell(newest)
    }
    if (!hasSkipped) return
  }
}
