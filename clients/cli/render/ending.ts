import { isFinal, type WatchState } from '../watch-state.ts'
import { formatSeconds } from './format.ts'
import { paint, type Span, STATUS_STYLE } from './styles.ts'
import { printable, printableLines } from './text.ts'

/** How the training ended: the status, then the result, or the error with the trainer's last words. */
export function endingLines(state: WatchState, colors: boolean): string[] {
  const { task, told } = state
  const { status, id, error, result, stopReason } = task
  const { startedAt, finishedAt } = told
  const took =
    startedAt && finishedAt
      ? ` after ${formatSeconds(Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)}`
      : ''
  const line = (...spans: Span[]) => paint(spans, Number.POSITIVE_INFINITY, colors)
  const title = line({ text: status, style: STATUS_STYLE[status] }, { text: ` ${printable(id)}${took}` })
  if (!isFinal(state)) return [title]
  switch (status) {
    case 'SUCCESS':
      return result === null ? [title] : [title, `result ${printable(JSON.stringify(result))}`]
    case 'FAILURE': {
      const [first = 'no reason was given', ...tail] = printableLines(error?.message ?? '')
      const text = error?.type ? `${printable(error.type)}: ${first}` : first
      return [title, line({ text: `error ${text}`, style: 'red' }), ...tail.map((text) => `  ${text}`)]
    }
    default:
      return stopReason ? [title, `reason ${printable(stopReason)}`] : [title]
  }
}
