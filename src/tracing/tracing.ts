/**
 * Follows a trainer's call to the viewers: the mutation, the append of its events, their delivery. Where tracing is off there
 * is none of this, and nobody asks.
 */
export interface Tracing {
  /**
   * Runs a mutation as one span, which continues its caller's trace.
   *
   * @param headers `traceparent` and `tracestate` of W3C Trace Context, as they came
   */
  mutation<T>(headers: TraceHeaders, run: () => Promise<T>): Promise<T>
  /** The span of the call that is under way here, for what is done on its behalf later; undefined outside of any. */
  origin(): unknown
  /** An append on behalf of a call begins. */
  append(channel: string, origin: unknown, events: number): OpenAppend
  /** Events of an append were written to so many viewers. */
  delivered(append: unknown, channel: string, viewers: number): void
  /** Exports what is left, unless that takes too long. */
  close(): Promise<void>
}

export interface TraceHeaders {
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
}

export interface OpenAppend {
  /** For `delivered`. */
  readonly origin: unknown
  /** @param isAppended false where another writer was faster, or it failed */
  end(isAppended: boolean): void
}
