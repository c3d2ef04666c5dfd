/*
 * Lengths of texts are counted in characters (code points), as whoever wrote them counts. An emoji is one, and is never
 * cut in half.
 */

const SURROGATE_PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g

export function charactersIn(text: string): number {
  return text.length - (text.match(SURROGATE_PAIRS)?.length ?? 0)
}

/** Whether a text has at most so many characters; counted only where that is not plain, so never in a long text. */
export const isUpTo = (text: string, max: number): boolean =>
  text.length <= max || (text.length <= 2 * max && charactersIn(text) <= max)

/** The first characters of a text. */
export function firstCharacters(text: string, count: number): string {
  if (text.length <= count) return text
  let first = ''
  let left = count
  for (const character of text) {
    if (left-- <= 0) break
    first += character
  }
  return first
}

/** The last characters of a text. */
export function lastCharacters(text: string, count: number): string {
  if (text.length <= count) return text
  let at = text.length
  for (let left = count; left > 0 && at > 0; left--) {
    at--
    const isPair = at > 0 && isLowSurrogate(text, at) && isHighSurrogate(text, at - 1)
    if (isPair) at--
  }
  return text.slice(at)
}

const isHighSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xd800
const isLowSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00

/** What a text is cut to that is too long, with a mark at the side where something is missing. */
export function cutToBeginning(text: string, max: number): string {
  const mark = cutMark(text, max)
  return `${firstCharacters(text, max - mark.length - 1)} ${mark}`
}

/** As `cutToBeginning`, for what says the most at its end, as a traceback does. */
export function cutToEnd(text: string, max: number): string {
  const mark = cutMark(text, max)
  return `${mark} ${lastCharacters(text, max - mark.length - 1)}`
}

const cutMark = (text: string, max: number): string =>
  `[cut: ${charactersIn(text)} characters, at most ${max}]`
