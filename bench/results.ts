import { BARE, DOORS, type Engine, EPOCHCAST, WITHOUT_CURVES, YOGA } from './candidates/candidate.ts'
import type { Row, Scenario, Sizes } from './scenarios/scenario.ts'
import { median } from './stats.ts'

/** What one scenario came to on one engine. */
export interface ScenarioResults {
  readonly scenario: Scenario
  readonly engine: Engine
  readonly candidates: readonly string[]
  /** The values of each round, by candidate. */
  readonly rounds: Map<string, Record<string, number>[]>
  /** Of those whose run was invalid, by candidate. */
  readonly errors: Map<string, string>
}

/** A line of the table. */
export interface Line {
  readonly scenario: string
  readonly engine: string
  readonly label: string
  readonly unit: string
  readonly candidate: string
  readonly median: string
  readonly range: string
  readonly ofBare: string
  readonly ofYoga: string
  readonly target: string
  readonly verdict: '' | 'met' | 'MISSED' | 'INVALID'
}

export function linesOf(results: ScenarioResults, sizes: Sizes): Line[] {
  return results.scenario
    .rows(sizes)
    .flatMap((row) => results.candidates.flatMap((candidate) => lineOf(results, sizes, row, candidate)))
}

/**
 * @param sizes of a quick run nothing is expected
 * @returns none where the candidate has no such value
 */
function lineOf(results: ScenarioResults, sizes: Sizes, row: Row, candidate: string): Line[] {
  const { scenario, engine, errors } = results
  const values = valuesOf(results, row, candidate)
  const isInvalid = errors.has(candidate)
  if (values.length === 0 && !isInvalid) return []
  // What is a ratio itself is not compared any further.
  const ratioTo = (other: string) => (row.unit === '×' ? null : ratio(values, valuesOf(results, row, other)))
  const show = (value: number) => number(value, row.digits ?? 0)
  // The ratios to the references have a column each.
  const foundBeside = (other: string) =>
    other === WITHOUT_CURVES && ratioTo(other) !== null ? ` (${times(ratioTo(other))})` : ''
  const isOurs = candidate === EPOCHCAST || candidate in DOORS
  const targets = isOurs && !sizes.quick ? (row.targets ?? []) : []
  const checks = targets.flatMap(({ against, atMost }) => {
    const found = against ? ratioTo(against) : values.length > 0 ? median(values) : null
    return found === null ? [] : [found <= atMost]
  })
  return [
    {
      scenario: scenario.name,
      engine,
      label: row.label,
      unit: row.unit,
      candidate,
      median: values.length > 0 ? show(median(values)) : '',
      range: values.length > 1 ? `${show(Math.min(...values))} – ${show(Math.max(...values))}` : '',
      ofBare: candidate === BARE ? '' : times(ratioTo(BARE)),
      ofYoga: candidate === YOGA ? '' : times(ratioTo(YOGA)),
      target: targets
        .map(({ against, atMost }) =>
          against
            ? `≤ ${number(atMost, 2)} × ${shortName(against)}${foundBeside(against)}`
            : `≤ ${atMost} ${row.unit}`,
        )
        .join(', '),
      verdict: isInvalid ? 'INVALID' : checks.length === 0 ? '' : checks.every(Boolean) ? 'met' : 'MISSED',
    },
  ]
}

function valuesOf({ rounds, errors }: ScenarioResults, { key }: Row, candidate: string) {
  if (errors.has(candidate)) return []
  return (rounds.get(candidate) ?? []).flatMap((values) => values[key] ?? [])
}

/** The median of the ratios within a round; what drifts between rounds drops out. */
function ratio(values: readonly number[], others: readonly number[]) {
  const ratios = values.flatMap((value, round) => {
    const other = others[round]
    return other ? [value / other] : []
  })
  return ratios.length > 0 ? median(ratios) : null
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  [BARE]: 'bare',
  [WITHOUT_CURVES]: 'without curves',
  [YOGA]: 'Yoga',
}
const shortName = (candidate: string) => SHORT_NAMES[candidate] ?? candidate

const times = (value: number | null) => (value === null ? '' : `${number(value, 2)} ×`)

const number = (value: number, digits: number) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
