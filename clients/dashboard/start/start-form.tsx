import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { useStartTraining } from '../../react/index.ts'
import type { StartTrainingInput, TaskDetailsQuery, TrainersQuery } from '../../typescript/index.ts'
import { labelsText, parseLabels } from '../run/labels.ts'
import { LabelsField } from '../run/labels-field.tsx'
import { pathOf } from '../tasks/address.ts'
import { Icon } from '../ui/icons.tsx'
import { Problem } from '../ui/parts.tsx'
import { ParamInput } from './param-input.tsx'
import { fieldsOf, paramOf, textOf } from './params-form.ts'

interface StartFormProps {
  readonly trainer: TrainersQuery['server']['trainers'][number]
  /** A run of this trainer, whose parameters are there to begin with. */
  readonly before: TaskDetailsQuery['task']
  readonly machineId: string | null
}

/** The API has these two beside the others, whatever a trainer's schema calls its parameters. */
const MACHINE = 'machine_id'
const EPOCHS = 'epochs'

export function StartForm({ trainer, before, machineId }: StartFormProps) {
  const [, navigate] = useLocation()
  const [start, { isPending, error }] = useStartTraining()
  const [problem, setProblem] = useState<Error | null>(null)
  const fields = fieldsOf(trainer.paramsSchema)
  const known = (before?.params ?? {}) as Record<string, unknown>
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries((fields ?? []).map((field) => [field.name, textOf(field, known[field.name])])),
  )
  const [name, setName] = useState('')
  const [machine, setMachine] = useState(machineId ?? '')
  const [params, setParams] = useState(() => paramsText(before?.params))
  const [labels, setLabels] = useState(labelsText(before?.labels))
  const asksForMachine = fields === null || !fields.some(({ name }) => name === MACHINE)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setProblem(null)
    try {
      const { task } = await start(inputOf())
      navigate(pathOf(task))
    } catch (error) {
      setProblem(error as Error)
    }
  }

  function inputOf(): StartTrainingInput {
    const given = fields === null ? parseParams(params) : valuesOf()
    const { [MACHINE]: machineParam, [EPOCHS]: epochs, ...others } = given
    return {
      trainer: trainer.name,
      name: name.trim() || null,
      machineId: (asksForMachine ? machine.trim() : (machineParam as string | undefined)) || null,
      epochs: (epochs as number | undefined) ?? null,
      params: others,
      labels: parseLabels(labels, before?.labels),
    }
  }

  const valuesOf = (): Record<string, unknown> =>
    Object.fromEntries(
      (fields ?? []).flatMap((field) => {
        const value = paramOf(field, texts[field.name] ?? '')
        return value === undefined ? [] : [[field.name, value]]
      }),
    )

  return (
    <form className="card stack start-form" onSubmit={submit}>
      <div className="form-grid">
        <label className="field">
          <span>Name</span>
          <input
            maxLength={256}
            placeholder="for people"
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </label>
        {asksForMachine && (
          <label className="field">
            <span>Machine</span>
            <input maxLength={128} value={machine} onChange={({ target }) => setMachine(target.value)} />
          </label>
        )}
      </div>
      {fields === null ? (
        <label className="field">
          <span>Parameters</span>
          <textarea
            rows={4}
            spellCheck={false}
            placeholder="{}"
            value={params}
            onChange={({ target }) => setParams(target.value)}
          />
          <span className="hint">A JSON object; this trainer takes any</span>
        </label>
      ) : (
        <div className="form-grid">
          {fields.map((field) => (
            <ParamInput
              key={field.name}
              field={field}
              value={texts[field.name] ?? ''}
              onChange={(text) => setTexts((before) => ({ ...before, [field.name]: text }))}
            />
          ))}
        </div>
      )}
      <LabelsField rows={2} value={labels} onChange={setLabels} />
      <Problem error={problem ?? error} title="It was not started." />
      <div className="row">
        <button type="submit" className="button button-primary button-large" disabled={isPending}>
          <Icon name="play" />
          {isPending ? 'Starting' : 'Start'}
        </button>
        {trainer.launcher === 'external' && (
          <span className="hint">It trains elsewhere: this registers it, and shows what it reports.</span>
        )}
      </div>
    </form>
  )
}

/** Without what has a field of its own. */
function paramsText(params: unknown): string {
  const { [MACHINE]: _, ...others } = (params ?? {}) as Record<string, unknown>
  return Object.keys(others).length === 0 ? '' : JSON.stringify(others)
}

function parseParams(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Error(`The parameters are no JSON: ${(cause as Error).message}`, { cause })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Error('The parameters are no JSON object')
  return value as Record<string, unknown>
}
