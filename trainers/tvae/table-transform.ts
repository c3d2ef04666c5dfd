import { z } from 'zod'
import type { Random } from '../random.ts'
import { fitGaussianMixture, responsibilities } from './gaussian-mixture.ts'

export type Row = Record<string, number | string>

/** Mode-specific normalisation spans four standard deviations either side of a mode's mean. */
const spanStds = 4
const maxModes = 5

export const tableTransformSchema = z.object({
  continuous: z.array(
    z.object({
      name: z.string(),
      modes: z.array(z.object({ weight: z.number(), mean: z.number(), std: z.number().positive() })).min(1),
      /** Range seen in training; decoded values are clamped to it. */
      min: z.number(),
      max: z.number(),
    }),
  ),
  categorical: z.array(z.object({ name: z.string(), categories: z.array(z.string()).min(1) })),
})

/**
 * How a table's columns become a network's inputs, and back (Xu et al. 2019, section 4.2).
 *
 * A row is encoded as [α₁ … α_C | one-hot mode of column 1 | … | one-hot mode of column C | one-hot
 * categoricals], where a continuous value x in mode k of its column becomes α = (x − μₖ) / 4σₖ.
 * Simplified against the paper: the modes come from plain EM with the 1 to 5 components that
 * fit best (BIC), in place of a variational mixture of 10 that switches off what it does not need.
 */
export type TableTransform = z.infer<typeof tableTransformSchema>

export function fitTableTransform(
  rows: readonly Row[],
  columns: { continuous: readonly string[]; categorical: Readonly<Record<string, readonly string[]>> },
): TableTransform {
  return {
    continuous: columns.continuous.map((name) => {
      const values = rows.map((row) => Number(row[name]))
      return {
        name,
        modes: fitGaussianMixture(values, maxModes),
        min: values.reduce((a, b) => Math.min(a, b)),
        max: values.reduce((a, b) => Math.max(a, b)),
      }
    }),
    categorical: Object.entries(columns.categorical).map(([name, categories]) => ({
      name,
      categories: [...categories],
    })),
  }
}

/** Sizes of the one-hot groups, in the order of the encoding. */
export function groupSizes(transform: TableTransform): number[] {
  return [
    ...transform.continuous.map(({ modes }) => modes.length),
    ...transform.categorical.map(({ categories }) => categories.length),
  ]
}

export function encodedWidth(transform: TableTransform): number {
  return groupSizes(transform).reduce((sum, size) => sum + size, transform.continuous.length)
}

/** Row-major, shape [rows, encodedWidth]. A value between modes falls into one of them at random. */
export function encodeRows(rows: readonly Row[], transform: TableTransform, random: Random): Float32Array {
  const width = encodedWidth(transform)
  const encoded = new Float32Array(rows.length * width)
  for (const [rowIndex, row] of rows.entries()) {
    const start = rowIndex * width
    let groupStart = start + transform.continuous.length
    for (const [columnIndex, { name, modes }] of transform.continuous.entries()) {
      const value = Number(row[name])
      const modeIndex = random.choice(responsibilities(value, modes))
      const mode = modes[modeIndex] ?? { mean: 0, std: 1 }
      const alpha = (value - mode.mean) / (spanStds * mode.std)
      encoded[start + columnIndex] = Math.min(0.99, Math.max(-0.99, alpha))
      encoded[groupStart + modeIndex] = 1
      groupStart += modes.length
    }
    for (const { name, categories } of transform.categorical) {
      const index = categories.indexOf(String(row[name]))
      if (index < 0) throw new Error(`column ${name}: ${row[name]} is none of ${categories.join(', ')}`)
      encoded[groupStart + index] = 1
      groupStart += categories.length
    }
  }
  return encoded
}

/** A decoded row: the means α of the continuous columns, and per one-hot group its probabilities. */
export interface DecodedRow {
  alphas: ArrayLike<number>
  probabilities: readonly (readonly number[])[]
}

/** Draws a table row from what the decoder says about it; `alphaStds` are the decoder's learned spreads. */
export function drawRow(
  { alphas, probabilities }: DecodedRow,
  alphaStds: ArrayLike<number>,
  transform: TableTransform,
  random: Random,
): Row {
  const row: Row = {}
  for (const [index, { name, modes, min, max }] of transform.continuous.entries()) {
    const mode = modes[random.choice(probabilities[index] ?? [1])] ?? { mean: 0, std: 1 }
    const alpha = (alphas[index] ?? 0) + (alphaStds[index] ?? 0) * random.normal()
    const value = mode.mean + spanStds * mode.std * Math.min(1, Math.max(-1, alpha))
    row[name] = Math.min(max, Math.max(min, value))
  }
  for (const [index, { name, categories }] of transform.categorical.entries()) {
    const drawn = random.choice(probabilities[transform.continuous.length + index] ?? [1])
    row[name] = categories[drawn] ?? ''
  }
  return row
}
