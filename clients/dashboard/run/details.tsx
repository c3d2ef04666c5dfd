import type { ReactNode } from 'react'
import { useQuery } from 'urql'
import { Link } from 'wouter'
import { TaskDetailsDocument, type TaskSummaryFragment } from '../../typescript/index.ts'
import { pathOf } from '../tasks/address.ts'
import { formatDate } from '../ui/format.ts'
import { Problem } from '../ui/parts.tsx'
import { JsonView } from './json-view.tsx'
import { labelsOf } from './labels.ts'

/** What does not change while it runs, and its result. */
export function Details({ task }: { task: TaskSummaryFragment }) {
  const { id, channelPrefix, result, retryOf, trainer, machineId, startedAt, finishedAt, createdAt } = task
  const [{ data, error }] = useQuery({ query: TaskDetailsDocument, variables: { id, channelPrefix } })
  const details = data?.task
  const labels = labelsOf(details?.labels)
  return (
    <aside className="details" aria-label="Details">
      {result != null && (
        <section className="card">
          <h2>Result</h2>
          <JsonView value={result} />
        </section>
      )}
      <section className="card">
        <h2>Details</h2>
        <Problem error={error} title="" />
        {labels.length > 0 && (
          <ul className="chips" aria-label="Labels">
            {labels.map(([name, value]) => (
              <li key={name} className="chip">
                <span className="muted">{name}</span> {value}
              </li>
            ))}
          </ul>
        )}
        <dl className="facts">
          <Fact name="Trainer" value={trainer} />
          <Fact name="Machine" value={machineId} />
          <Fact name="Started by" value={details?.startedBy} />
          <Fact name="Created" value={formatDate(createdAt)} />
          <Fact name="Started" value={startedAt && formatDate(startedAt)} />
          <Fact name="Finished" value={finishedAt && formatDate(finishedAt)} />
          <Fact
            name="Repeats"
            value={
              retryOf && <Link href={pathOf({ channelPrefix, id: retryOf })}>{retryOf.slice(0, 8)}</Link>
            }
          />
          <Fact name="Channel" value={<code>{task.channel}</code>} />
        </dl>
      </section>
      {details && Object.keys((details.params ?? {}) as object).length > 0 && (
        <section className="card">
          <h2>Parameters</h2>
          <JsonView value={details.params} />
        </section>
      )}
    </aside>
  )
}

const Fact = ({ name, value }: { name: string; value: ReactNode }) =>
  value == null || value === '' ? null : (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
