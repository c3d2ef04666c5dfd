/** How far the feed can be trusted. */
export type FeedPhase =
  /** It hears of everything that is appended. */
  | { readonly kind: 'live' }
  /** Announcements or the engine were away; the log may have lost events, and is verified before it is trusted. */
  | { readonly kind: 'unverified' }
  /** The engine is out of reach. */
  | { readonly kind: 'interrupted'; readonly error: string }
  /** The log is no longer there: nothing will come any more. */
  | { readonly kind: 'gone'; readonly isDeleted: boolean }
  /** The server is stopping, or nobody watches the task any more. */
  | { readonly kind: 'closed' }

export const LIVE: FeedPhase = { kind: 'live' }
export const GONE: FeedPhase = { kind: 'gone', isDeleted: false }
export const DELETED: FeedPhase = { kind: 'gone', isDeleted: true }
export const CLOSED: FeedPhase = { kind: 'closed' }
