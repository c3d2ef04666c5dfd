/** Every bound of the reporter; those of one call and one report are the server's (`src/task/limits.ts`). */
export const REPORTER_LIMITS = {
  // The server's.
  batchReports: 1000,
  metricsPerReport: 256,
  nameLength: 128,
  stageLength: 128,
  messageLength: 4096,
  errorLength: 16_384,
  errorTypeLength: 256,
  resultBytes: 65_536,
  /** Maps within one another in metrics. */
  nesting: 8,
  // In the training's process.
  /** Half of what a server takes by default. */
  batchBytes: 512 * 1024,
  /** Encoded, not yet delivered, and not in a spool. */
  memoryBytes: 64 * 1024 * 1024,
  /** One run's file. */
  spoolBytes: 1024 * 1024 * 1024,
  /** A file whose content is all delivered starts over at this size. */
  trimSpoolBytes: 4 * 1024 * 1024,
  /** How often a spool is touched, so that `sync` sees that somebody still writes it. */
  touchMs: 5000,
  /** Larger calls are compressed. */
  gzipBytes: 4096,
  /** After a report, for those that come right after it. */
  lingerMs: 50,
  callMs: 30_000,
  /** Characters of a reply. */
  replyLength: 4 * 1024 * 1024,
  firstBackoffMs: 250,
  maxBackoffMs: 30_000,
  /** At the end somebody waits for it. */
  maxFlushBackoffMs: 1000,
  maxRetryAfterMs: 300_000,
  /** Without a report, the server is asked whether to stop. */
  stopPollMs: 10_000,
  /** For the rest, once the training has ended. */
  flushMs: 10_000,
  /** The same where the rest is on disk, and the server away. */
  spooledFlushMs: 3000,
  /** Of one run, where servers lose it. */
  registrations: 5,
} as const
