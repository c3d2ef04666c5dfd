import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import type { TaskSpec, TaskState } from '../task/task.ts'
import type { Snapshot } from './event-log.ts'

/** How much one append takes together of what waits for one task; a single update may have more events or text. */
export const TOGETHER = { updates: 64, events: 1000, textLength: 1_048_576 } as const

export interface Decision {
  /** To be appended; none where there is nothing to do. */
  readonly events: readonly TaskEvent[]
  /** The state after them. */
  readonly state: TaskState
}

export interface Written<D extends Decision> {
  readonly decision: D
  /** Position after the decision's events. */
  readonly top: Position
}

/** An update that waits for its turn. */
export interface Waiting {
  readonly decide: (state: TaskState) => Decision
  readonly resolve: (written: Written<Decision>) => void
  readonly reject: (error: unknown) => void
  /** By performance.now(). */
  readonly receivedAt: number
  /** Where appends are followed. */
  readonly origin?: unknown
}

/** What one append is to do, and what it means for each of the updates that it takes together. */
export interface AppendPlan {
  readonly events: readonly TaskEvent[]
  readonly texts: readonly string[]
  readonly state: TaskState
  readonly outcomes: readonly (Written<Decision> | { readonly refusal: unknown })[]
}

/** Each update decides for the state after those before it; one that is refused leaves no trace. */
export function planFor(
  { state: before, top }: Pick<Snapshot, 'state' | 'top'>,
  together: readonly Waiting[],
): AppendPlan {
  const events: TaskEvent[] = []
  const texts: string[] = []
  const outcomes: AppendPlan['outcomes'][number][] = []
  let state = before
  let textLength = 0
  for (const { decide } of together) {
    try {
      const decision = decide(state)
      const decided = decision.events.map((event) => JSON.stringify(event))
      for (const text of decided) textLength += text.length
      const isTooMuch = events.length + decided.length > TOGETHER.events || textLength > TOGETHER.textLength
      if (isTooMuch && events.length > 0) break
      for (let i = 0; i < decided.length; i++) {
        events.push(decision.events[i] as TaskEvent)
        texts.push(decided[i] as string)
      }
      state = decision.state
      outcomes.push({ decision, top: { generation: top.generation, offset: top.offset + events.length } })
    } catch (refusal) {
      outcomes.push({ refusal })
    }
  }
  return { events, texts, state, outcomes }
}

/** Tells each its outcome; returns how many were told. */
export function settle(together: readonly Waiting[], outcomes: AppendPlan['outcomes']): number {
  outcomes.forEach((outcome, i) => {
    const waiting = together[i] as Waiting
    if ('refusal' in outcome) waiting.reject(outcome.refusal)
    else waiting.resolve(outcome)
  })
  return outcomes.length
}

/** Told of the events of each update once they are appended, and before whoever made it is; `top` is after the last one. */
export type OnAppended = (spec: TaskSpec, top: Position, events: readonly TaskEvent[]) => void

export function tellAppended(tell: OnAppended, { state, outcomes }: AppendPlan): void {
  for (const outcome of outcomes) {
    if ('refusal' in outcome || outcome.decision.events.length === 0) continue
    tell(state.spec, outcome.top, outcome.decision.events)
  }
}

/** Told of each update that has events, before they are appended: the offset of the last one, when it came, and its trace. */
export type OnReceived = (
  channel: string,
  receipt: { readonly offset: number; readonly receivedAt: number; readonly origin?: unknown },
) => void

/** Follows updates through their appends. */
export interface AppendTrace {
  /** Of the call that an update is of, asked for as it comes. */
  origin(): unknown
  append(channel: string, origin: unknown, events: number): TracedAppend
}

interface TracedAppend {
  /** For what is done with the events later. */
  readonly origin: unknown
  end(isAppended: boolean): void
}

/** One for each of the updates that have events. */
export function tracedAppends(
  trace: AppendTrace,
  channel: string,
  together: readonly Waiting[],
  outcomes: AppendPlan['outcomes'],
): readonly (TracedAppend | undefined)[] {
  return outcomes.map((outcome, i) => {
    const count = 'refusal' in outcome ? 0 : outcome.decision.events.length
    return count === 0 ? undefined : trace.append(channel, together[i]?.origin, count)
  })
}

/** Ends them when their append has come to an end, whatever that is. */
export async function ended<R extends { readonly kind: string }>(
  traced: readonly (TracedAppend | undefined)[],
  appending: Promise<R>,
): Promise<R> {
  let isAppended = false
  try {
    const result = await appending
    isAppended = result.kind === 'appended'
    return result
  } finally {
    for (const each of traced) each?.end(isAppended)
  }
}

export function tellReceived(
  tell: OnReceived,
  channel: string,
  together: readonly Waiting[],
  outcomes: AppendPlan['outcomes'],
  traced?: readonly (TracedAppend | undefined)[],
): void {
  for (let i = 0; i < outcomes.length; i++) {
    const outcome = outcomes[i] as AppendPlan['outcomes'][number]
    if ('refusal' in outcome || outcome.decision.events.length === 0) continue
    const { receivedAt } = together[i] as Waiting
    tell(channel, { offset: outcome.top.offset, receivedAt, origin: traced?.[i]?.origin })
  }
}
