import { stripVTControlCharacters } from 'node:util'
import type { OutputLineFieldsFragment } from '../../typescript/index.ts'
import { printable } from './text.ts'

/** What only makes colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes begin with one
const COLOR = /(\u001b\[[\d;]*m)/
const RESET = '\u001b[0m'
/** Control characters, and what turns the direction of text around. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]+/gu
const TAB = '    '

/** A printed line as a terminal may have it: its colours, where it has some, and nothing else that steers. */
export function outputLine({ text, member, skip }: OutputLineFieldsFragment, colors: boolean): string {
  const shown = text
    .replaceAll('\t', TAB)
    .split(COLOR)
    .map((part, i) => (i % 2 === 0 ? withoutControl(part) : colors ? part : ''))
    .join('')
  const before = member == null || skip ? '' : `${printable(member)}: `
  return `${before}${shown}${colors && COLOR.test(text) ? RESET : ''}`.trimEnd()
}

const withoutControl = (text: string): string => stripVTControlCharacters(text).replace(UNPRINTABLE, ' ')
