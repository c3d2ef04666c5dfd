/** What the feeds of a process met since it began. */
export class FeedCounts {
  /** Announcements that did not continue what was known, so that the log was read. */
  gaps = 0
  /** Times that a feed heard nothing, because its engine was out of reach. */
  interruptions = 0
}
