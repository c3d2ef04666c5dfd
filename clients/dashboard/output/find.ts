import type { OutputLineEvent } from '../../typescript/index.ts'
import { plainText, type Span } from './ansi.ts'

const plain = new WeakMap<OutputLineEvent, string>()

/** A line's text without escape codes; made once. */
export function plainOf(line: OutputLineEvent): string {
  const known = plain.get(line)
  if (known !== undefined) return known
  const text = plainText(line.text)
  plain.set(line, text)
  return text
}

/** What finds a text in a line, whatever its case; null where nothing is looked for. */
export const patternOf = (wanted: string): RegExp | null =>
  wanted === '' ? null : new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'giu')

/** Indexes of the lines that have it, in order. */
export function find(lines: readonly OutputLineEvent[], pattern: RegExp | null): readonly number[] {
  if (!pattern) return []
  const found: number[] = []
  for (const [index, line] of lines.entries()) if (plainOf(line).search(pattern) >= 0) found.push(index)
  return found
}

export interface Part extends Span {
  readonly isMatch: boolean
}

/** Spans, cut where matches begin and end: a match may reach over several colours. */
export function partsOf(spans: readonly Span[], pattern: RegExp | null): readonly Part[] {
  if (!pattern) return spans.map((span) => ({ ...span, isMatch: false }))
  const ranges = Array.from(
    spans
      .map(({ text }) => text)
      .join('')
      .matchAll(pattern),
    ({ index, 0: text }) => [index, index + text.length] as const,
  )
  const parts: Part[] = []
  let start = 0
  for (const span of spans) {
    const end = start + span.text.length
    const add = (from: number, to: number, isMatch: boolean) => {
      const text = span.text.slice(Math.max(from, start) - start, Math.min(to, end) - start)
      if (text !== '') parts.push({ ...span, text, isMatch })
    }
    let at = start
    for (const [from, to] of ranges) {
      if (to <= start || from >= end) continue
      add(at, from, false)
      add(from, to, true)
      at = to
    }
    add(at, end, false)
    start = end
  }
  return parts
}
