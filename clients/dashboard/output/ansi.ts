import Anser, { type AnserJsonEntry } from 'anser'

/** Some text of a line that is shown in one way. Colours are those of CSS. */
export interface Span {
  readonly text: string
  readonly color: string | null
  readonly background: string | null
  readonly isBold: boolean
  readonly isDim: boolean
  readonly isItalic: boolean
  readonly isUnderlined: boolean
  readonly isStruck: boolean
  /** Ground and text change places; neither has a colour of its own. */
  readonly isInverse: boolean
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: escape codes begin with one
/**
 * In one go, so that what is left never makes another: texts between two codes (titles, links); control sequences, with their
 * parameters and what they do, which may be missing; all other codes.
 */
const CODES =
  /\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b\[([0-?]*)([ -/]*)([@-~]?)|\u001b[ -/]*[0-~]?/g
/** Control characters but for tabs and escape codes, and what turns the direction of text around. */
const UNPRINTABLE =
  /[\u0000-\u0008\u000a-\u001a\u001c-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]+/g
const COLORS = /\u001b\[[\d;]*m/g
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: as above

/** Without everything that does more than to colour what follows. */
const onlyColors = (text: string): string =>
  text
    .replace(CODES, (code, parameters: string | undefined, between: string, end: string) =>
      end === 'm' && between === '' && /^[\d;]*$/.test(parameters ?? '') ? code : '',
    )
    .replace(UNPRINTABLE, ' ')

/** A printed line as text, without its escape codes. */
export const plainText = (text: string): string => onlyColors(text).replace(COLORS, '')

/** Several lines as text; of one that is drawn over itself, the last state. */
export const plainLines = (text: string): string =>
  text
    .split(/\r*\n/)
    .map((line) => plainText(line.slice(line.lastIndexOf('\r') + 1)))
    .join('\n')

/** A printed line as it is to look: data only, from which no HTML can come. Its colours end with it. */
export function spansOf(text: string): readonly Span[] {
  return Anser.ansiToJson(onlyColors(text), { json: true, remove_empty: true }).map(spanOf)
}

/** Its types leave that out. */
type Entry = AnserJsonEntry & { readonly isInverted?: boolean }

const NO_COLOR = { color: null, background: null }

function spanOf({ content, fg, bg, decorations, isInverted }: Entry): Span {
  const has = (name: (typeof decorations)[number]) => decorations.includes(name)
  // Where there were none, Anser fills in those of a black terminal.
  const isInverse = isInverted === true && /^0, ?0, ?0$/.test(fg ?? '') && /^255, ?255, ?255$/.test(bg ?? '')
  return {
    text: content,
    ...(isInverse ? NO_COLOR : { color: fg && `rgb(${fg})`, background: bg && `rgb(${bg})` }),
    isInverse,
    isBold: has('bold'),
    isDim: has('dim'),
    isItalic: has('italic'),
    isUnderlined: has('underline'),
    isStruck: has('strikethrough'),
  }
}
