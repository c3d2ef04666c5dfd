import { type GraphQLOutputType, getNullableType, isLeafType, isNonNullType } from 'graphql'

/** The text of objects of one type: constant parts with the values of an object between them. */
export interface Template {
  readonly slots: readonly Slot[]
  readonly end: string
}

export interface Slot {
  readonly before: string
  readonly property: string
  readonly write: Writer
  /** The newest value, and `before` with its text: much of an object is as it was in the last. */
  value: unknown
  text: string
}

/** The JSON text of a field's value; null or an exception where the value is not what the field promises. */
export type Writer = (value: unknown) => string | null

const NOTHING_YET = Symbol()
/** Characters of a value's text that is kept for the next object: of a longer one, many documents would keep many. */
const MAX_KEPT = 256

/** A place for the value of a field. */
export const slotOf = (before: string, property: string, write: Writer): Slot => ({
  before,
  property,
  write,
  value: NOTHING_YET,
  text: '',
})

/** The text for an object; null where one of its values is not what its field promises. */
export function fill({ slots, end }: Template, object: object): string | null {
  const values = object as Readonly<Record<string, unknown>>
  try {
    let text = ''
    for (const slot of slots) {
      const value = values[slot.property]
      if (value === slot.value) {
        text += slot.text
        continue
      }
      const written = slot.write(value)
      if (written === null) return null
      const piece = slot.before + written
      text += piece
      // Objects are not recognised: one that is the same may have other content.
      if (typeof value !== 'object' && piece.length <= MAX_KEPT) {
        slot.value = value
        slot.text = piece
      }
    }
    return text + end
  } catch {
    // Serializing failed. That is an error in the response, and its wording is up to execution.
    return null
  }
}

/** The text for a list of objects; null where one is not what it promises. */
export function fillAll(template: Template, objects: readonly unknown[]): string | null {
  let text = '['
  for (const object of objects) {
    if (typeof object !== 'object' || object === null) return null
    const written = fill(template, object)
    if (written === null) return null
    text += text.length > 1 ? `,${written}` : written
  }
  return `${text}]`
}

/** For values of a type; null where that is not a leaf. */
export function writerOf(type: GraphQLOutputType): Writer | null {
  const leaf = getNullableType(type)
  if (!isLeafType(leaf)) return null
  const absent = isNonNullType(type) ? null : 'null'
  return (value) => {
    if (value == null) return absent
    return isData(value) ? textOf(leaf.serialize(value)) : null
  }
}

function textOf(serialized: unknown): string | null {
  if (typeof serialized === 'string') return quoted(serialized)
  if (typeof serialized === 'number') return Number.isFinite(serialized) ? String(serialized) : null
  return isData(serialized) ? JSON.stringify(serialized) : null
}

/** Whether it is taken as it is: no function, promise or error, nothing that words its own JSON. */
export function isData(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return true
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false
  const { then, toJSON } = value as { then?: unknown; toJSON?: unknown }
  return typeof then !== 'function' && typeof toJSON !== 'function'
}

/** What JSON does not write as it is: quotes, backslashes, control characters and lone surrogates. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/

/** For short strings the test costs less than `JSON.stringify`. */
function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`
}
