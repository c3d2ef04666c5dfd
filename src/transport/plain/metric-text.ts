/** A number as Python writes it; null for a text that is none. */
export function metricOf(text: string): number | 'NaN' | 'Infinity' | '-Infinity' | null {
  const special = SPECIAL.get(text.trim().toLowerCase())
  if (special !== undefined) return special
  const value = Number(text)
  return text.trim() !== '' && Number.isFinite(value) ? value : null
}

const SPECIAL: ReadonlyMap<string, 'NaN' | 'Infinity' | '-Infinity'> = new Map([
  ['nan', 'NaN'],
  ['inf', 'Infinity'],
  ['infinity', 'Infinity'],
  ['-inf', '-Infinity'],
  ['-infinity', '-Infinity'],
])
