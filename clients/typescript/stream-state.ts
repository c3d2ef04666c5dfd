/**
 * How a subscription stands.
 *
 * ```
 * connecting ──▶ live ◀──▶ interrupted
 *     │           │ ▲           │
 *     ▼           ▼ │           ▼
 *    reconnecting (1, 2, 3 …) ◀─┘        any ──▶ ended
 * ```
 */
export type StreamState =
  | { readonly kind: 'connecting' }
  /** What the server sends arrives. */
  | { readonly kind: 'live' }
  | {
      readonly kind: 'reconnecting'
      /** The try that follows, the very first connection's included: 1, 2, 3 … */
      readonly attempt: number
      /** When it follows, in milliseconds of `Date.now()`. */
      readonly nextTryAt: number
      /** What went wrong: a close event, an error, or the errors of GraphQL; undefined where a stream merely ended. */
      readonly cause: unknown
    }
  /** The server lost its engine; the stream goes on by itself when it is back. */
  | { readonly kind: 'interrupted'; readonly error: string | null }
  /** Nothing more comes. `cause` is what cannot be got over, undefined at a stream's own end. */
  | { readonly kind: 'ended'; readonly cause: unknown }
