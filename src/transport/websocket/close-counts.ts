/** A client may close with any code from 3000 to 4999: these are the ones that mean something here. */
const KNOWN: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 4400, 4401, 4403, 4408, 4409, 4429, 4499,
  4500,
])

/** Counts a closed socket by its code; codes that say nothing here are one. */
export function countClose(closes: Map<string, number>, code: number): void {
  const label = KNOWN.has(code) ? `${code}` : 'other'
  closes.set(label, (closes.get(label) ?? 0) + 1)
}
