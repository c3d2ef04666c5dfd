import { InexactNumber, jsonBytes } from './json.ts'
import { LIMITS } from './limits.ts'
import type { Json } from './task.ts'

/**
 * A result that others wrote, as it may be kept: numbers that a double does not hold are texts (`parseJson` marks them).
 *
 * @returns undefined where it is too large or too deep
 */
export function keptResult(value: unknown): Json | undefined {
  const plain = withoutInexact(value ?? null, 0)
  return plain !== undefined && jsonBytes(plain) <= LIMITS.resultBytes ? plain : undefined
}

function withoutInexact(value: unknown, depth: number): Json | undefined {
  if (value instanceof InexactNumber) return value.text
  if (typeof value !== 'object' || value === null) return value as Json
  if (depth >= LIMITS.jsonDepth) return undefined
  const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [] : {}
  for (const key of Object.keys(value)) {
    const inner = withoutInexact((value as Record<string, unknown>)[key], depth + 1)
    if (inner === undefined) return undefined
    // An assignment to `__proto__` would be none.
    Object.defineProperty(copy, key, { value: inner, enumerable: true, writable: true, configurable: true })
  }
  return copy as Json
}
