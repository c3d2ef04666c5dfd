import type { EventsSkipped } from '../task/stream-event.ts'
import { LagHistogram } from './lag-histogram.ts'

/** What was delivered since the process began: plain numbers, written where it happens and read when somebody looks. */
export class DeliveryCounts {
  /** Events of logs written to subscribers: one event that a thousand get counts a thousand times. */
  delivered = 0
  /** Times that a subscriber was sent events of the log by itself, because it had to catch up. */
  catchUps = 0
  /** Times that the outlet of a live subscriber had no room for all that it was sent. */
  slowReaders = 0
  /** Announcements that events can no longer be delivered, and the events, as far as they could be counted. */
  readonly skips: Record<EventsSkipped['skipReason'], { announced: number; events: number }> = {
    TRIMMED: { announced: 0, events: 0 },
    LOG_RESET: { announced: 0, events: 0 },
  }
  /** Told of each own report whose events were written to live subscribers, where it has a trace. */
  onDelivered: ((origin: unknown, channel: string, subscribers: number) => void) | undefined
  /** From the report to the write to the live subscribers, of reports to this server. */
  readonly reportLag = new LagHistogram()
  /** From the announcement to the write, of reports to other servers. */
  readonly announcementLag = new LagHistogram()
}
