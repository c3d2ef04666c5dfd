// @ts-check

/** Far above what any run reports. */
const TOTAL = 10_000_000
/** Three bytes in UTF-8. */
const FILLING = '…'

/**
 * What a trainer reports at a step: the same for the same number, so that whoever receives it can tell whether
 * it is what was sent.
 *
 * @param {number} sequence 1, 2, 3 …
 * @param {number} messageLength in characters of its text, at least; to make events large
 */
export function progressOf(sequence, messageLength = 0) {
  const noise = ((sequence * 7919) % 1000) / 1e6
  const said = `epoch ${1 + Math.floor(sequence / 500)}, step ${sequence}`
  return {
    current: sequence,
    total: TOTAL,
    loss: round(2.3 / (1 + sequence / 1000) + noise),
    metrics: {
      accuracy: round(1 - 1 / (2 + sequence / 1000) + noise),
      learning_rate: 0.0003,
      grad_norm: round(1.5 + noise * 100),
    },
    message: messageLength > said.length ? said.padEnd(messageLength, FILLING) : said,
  }
}

/** @typedef {ReturnType<typeof progressOf>} Progress */

/**
 * The fields of such an event that are known before anybody sees it, as the API delivers them.
 *
 * @param {number} sequence
 * @param {number} [messageLength]
 */
export function expectedEvent(sequence, messageLength) {
  const progress = progressOf(sequence, messageLength)
  return { __typename: 'ProgressUpdate', ...progress, progress: percentage(progress) }
}

/** @param {{ current: number, total: number }} progress */
export const percentage = ({ current, total }) => (100 * current) / total

/** @param {number} value */
const round = (value) => Math.round(value * 1e6) / 1e6
