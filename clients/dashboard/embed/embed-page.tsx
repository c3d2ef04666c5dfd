import { useSearchParams } from 'wouter'
import { TrainingCard } from '../../react/index.ts'
import { useConnection } from '../session/connection.ts'
import { useSession } from '../session/context.tsx'

interface EmbedPageProps {
  readonly taskId: string
  readonly channelPrefix?: string
}

/** One run for a frame of another page, with nothing in it to press. Its token comes behind the #. */
export default function EmbedPage({ taskId, channelPrefix }: EmbedPageProps) {
  const [search] = useSearchParams()
  const { refusal } = useSession().state
  const { connection } = useConnection()
  const isAway = connection.kind === 'reconnecting' || connection.kind === 'interrupted'
  return (
    <main className="embed" data-away={isAway || undefined}>
      <h1 className="visually-hidden">A run</h1>
      {refusal !== null ? (
        <p className="muted">This run needs a token: {refusal}</p>
      ) : (
        <TrainingCard
          taskId={taskId}
          channelPrefix={channelPrefix}
          metric={search.get('metric') ?? undefined}
        />
      )}
    </main>
  )
}
