import { randomUUID } from 'node:crypto'

/** Nobody outside can know it, so no text of a client can look like a mark. */
const MARK = `raw-${randomUUID()}-`
const MARKS = new RegExp(`"${MARK}(\\d+)"`)

/** Texts of which `JSON.stringify` has written marks; nearly always none. */
let marked: { readonly id: number; readonly text: string }[] = []
let lastId = 0

/** JSON that is text already, as a value among others. `JSON.stringify` leaves a mark in its place. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toJSON(): string {
    marked.push({ id: ++lastId, text: this.text })
    return `${MARK}${lastId}`
  }
}

/** What a place of a result has, text or not. */
export const plainValue = <Value>(found: Value | RawJson): Value =>
  found instanceof RawJson ? (JSON.parse(found.text) as Value) : found

/** As `JSON.stringify`, with the texts of `RawJson` in their places. */
export function stringify(value: unknown): string {
  marked = []
  return withRawJson(JSON.stringify(value))
}

/** Puts the texts into what `JSON.stringify` has just written, for whoever calls it by itself. */
export function withRawJson(text: string): string {
  if (marked.length === 0) return text
  const texts = new Map(marked.map(({ id, text }) => [String(id), text]))
  marked = []
  // Every second part is the number of a mark.
  const parts = text.split(MARKS)
  for (let i = 1; i < parts.length; i += 2) parts[i] = texts.get(parts[i] as string) ?? 'null'
  return parts.join('')
}
