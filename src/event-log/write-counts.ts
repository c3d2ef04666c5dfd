import { isFinalStatus, type TaskState } from '../task/task.ts'
import type { AppendPlan } from './append-plan.ts'

/** What a process appended since it began. */
export class WriteCounts {
  appends = 0
  events = 0
  /** Tasks that these appends ended, by their final status. */
  readonly ended = { SUCCESS: 0, FAILURE: 0, CANCELLED: 0 }

  add(before: TaskState, { events, state: { status } }: AppendPlan): void {
    this.appends++
    this.events += events.length
    if (status in this.ended && !isFinalStatus(before.status))
      this.ended[status as keyof WriteCounts['ended']]++
  }
}
