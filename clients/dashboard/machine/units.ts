import type { Unit } from '../charts/unit.ts'
import { digitsFor, distanceOf, formatNumber } from '../ui/format.ts'

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Three digits that matter, such as `1.25 GiB`, or as many as tell it from what is so far away. */
function formatSize(bytes: number, distance?: number): string {
  const power = bytes < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${rounded(bytes / 1024 ** power, distance && distance / 1024 ** power)} ${SIZES[power]}`
}

type Write = (value: number, distance?: number) => string

const unit = (write: Write, steps?: readonly number[]): Unit => ({
  format: (value, distance) => (typeof value === 'number' ? write(value, distance) : formatNumber(value)),
  ticks: (values) => values.map((value) => write(value, distanceOf(values) / 2)),
  ...(steps && { steps }),
})

const powersOfTwo: readonly number[] = Array.from({ length: 51 }, (_, power) => 2 ** power)
const rounded: Write = (value, distance = Number.POSITIVE_INFINITY) =>
  formatNumber(Number(value.toPrecision(digitsFor(value, distance, 3))), distance)

export const PERCENT = unit((value, distance) => `${rounded(value, distance)} %`)
export const BYTES = unit(formatSize, powersOfTwo)
export const BYTES_PER_SECOND = unit((value, distance) => `${formatSize(value, distance)}/s`, powersOfTwo)
export const CELSIUS = unit((value, distance) => `${rounded(value, distance)} °C`)
export const WATTS = unit((value, distance) => `${rounded(value, distance)} W`)
export const COUNT = unit(rounded)
