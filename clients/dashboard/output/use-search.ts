import { useMemo, useState } from 'react'
import type { OutputLineEvent } from '../../typescript/index.ts'
import { find, patternOf } from './find.ts'

export interface Search {
  readonly text: string
  readonly pattern: RegExp | null
  /** Lines that match. */
  readonly count: number
  /** Which of them is the current one, from 1 on; 0 where none is. */
  readonly position: number
  /** The number of the current line; null where there is none. */
  readonly current: number | null
  /** Goes to the first match from where the search stands. @param from number of the line where it begins */
  look(text: string, from: number): void
  /** To the next match, or the one before; at the ends it begins again. */
  move(by: 1 | -1): void
}

/** Search in lines that come and go: the current match is a line, by its number, and stays the same. */
export function useSearch(lines: readonly OutputLineEvent[], firstNumber: number): Search {
  const [{ text, current }, set] = useState<{ text: string; current: number | null }>({
    text: '',
    current: null,
  })
  const pattern = useMemo(() => patternOf(text), [text])
  const found = useMemo(() => find(lines, pattern), [lines, pattern])
  const position = current === null ? 0 : found.indexOf(current - firstNumber) + 1
  const numberAt = (position: number) => {
    const index = found[position]
    return index === undefined ? null : firstNumber + index
  }
  return {
    ...{ text, pattern, current: position === 0 ? null : current, position, count: found.length },
    look: (text, from) => {
      const matches = find(lines, patternOf(text))
      const start = position === 0 ? from : (current ?? from)
      const index = matches.find((index) => firstNumber + index >= start) ?? matches[0]
      set({ text, current: index === undefined ? null : firstNumber + index })
    },
    move: (by) => {
      if (found.length === 0) return
      const next = position === 0 ? (by === 1 ? 0 : found.length - 1) : position - 1 + by
      set({ text, current: numberAt((next + found.length) % found.length) })
    },
  }
}
