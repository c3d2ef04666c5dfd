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

/** A parameter is what it is, to the last digit. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
