import type { MetricValue } from '../options.ts'

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
const NOT_FINITE = '×'

/**
 * The newest values as a curve of at most `width` columns. Where there are more values than columns,
 * each column shows its last; a column in which a value was not finite shows `×`, so that none is lost.
 */
export function sparkline(values: readonly MetricValue[], width: number): string {
  const columns = inColumns(values, width)
  const finite = columns.filter((value) => typeof value === 'number')
  const max = Math.max(...finite)
  const lowest = Math.min(...finite)
  // 1e308 and -1e308 are further apart than a number can say; their halves are not.
  const scale = Number.isFinite(max - lowest) ? 1 : 0.5
  const min = lowest * scale
  const range = max * scale - min
  return columns
    .map((value) => {
      if (typeof value !== 'number') return NOT_FINITE
      const level = range === 0 ? 0 : Math.round(((value * scale - min) / range) * (BARS.length - 1))
      return BARS[level] ?? NOT_FINITE
    })
    .join('')
}

function inColumns(values: readonly MetricValue[], width: number): MetricValue[] {
  if (values.length <= width) return [...values]
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * values.length) / width)
    const bucket = values.slice(from, Math.floor(((column + 1) * values.length) / width))
    return bucket.find((value) => typeof value === 'string') ?? bucket.at(-1) ?? 'NaN'
  })
}
