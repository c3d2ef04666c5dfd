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

export class TrainingStore extends Store<TrainingSnapshot> {
  readonly #request: FollowRequest
  readonly #maxEvents: number
  readonly #eventListeners = new Set<(event: TrainingProgressEvent) => void>()
  #events: TrainingProgressEvent[] = []
  #task: TaskView | null = null

  constructor(source: Source, request: FollowRequest, maxEvents: number) {
    super(source, NO_TRAINING)
    this.#request = request
    this.#maxEvents = maxEvents
  }

  /** Every event that comes from now on, at once. */
  onEvent(listener: (event: TrainingProgressEvent) => void): () => void {
    this.#eventListeners.add(listener)
    return () => this.#eventListeners.delete(listener)
  }

  hasValue({ task, state }: TrainingSnapshot): boolean {
    return task !== null || state.kind === 'ended'
  }

  protected open(): () => void {
    this.#events = []
    this.#task = null
    const { taskId, channelPrefix = null, after = null, last = null } = this.#request
    const variables = { taskId, channelPrefix, after, last: last === 0 ? null : last }
    return this.source.subscribe(TrainingProgressDocument, variables, {
      next: ({ trainingProgress: event }) => {
        if (event.__typename === 'StreamOpened') this.#task = initialView(event.task)
        if (this.#task) this.#task = foldEvent(this.#task, event)
        // Cut seldom, so that an event costs the same however many are kept.
        if (this.#events.push(event) >= 2 * this.#maxEvents + 1) this.#events = this.#newest()
        this.changed()
        for (const listener of this.#eventListeners) listener(event)
      },
      state: (state) => this.enter(state),
    })
  }

  protected look(status: Status): TrainingSnapshot {
    return { events: this.#newest(), task: this.#task, ...status }
  }

  #newest(): TrainingProgressEvent[] {
    return this.#maxEvents === 0 ? [] : this.#events.slice(-this.#maxEvents)
  }
}
