import type { MetricValue } from './format.ts'

const WIDTH = 96
const HEIGHT = 28
const PAD = 2

/** A curve without axes; what is not a number is a gap. */
export function Sparkline({ values }: { values: readonly MetricValue[] }) {
  const finite = values.filter((value) => typeof value === 'number')
  if (finite.length < 2) return <span className="sparkline" />
  const low = Math.min(...finite)
  const range = Math.max(...finite) - low || 1
  const x = (index: number) => PAD + (index / (values.length - 1)) * (WIDTH - 2 * PAD)
  const y = (value: number) => HEIGHT - PAD - ((value - low) / range) * (HEIGHT - 2 * PAD)
  let isDrawing = false
  const path = values
    .map((value, index) => {
      if (typeof value !== 'number') {
        isDrawing = false
        return ''
      }
      const command = `${isDrawing ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
      isDrawing = true
      return command
    })
    .join('')
  return (
    <svg className="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path d={path} />
    </svg>
  )
}
