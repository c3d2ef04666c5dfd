import { useId } from 'react'
import { formatCount } from '../ui/format.ts'
import { type ParamField, textOf } from './params-form.ts'

interface ParamInputProps {
  readonly field: ParamField
  readonly value: string
  readonly onChange: (value: string) => void
}

export function ParamInput({ field, value, onChange }: ParamInputProps) {
  const id = useId()
  const hint = `${id}-hint`
  const { name, description, isRequired } = field
  const bounds = boundsOf(field)
  return (
    <div className="field">
      <label htmlFor={id}>
        {name}
        {bounds && <span className="muted"> {bounds}</span>}
      </label>
      {control()}
      {description && (
        <span id={hint} className="hint">
          {description}
        </span>
      )}
    </div>
  )

  function control() {
    const common = { id, required: isRequired, ...(description && { 'aria-describedby': hint }) }
    const preset = textOf(field, field.preset)
    switch (field.kind) {
      case 'boolean':
      case 'choice': {
        const choices = field.kind === 'boolean' ? [true, false] : field.choices
        return (
          <select {...common} value={value} onChange={({ target }) => onChange(target.value)}>
            <option value="">{preset ? `default (${preset})` : '–'}</option>
            {choices.map((choice) => (
              <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
                {String(choice)}
              </option>
            ))}
          </select>
        )
      }
      case 'json':
        return (
          <textarea
            {...common}
            rows={2}
            spellCheck={false}
            placeholder={preset || 'JSON'}
            value={value}
            onChange={({ target }) => onChange(target.value)}
          />
        )
      case 'text':
        return (
          <input
            {...common}
            placeholder={preset}
            value={value}
            onChange={({ target }) => onChange(target.value)}
            {...(field.maxLength !== null && { maxLength: field.maxLength })}
            {...(field.pattern !== null && { pattern: htmlPattern(field.pattern) })}
          />
        )
      default:
        return (
          <input
            {...common}
            type="number"
            inputMode="decimal"
            placeholder={preset}
            value={value}
            onChange={({ target }) => onChange(target.value)}
            step={field.step ?? (field.kind === 'integer' ? 1 : 'any')}
            {...(field.minimum !== null && { min: field.minimum })}
            {...(field.maximum !== null && { max: field.maximum })}
          />
        )
    }
  }
}

/** A schema's pattern may occur anywhere in the text; that of a form is for all of it. */
const htmlPattern = (pattern: string): string => `.*(?:${pattern}).*`

function boundsOf({ minimum, maximum }: ParamField): string | null {
  if (minimum !== null && maximum !== null) return `${exact(minimum)} – ${exact(maximum)}`
  if (minimum !== null) return `≥ ${exact(minimum)}`
  return maximum === null ? null : `≤ ${exact(maximum)}`
}

/** A bound that is rounded is another one. */
const exact = (bound: number) => (Number.isSafeInteger(bound) ? formatCount(bound) : String(bound))
