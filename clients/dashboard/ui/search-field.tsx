import type { KeyboardEventHandler, Ref } from 'react'
import { Icon } from './icons.tsx'

interface SearchFieldProps {
  readonly label: string
  /** The label, where there is no other. */
  readonly placeholder?: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly isSmall?: boolean
  readonly maxLength?: number
  readonly field?: Ref<HTMLInputElement>
  readonly onKeyDown?: KeyboardEventHandler
}

/** Where somebody writes what is looked for. */
export const SearchField = ({
  label,
  placeholder = label,
  onChange,
  isSmall = false,
  field,
  ...input
}: SearchFieldProps) => (
  <label className={isSmall ? 'search search-small' : 'search'}>
    <Icon name="search" />
    <span className="visually-hidden">{label}</span>
    <input
      ref={field}
      type="search"
      placeholder={placeholder}
      onChange={({ target }) => onChange(target.value)}
      {...input}
    />
  </label>
)
