import { stripVTControlCharacters } from 'node:util'

/** Control characters, line ends among them, and what turns the direction of text around. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]+/gu

const withoutControl = (text: string): string => stripVTControlCharacters(text).replace(UNPRINTABLE, ' ')

/** Text from outside on one line, without what could steer the terminal or disguise itself. */
export function printable(text: string): string {
  return withoutControl(text).trim()
}

/** As `printable`, but lines stay lines and keep their indentation, as a traceback needs it. */
export function printableLines(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => withoutControl(line.replaceAll('\t', '    ')).trimEnd())
    .filter((line) => line !== '')
}

/** What JSON leaves as it is, and a terminal or whoever reads line by line does not. */
const STEERING = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g

/** A value as JSON on one line: the same value, without what could steer the terminal. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const WIDE =
  /^(?:\p{Emoji_Presentation}|.\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}])/u

const widthOfGrapheme = (grapheme: string): number => (WIDE.test(grapheme) ? 2 : 1)

/** Columns that the text takes. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment)
  return width
}

/** The text, ended by `…` where it would be wider. */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width <= 0) return ''
  let kept = ''
  let taken = 0
  for (const { segment } of graphemes.segment(text)) {
    taken += widthOfGrapheme(segment)
    if (taken > width - 1) break
    kept += segment
  }
  return `${kept}…`
}

export const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - widthOf(text)))

export const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - widthOf(text))) + text
