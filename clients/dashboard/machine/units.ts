import type { Unit } from '../charts/unit.ts'
import { formatNumber } from '../ui/format.ts'

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Three digits that matter, such as `1.25 GiB`. */
function formatSize(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${SIZES[power]}`
}

const unit = (write: (value: number) => string, steps?: readonly number[]): Unit => ({
  format: (value) => (typeof value === 'number' ? write(value) : formatNumber(value)),
  ...(steps && { steps }),
})

const powersOfTwo: readonly number[] = Array.from({ length: 51 }, (_, power) => 2 ** power)
const rounded = (value: number) => formatNumber(Number(value.toPrecision(3)))

export const PERCENT = unit((value) => `${rounded(value)} %`)
export const BYTES = unit(formatSize, powersOfTwo)
export const BYTES_PER_SECOND = unit((value) => `${formatSize(value)}/s`, powersOfTwo)
export const CELSIUS = unit((value) => `${rounded(value)} °C`)
export const WATTS = unit((value) => `${rounded(value)} W`)
export const COUNT = unit(rounded)
