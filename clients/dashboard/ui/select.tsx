import { useId } from 'react'

interface SelectProps<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly options: readonly (readonly [value: Value, label: string])[]
  readonly onChange: (value: Value) => void
  readonly isLabelHidden?: boolean
}

export function Select<Value extends string>({
  label,
  value,
  options,
  onChange,
  isLabelHidden = false,
}: SelectProps<Value>) {
  const id = useId()
  return (
    <span className="field-inline">
      <label htmlFor={id} className={isLabelHidden ? 'visually-hidden' : 'muted'}>
        {label}
      </label>
      <select id={id} value={value} onChange={({ target }) => onChange(target.value as Value)}>
        {options.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </span>
  )
}

/** A few choices beside each other, one of them pressed. */
export function Segmented<Value extends string>({ label, value, options, onChange }: SelectProps<Value>) {
  const name = useId()
  return (
    <fieldset className="segmented">
      <legend className="visually-hidden">{label}</legend>
      {options.map(([option, text]) => (
        <label key={option}>
          <input
            type="radio"
            name={name}
            className="visually-hidden"
            checked={option === value}
            onChange={() => onChange(option)}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  )
}
