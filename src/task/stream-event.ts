import type { StatusChanged, TaskEvent } from './event.ts'
import { cursorPrefix, type Position } from './position.ts'
import type { TaskKey, TaskState } from './task.ts'

/** A task as it stood at a position of its log. */
export interface TaskView {
  readonly state: TaskState
  readonly top: Position
}

/** Where an event belongs and where a stream stands once it is delivered. */
export interface Delivery {
  readonly taskId: string
  readonly cursor: string
}

interface StreamEventBase extends Delivery {
  readonly timestamp: string
}

export interface StreamOpened extends StreamEventBase {
  readonly type: 'StreamOpened'
  readonly channel: string
  readonly message: string
  readonly task: TaskView
}

export interface EventsSkipped extends StreamEventBase {
  readonly type: 'EventsSkipped'
  readonly count: number | null
  readonly skipReason: 'TRIMMED' | 'LOG_RESET'
}

export interface StreamInterrupted extends StreamEventBase {
  readonly type: 'StreamInterrupted'
  readonly error: string
}

export interface StreamTimedOut extends StreamEventBase {
  readonly type: 'StreamTimedOut'
  readonly message: string
}

export interface StreamClosing extends StreamEventBase {
  readonly type: 'StreamClosing'
  readonly reason: string
}

/** An event of one subscriber's stream itself; never in the log. `type` is its GraphQL type name. */
export type StreamEvent = StreamOpened | EventsSkipped | StreamInterrupted | StreamTimedOut | StreamClosing

/** An event of the log, ready to be delivered: made once per process, shared by all that watch. */
export type DeliveredEvent = TaskEvent & Delivery & { readonly offset: number }

export type TrainingEvent = DeliveredEvent | StreamEvent

interface Entry {
  readonly offset: number
  readonly event: TaskEvent
}

/**
 * An entry of a task's log, made ready for delivery: its event is the receiver's own (`LogEntry`), so what
 * is missing is put into it instead of into a copy.
 */
function deliver(key: TaskKey, prefix: string, { offset, event }: Entry): DeliveredEvent {
  const delivery = event as TaskEvent & { offset: number; taskId: string; cursor: string }
  if (delivery.type === 'StatusChanged') complete(delivery)
  delivery.offset = offset
  delivery.taskId = key.id
  delivery.cursor = prefix + offset.toString(36)
  return delivery
}

/** Logs of version 0.1 tell of the attempt only where it is launched, and of the wish to stop only where it is made. */
function complete(event: StatusChanged): void {
  const stored: { attempt?: number; stopRequested?: boolean } = event
  stored.attempt ??= 1
  stored.stopRequested ??= false
}

export function delivered(key: TaskKey, generation: string, entries: readonly Entry[]): DeliveredEvent[] {
  const prefix = cursorPrefix(key, generation)
  return entries.map((entry) => deliver(key, prefix, entry))
}
