import { formatNumber } from '../ui/format.ts'

/** An object as a list of its names and values; what is deeper, as JSON. */
export function JsonView({ value }: { value: unknown }) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return <pre>{textOf(value)}</pre>
  return (
    <dl className="facts">
      {Object.entries(value).map(([name, entry]) => (
        <div key={name} className="fact-row">
          <dt title={name}>{name}</dt>
          <dd>{textOf(entry)}</dd>
        </div>
      ))}
    </dl>
  )
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && !Number.isInteger(value)) return formatNumber(value)
  return JSON.stringify(value)
}
