import { useLayoutEffect, useMemo, useRef } from 'react'
import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { plainLines } from '../output/ansi.ts'
import { Icon } from '../ui/icons.tsx'
import { errorWords } from './error-line.ts'

/** What went wrong, or why it stopped. */
export function Outcome({
  task: { status, error, stopReason, stopRequested },
}: {
  task: TaskSummaryFragment
}) {
  if (error && status !== 'CANCELLED')
    return (
      <ErrorNotice
        error={error}
        tone={status === 'FAILURE' ? 'danger' : 'warning'}
        title={status === 'FAILURE' ? 'The run failed' : 'The trainer reported an error, and went on'}
      />
    )
  if (status === 'CANCELLED' || stopRequested)
    return (
      <section className="notice" data-tone="neutral" aria-label="Cancellation">
        <strong>{status === 'CANCELLED' ? 'Cancelled.' : 'Asked to stop.'}</strong> {stopReason}
      </section>
    )
  return null
}

interface ErrorNoticeProps {
  readonly error: NonNullable<TaskSummaryFragment['error']>
  readonly tone: string
  /** Of an error without a type. */
  readonly title: string
}

/** What it says comes first; how it came there is below, from its end on, where a traceback says the most. */
function ErrorNotice({ error: { message, type }, tone, title }: ErrorNoticeProps) {
  const box = useRef<HTMLPreElement>(null)
  const text = useMemo(() => plainLines(message), [message])
  const words = useMemo(() => errorWords(message, type), [message, type])
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there is another
  useLayoutEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight
  }, [text])
  return (
    <section className="notice notice-block" data-tone={tone} aria-label="Error">
      <h2>
        <Icon name="warning" />
        {type ?? title}
      </h2>
      <p className="error-words">{words}</p>
      {text.trim().includes('\n') && (
        <pre ref={box} tabIndex={0}>
          {text}
        </pre>
      )}
    </section>
  )
}
