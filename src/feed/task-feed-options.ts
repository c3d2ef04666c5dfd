import type { EventLog } from '../event-log/event-log.ts'
import type { FeedCounts } from './feed-counts.ts'
import type { Pages } from './pages.ts'
import type { RingBudget } from './ring-budget.ts'

export interface TaskFeedOptions {
  /** Newest events kept for subscribers that are close to the top; the others read the log. */
  readonly ringEvents: number
  /** Silence after which to look whether an announcement got lost. */
  readonly checkMs: number
  /** Counted where it is given. */
  readonly counts?: FeedCounts
  readonly onError: (error: unknown) => void
}

/** What the feeds of a process share. */
export interface FeedParts {
  readonly log: EventLog
  readonly pages: Pages
  readonly rings: RingBudget
}
