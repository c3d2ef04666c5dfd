/** One component of a one-dimensional Gaussian mixture. */
export interface Mode {
  weight: number
  mean: number
  std: number
}

const iterations = 40
/** More values than this do not move the modes, but would hold the thread for seconds. */
const maxFittedValues = 5000
/** Components that explain less than this share of the values are dropped. */
const minWeight = 0.01

/**
 * The mixture of 1 to `maxModes` components that the Bayesian information criterion prefers; its
 * weights sum to 1. `allValues` are in no particular order: of very many, the first are used.
 */
export function fitGaussianMixture(allValues: readonly number[], maxModes: number): Mode[] {
  const values = allValues.slice(0, maxFittedValues)
  const candidates = Array.from({ length: maxModes }, (_, index) => maximiseExpectation(values, index + 1))
  const scores = candidates.map((modes) => criterion(values, modes))
  return candidates[scores.indexOf(Math.min(...scores))] ?? []
}

/** Expectation–maximisation from means at evenly spaced quantiles. */
function maximiseExpectation(values: readonly number[], count: number): Mode[] {
  const sorted = [...values].sort((a, b) => a - b)
  const spread = standardDeviation(values)
  const minStd = Math.max(1e-3 * spread, 1e-6)
  let modes: Mode[] = Array.from({ length: count }, (_, index) => ({
    weight: 1 / count,
    mean: sorted[Math.floor(((index + 0.5) / count) * sorted.length)] ?? 0,
    std: Math.max(spread / count, minStd),
  }))
  for (let iteration = 0; iteration < iterations; iteration++) {
    modes = maximise(values, modes, minStd)
  }
  const kept = modes.filter(({ weight }) => weight >= minWeight)
  const total = kept.reduce((sum, { weight }) => sum + weight, 0)
  return kept.map((mode) => ({ ...mode, weight: mode.weight / total }))
}

/** BIC: −2 log likelihood, plus log n for each of the 3k − 1 free parameters. */
function criterion(values: readonly number[], modes: readonly Mode[]): number {
  let logLikelihood = 0
  for (const value of values) {
    const density = modes.reduce(
      (sum, { weight, mean, std }) => sum + (weight / std) * Math.exp(-(((value - mean) / std) ** 2) / 2),
      0,
    )
    logLikelihood += Math.log(density + Number.MIN_VALUE) - Math.log(2 * Math.PI) / 2
  }
  return (3 * modes.length - 1) * Math.log(values.length) - 2 * logLikelihood
}

/** The probability of each mode given the value. */
export function responsibilities(value: number, modes: readonly Mode[]): Float64Array {
  const shares = new Float64Array(modes.length)
  assignResponsibilities(shares, value, modes)
  return shares
}

function assignResponsibilities(shares: Float64Array, value: number, modes: readonly Mode[]): void {
  let highest = Number.NEGATIVE_INFINITY
  for (const [index, { weight, mean, std }] of modes.entries()) {
    const logDensity = Math.log(weight / std + Number.MIN_VALUE) - ((value - mean) / std) ** 2 / 2
    shares[index] = logDensity
    highest = Math.max(highest, logDensity)
  }
  let total = 0
  for (let index = 0; index < shares.length; index++) {
    const density = Math.exp((shares[index] as number) - highest)
    shares[index] = density
    total += density
  }
  for (let index = 0; index < shares.length; index++) shares[index] = (shares[index] as number) / total
}

function maximise(values: readonly number[], modes: readonly Mode[], minStd: number): Mode[] {
  const shares = new Float64Array(modes.length)
  const sums = modes.map(({ mean }) => ({ mean, share: 0, first: 0, second: 0 }))
  for (const value of values) {
    assignResponsibilities(shares, value, modes)
    for (const [index, sum] of sums.entries()) {
      const share = shares[index] as number
      // Moments about the old mean: about zero they would cancel for a narrow mode far from it.
      const deviation = value - sum.mean
      sum.share += share
      sum.first += share * deviation
      sum.second += share * deviation ** 2
    }
  }
  return sums.map(({ mean, share, first, second }) => {
    if (share < 1e-9) return { weight: 0, mean, std: minStd }
    const shift = first / share
    return {
      weight: share / values.length,
      mean: mean + shift,
      std: Math.max(Math.sqrt(Math.max(0, second / share - shift ** 2)), minStd),
    }
  })
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}
