/** Labels may be any JSON; what is no object of texts is shown as it is. */
export function labelsOf(labels: unknown): [name: string, value: string][] {
  if (labels === null || typeof labels !== 'object' || Array.isArray(labels)) return []
  return Object.entries(labels).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
}

/** One `name=value` a line. */
export const labelsText = (labels: unknown): string =>
  labelsOf(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')

/**
 * What `labelsText` wrote. A value that is as it was before keeps its type: a number stays one.
 *
 * @throws Error that names the line
 */
export function parseLabels(text: string, before: unknown): Record<string, unknown> | null {
  const known = new Map(labelsOf(before))
  const labels: Record<string, unknown> = {}
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const at = line.indexOf('=')
    const name = line.slice(0, at).trim()
    if (at < 0 || name === '') throw new Error(`"${line.trim()}" is no label; expected name=value`)
    const value = line.slice(at + 1).trim()
    labels[name] = known.get(name) === value ? (before as Record<string, unknown>)[name] : value
  }
  return Object.keys(labels).length === 0 ? null : labels
}
