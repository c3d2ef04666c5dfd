import { styleText } from 'node:util'
import type { TaskStatus } from '../../typescript/index.ts'
import type { Output } from '../terminal.ts'
import { truncate, widthOf } from './text.ts'

export type Style = Parameters<typeof styleText>[0]

/** Text of one style; a line is a row of them, so that it is measured before it is coloured. */
export interface Span {
  readonly text: string
  readonly style?: Style | undefined
}

export const STATUS_STYLE: Readonly<Record<TaskStatus, Style>> = {
  QUEUED: 'gray',
  RUNNING: 'cyan',
  STALLED: 'yellow',
  SUCCESS: 'green',
  FAILURE: 'red',
  CANCELLED: 'magenta',
}

/** Colours are for people: only on a terminal, and not where NO_COLOR asks for none. */
export function hasColors(output: Output, env: Readonly<Record<string, string | undefined>>): boolean {
  return output.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
}

/** One line of at most `width` columns. */
export function paint(spans: readonly Span[], width: number, colors: boolean): string {
  let left = width
  let line = ''
  for (const { text, style } of spans) {
    const fitting = truncate(text, left)
    left -= widthOf(fitting)
    line += colors && style !== undefined ? styleText(style, fitting, { validateStream: false }) : fitting
    if (fitting !== text) break
  }
  return line.trimEnd()
}
