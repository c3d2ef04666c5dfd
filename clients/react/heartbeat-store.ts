import { HeartbeatDocument, type HeartbeatSubscription } from '../typescript/generated/graphql.ts'
import type { Source } from './source.ts'
import { type Status, Store } from './store.ts'

export interface HeartbeatSnapshot extends Status {
  /** The newest; null before the first. */
  readonly heartbeat: HeartbeatSubscription['heartbeat'] | null
}

export const NO_HEARTBEAT: HeartbeatSnapshot = { heartbeat: null, state: { kind: 'connecting' }, error: null }

export class HeartbeatStore extends Store<HeartbeatSnapshot> {
  readonly #intervalMs: number | null
  #heartbeat: HeartbeatSnapshot['heartbeat'] = null

  constructor(source: Source, intervalMs: number | null) {
    super(source, NO_HEARTBEAT)
    this.#intervalMs = intervalMs
  }

  hasValue({ heartbeat, state }: HeartbeatSnapshot): boolean {
    return heartbeat !== null || state.kind === 'ended'
  }

  protected open(): () => void {
    this.#heartbeat = null
    return this.source.subscribe(
      HeartbeatDocument,
      { intervalMs: this.#intervalMs },
      {
        next: ({ heartbeat }) => {
          this.#heartbeat = heartbeat
          this.changed()
        },
        state: (state) => this.enter(state),
      },
    )
  }

  protected look(status: Status): HeartbeatSnapshot {
    return { heartbeat: this.#heartbeat, ...status }
  }
}
