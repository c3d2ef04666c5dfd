import type { CurveStore } from '../../src/event-log/curve-store.ts'
import type { EventLog } from '../../src/event-log/event-log.ts'
import { TaskWriter, type TaskWriterOptions } from '../../src/event-log/task-writer.ts'

/** A writer with the bounds of a server's configuration; what fails in it fails the test. */
export function taskWriter(log: EventLog & CurveStore, options: Partial<TaskWriterOptions> = {}): TaskWriter {
  const onError = (error: unknown) => {
    throw error
  }
  return new TaskWriter(log, {
    restoreWithinMs: 3_600_000,
    curveBytes: 8 * 1024 * 1024,
    retainEvents: 1000,
    onError,
    ...options,
  })
}
