import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { plainLines } from '../output/ansi.ts'
import { Icon } from '../ui/icons.tsx'

/** What went wrong, or why it stopped. */
export function Outcome({
  task: { status, error, stopReason, stopRequested },
}: {
  task: TaskSummaryFragment
}) {
  if (error && status !== 'CANCELLED')
    return (
      <section
        className="notice notice-block"
        data-tone={status === 'FAILURE' ? 'danger' : 'warning'}
        aria-label="Error"
      >
        <h2>
          <Icon name="warning" />
          {error.type ??
            (status === 'FAILURE' ? 'The run failed' : 'The trainer reported an error, and went on')}
        </h2>
        <pre tabIndex={0}>{plainLines(error.message)}</pre>
      </section>
    )
  if (status === 'CANCELLED' || stopRequested)
    return (
      <section className="notice" data-tone="neutral" aria-label="Cancellation">
        <strong>{status === 'CANCELLED' ? 'Cancelled.' : 'Asked to stop.'}</strong> {stopReason}
      </section>
    )
  return null
}
