import { plainLines } from '../output/ansi.ts'

/** What the server writes in the place of what was too long. */
const CUT = /^\[cut: [^\]]*\] ?/
/** A place in a traceback of Python; the exception comes after the last one. */
const FRAME = /^\s+File ".*", line \d+/
/** What Node writes below a stack. */
const VERSION = /^Node\.js v\d/

/**
 * The line of an error that says what went wrong: an exception's own words below a traceback, or above the places of a stack; else
 * the last line that is not indented.
 */
export function errorLine(message: string): string {
  const lines = plainLines(message)
    .split('\n')
    .map((line) => line.replace(CUT, '').trimEnd())
  const words = lines.filter((line) => /^\S/.test(line) && !VERSION.test(line))
  const frame = lines.findLastIndex((line) => FRAME.test(line))
  const thrown = frame < 0 ? undefined : lines.slice(frame + 1).find((line) => /^\S/.test(line))
  return thrown ?? words.at(-1) ?? lines.findLast((line) => line !== '')?.trim() ?? ''
}

/** The same, where its type stands before it. */
export const errorWords = (message: string, type: string | null | undefined): string => {
  const line = errorLine(message)
  return type && line.startsWith(`${type}: `) ? line.slice(type.length + 2) : line
}
