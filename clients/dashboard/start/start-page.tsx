import { useState } from 'react'
import { useQuery } from 'urql'
import { useSearchParams } from 'wouter'
import { TaskDetailsDocument, TaskDocument, TrainersDocument } from '../../typescript/index.ts'
import { refsOf } from '../tasks/address.ts'
import { Problem, useTitle } from '../ui/parts.tsx'
import { StartForm } from './start-form.tsx'

/** A form for each trainer of the server's configuration. */
export default function StartPage() {
  useTitle('Start a run · Epochcast')
  const [search] = useSearchParams()
  const [like] = refsOf(search.get('like'))
  const [{ data, error }] = useQuery({ query: TrainersDocument })
  const variables = { id: like?.id ?? '', channelPrefix: like?.channelPrefix ?? null }
  const [before] = useQuery({ query: TaskDocument, variables, pause: !like })
  const [details] = useQuery({ query: TaskDetailsDocument, variables, pause: !like })
  const [chosen, setChosen] = useState<string | null>(null)
  const trainers = data?.server.trainers ?? []
  const isReady = data !== undefined && (!like || (!before.fetching && !details.fetching))
  const trainer =
    trainers.find(({ name }) => name === (chosen ?? before.data?.task?.trainer)) ?? trainers[0] ?? null
  return (
    <div className="narrow">
      <div className="page-head">
        <h1>Start a run</h1>
      </div>
      <Problem error={error} title="The trainers cannot be shown." />
      <Problem error={before.error ?? details.error} title="The run to repeat cannot be read." />
      {!isReady && !error && <p className="loading">Loading</p>}
      {isReady && trainer && (
        <>
          <fieldset className="trainers">
            <legend>Trainer</legend>
            {trainers.map(({ name, launcher, description }) => (
              <label key={name} className="card trainer">
                <input
                  type="radio"
                  name="trainer"
                  checked={name === trainer.name}
                  onChange={() => setChosen(name)}
                />
                <span>
                  <strong>{name}</strong> <span className="chip">{launcher}</span>
                  {description && <span className="hint">{description}</span>}
                </span>
              </label>
            ))}
          </fieldset>
          <StartForm
            key={trainer.name}
            trainer={trainer}
            before={before.data?.task?.trainer === trainer.name ? (details.data?.task ?? null) : null}
            machineId={before.data?.task?.machineId ?? null}
          />
        </>
      )}
    </div>
  )
}
