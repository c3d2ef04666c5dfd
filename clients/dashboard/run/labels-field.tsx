interface LabelsFieldProps {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly rows: number
  readonly disabled?: boolean
}

/** Labels as `labelsText` writes them. */
export const LabelsField = ({ onChange, ...field }: LabelsFieldProps) => (
  <label className="field">
    <span>Labels</span>
    <textarea
      placeholder="team=vision"
      spellCheck={false}
      onChange={({ target }) => onChange(target.value)}
      {...field}
    />
    <span className="hint">One name=value a line</span>
  </label>
)
