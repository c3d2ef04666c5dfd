// @ts-check
import { BARE, EPOCHCAST, YOGA } from './candidates/candidate.js'
import { median } from './stats.js'

/** @typedef {import('./candidates/candidate.js').Engine} Engine */
/** @typedef {import('./scenarios/scenario.js').Scenario} Scenario */
/** @typedef {import('./scenarios/scenario.js').Sizes} Sizes */
/** @typedef {import('./scenarios/scenario.js').Row} Row */

/**
 * What one scenario came to on one engine.
 *
 * @typedef {object} ScenarioResults
 * @property {Scenario} scenario
 * @property {Engine} engine
 * @property {readonly string[]} candidates
 * @property {Map<string, Record<string, number>[]>} rounds the values of each round, by candidate
 * @property {Map<string, string>} errors of those whose run was invalid, by candidate
 *
 * @typedef {object} Line of the table
 * @property {string} scenario
 * @property {string} engine
 * @property {string} label
 * @property {string} unit
 * @property {string} candidate
 * @property {string} median
 * @property {string} range
 * @property {string} ofBare
 * @property {string} ofYoga
 * @property {string} target
 * @property {'' | 'met' | 'MISSED' | 'INVALID'} verdict
 */

/**
 * @param {ScenarioResults} results
 * @param {Sizes} sizes
 * @returns {Line[]}
 */
export function linesOf(results, sizes) {
  return results.scenario
    .rows(sizes)
    .flatMap((row) => results.candidates.flatMap((candidate) => lineOf(results, sizes, row, candidate)))
}

/**
 * @param {ScenarioResults} results
 * @param {Sizes} sizes of a quick run nothing is expected
 * @param {Row} row
 * @param {string} candidate
 * @returns {Line[]} none where the candidate has no such value
 */
function lineOf(results, sizes, row, candidate) {
  const { scenario, engine, errors } = results
  const values = valuesOf(results, row, candidate)
  const isInvalid = errors.has(candidate)
  if (values.length === 0 && !isInvalid) return []
  // What is a ratio itself is not compared any further.
  const ratioTo = (/** @type {string} */ other) =>
    row.unit === '×' ? null : ratio(values, valuesOf(results, row, other))
  const show = (/** @type {number} */ value) => number(value, row.digits ?? 0)
  const targets = candidate === EPOCHCAST && !sizes.quick ? (row.targets ?? []) : []
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
            ? `≤ ${number(atMost, 2)} × ${against === YOGA ? 'Yoga' : 'bare'}`
            : `≤ ${atMost} ${row.unit}`,
        )
        .join(', '),
      verdict: isInvalid ? 'INVALID' : checks.length === 0 ? '' : checks.every(Boolean) ? 'met' : 'MISSED',
    },
  ]
}

/**
 * @param {ScenarioResults} results
 * @param {Row} row
 * @param {string} candidate
 */
function valuesOf({ rounds, errors }, { key }, candidate) {
  if (errors.has(candidate)) return []
  return (rounds.get(candidate) ?? []).flatMap((values) => values[key] ?? [])
}

/**
 * The median of the ratios within a round; what drifts between rounds drops out.
 *
 * @param {readonly number[]} values
 * @param {readonly number[]} others
 */
function ratio(values, others) {
  const ratios = values.flatMap((value, round) => {
    const other = others[round]
    return other ? [value / other] : []
  })
  return ratios.length > 0 ? median(ratios) : null
}

/** @param {number | null} value */
const times = (value) => (value === null ? '' : `${number(value, 2)} ×`)

/**
 * @param {number} value
 * @param {number} digits
 */
const number = (value, digits) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
