/** Far above what any run reports. */
const TOTAL = 10_000_000
/** Three bytes in UTF-8. */
const FILLING = '…'

/**
 * What a trainer reports at a step: the same for the same number, so that whoever receives it can tell whether
 * it is what was sent.
 *
 * @param sequence 1, 2, 3 …
 * @param messageLength in characters of its text, at least; to make events large
 */
export function progressOf(sequence: number, messageLength: number = 0) {
  const noise = ((sequence * 7919) % 1000) / 1e6
  const loss = round(2.3 / (1 + sequence / 1000) + noise)
  const said = `epoch ${1 + Math.floor(sequence / 500)}, step ${sequence}`
  return {
    current: sequence,
    total: TOTAL,
    loss,
    metrics: {
      accuracy: round(1 - 1 / (2 + sequence / 1000) + noise),
      learning_rate: 0.0003,
      grad_norm: round(1.5 + noise * 100),
      // Where it stands in every event; trainers that report all of their metrics report it so, too.
      loss,
    },
    message: messageLength > said.length ? said.padEnd(messageLength, FILLING) : said,
  }
}

export type Progress = ReturnType<typeof progressOf>

/** The fields of such an event that are known before anybody sees it, as the API delivers them. */
export function expectedEvent(sequence: number, messageLength?: number) {
  const progress = progressOf(sequence, messageLength)
  return { __typename: 'ProgressUpdate', ...progress, progress: percentage(progress) }
}

export const percentage = ({ current, total }: { current: number; total: number }) => (100 * current) / total

const round = (value: number) => Math.round(value * 1e6) / 1e6
