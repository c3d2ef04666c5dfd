import type { FollowRequest, TrainingProgressEvent } from '../typescript/follow.ts'
import { TrainingProgressDocument } from '../typescript/generated/graphql.ts'
import { foldEvent, initialView, type TaskView } from '../typescript/task-view.ts'
import type { Source } from './source.ts'
import { type Status, Store } from './store.ts'

export interface TrainingSnapshot extends Status {
  /** The newest events, oldest first; at most `maxEvents`. */
  readonly events: readonly TrainingProgressEvent[]
  /** The task as the events tell; null until the stream is open. */
  readonly task: TaskView | null
}

export const NO_TRAINING: TrainingSnapshot = {
  events: [],
  task: null,
  state: { kind: 'connecting' },
  error: null,
}

/** A component's `onEvent`, as it was rendered last; it stays the same object for as long as the component lives. */
interface EventListener {
  readonly current: ((event: TrainingProgressEvent) => void) | undefined
}

export class TrainingStore extends Store<TrainingSnapshot> {
  readonly #request: FollowRequest
  readonly #maxEvents: number
  /** Kept for those that come later: as many as they would be replayed alone, or more. */
  readonly #maxKept: number
  readonly #listeners = new Set<EventListener>()
  /** How many events it was told of before it left. */
  #toldOf = new WeakMap<EventListener, number>()
  #events: TrainingProgressEvent[] = []
  /** Of all events since it was opened. */
  #count = 0
  #task: TaskView | null = null

  constructor(source: Source, request: FollowRequest, maxEvents: number) {
    super(source, NO_TRAINING)
    this.#request = request
    this.#maxEvents = maxEvents
    this.#maxKept = Math.max(maxEvents, request.last ?? 0)
  }

  /**
   * Every event, at once: those that are kept, without what the same listener was told of before, and what comes from now
   * on. Returns how to leave.
   */
  onEvent(listener: EventListener): () => void {
    // What is kept of a stream that was left is asked for again.
    if (!this.isIdle) {
      const kept = this.#newest(this.#maxKept)
      const missed = this.#count - (this.#toldOf.get(listener) ?? 0)
      if (missed > 0) for (const event of kept.slice(-missed)) listener.current?.(event)
    }
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
      this.#toldOf.set(listener, this.#count)
    }
  }

  hasValue({ task, state }: TrainingSnapshot): boolean {
    return task !== null || state.kind === 'ended'
  }

  protected open(): () => void {
    this.#events = []
    this.#count = 0
    this.#toldOf = new WeakMap()
    this.#task = null
    const { taskId, channelPrefix = null, after = null, last = null } = this.#request
    const variables = { taskId, channelPrefix, after, last: last === 0 ? null : last }
    return this.source.subscribe(TrainingProgressDocument, variables, {
      next: ({ trainingProgress: event }) => {
        if (event.__typename === 'StreamOpened') this.#task = initialView(event.task)
        if (this.#task) this.#task = foldEvent(this.#task, event)
        // Cut seldom, so that an event costs the same however many are kept.
        if (this.#events.push(event) >= 2 * this.#maxKept + 1) this.#events = this.#newest(this.#maxKept)
        this.#count++
        this.changed()
        for (const listener of this.#listeners) listener.current?.(event)
      },
      state: (state) => this.enter(state),
    })
  }

  protected look(status: Status): TrainingSnapshot {
    return { events: this.#newest(this.#maxEvents), task: this.#task, ...status }
  }

  #newest(most: number): TrainingProgressEvent[] {
    return most === 0 ? [] : this.#events.slice(-most)
  }
}
