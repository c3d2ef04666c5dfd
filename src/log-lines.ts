/*
 * What clients send ends up in the log: names, headers, paths, messages of errors. None of it may end a line, begin one that
 * looks like ours, or steer the terminal of whoever reads. Here is the one place for all of it, behind the logger.
 */

interface Destination {
  write(text: string): unknown
}

/** Control characters and line ends of every kind, and what turns the direction of text around. */
const STEERING = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu

const escapeOf = (character: string): string =>
  SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Lines of JSON with the same values, in which whatever steers is escaped: JSON by itself leaves C1, U+2028 and the like. */
export function escapedJson(destination: Destination): Destination {
  return {
    write: (line) => destination.write(`${line.slice(0, -1).replace(STEERING, escapeOf)}${line.slice(-1)}`),
  }
}

/** Lines of JSON for something that prints their values: what steers is shown as it would be escaped. */
export function visibleJson(destination: Destination): Destination {
  return {
    write: (line) => destination.write(`${JSON.stringify(shown(JSON.parse(line)))}\n`),
  }
}

function shown(value: unknown, name?: string): unknown {
  if (typeof value === 'string')
    // The printer indents the lines of a stack, so that none looks like one of the log.
    return name === 'stack' ? value.split('\n').map(visibleText).join('\n') : visibleText(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((each) => shown(each))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [visibleText(key), shown(each, key)]))
}

const visibleText = (text: string): string => text.replace(STEERING, escapeOf)
