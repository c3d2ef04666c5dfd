import type { Heard } from './task.ts'

/*
 * What is known of a producer, so that a call that it repeats counts once, and another process under its name is
 * noticed. A trainer repeats the calls whose reply it did not get: its last ones. Of these digests are kept: of a call's last
 * report, and of those before it.
 *
 * Compared is every kept piece that a repeat contains whole, and there has to be one. So a repeat may be of several calls in
 * one, may begin within a call, and may go on with new reports. What is older than the pieces that are kept, or only from the
 * middle of one, is no repeat. A digest has 32 bits, over member and reports, keys in any order: it notices what
 * happens, not what somebody contrives.
 */

/** Pieces that are kept of one producer: two calls, or four of one report. Each takes 10 bytes of a state that every append writes. */
const KEPT_PIECES = 4

export const lastOf = (heard: Heard): number =>
  typeof heard === 'number' ? heard : Number.parseInt(heard, 36)

/** Digest of the newest report that is known; null where none is. */
export function newestDigestOf(heard: Heard): number | null {
  const [, digest] = typeof heard === 'string' ? heard.split('.') : []
  return digest === undefined ? null : Number.parseInt(digest, 36)
}

/** What is known after a piece that ended with `sequence`; without a digest, from a log of version 0.1. */
export function heardAfter(before: Heard | undefined, sequence: number, digest: number | undefined): Heard {
  if (digest === undefined) return sequence
  const known = typeof before === 'string' ? before.split('.') : [(before ?? 0).toString(36)]
  // A text, which is written into a state several times as fast as a list of numbers.
  return [sequence.toString(36), digest.toString(36), ...known.slice(0, 2 * KEPT_PIECES - 1)].join('.')
}

/** Whether a call that begins at or before the last sequence number is one that its producer has made already. */
export function isRepeat(
  heard: Heard,
  firstSequence: number,
  reports: readonly object[],
  member: string | null,
): boolean {
  // Nothing is known but how far it has counted.
  if (typeof heard === 'number') return true
  const known = heard.split('.').map((text) => Number.parseInt(text, 36))
  let compared = 0
  for (let i = 1; i + 1 < known.length; i += 2) {
    const from = (known[i + 1] as number) + 1 - firstSequence
    const to = (known[i - 1] as number) + 1 - firstSequence
    if (from < 0 || to > reports.length) continue
    if (digestOf(reports, from, to, member) !== known[i]) return false
    compared++
  }
  return compared > 0
}

/** Of consecutive reports, as one piece. */
export function digestOf(
  reports: readonly object[],
  from: number,
  to: number,
  member: string | null,
): number {
  let hash = member === null ? SEED : hashText(SEED, member)
  for (let i = from; i < to; i++) hash = mix(hash, hashValue(reports[i]))
  return hash >>> 0
}

/** FNV-1a's. */
const SEED = 0x811c9dc5
const PRIME = 0x01000193

const mix = (hash: number, value: number): number => {
  const mixed = Math.imul(hash ^ value, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

function hashText(seed: number, text: string): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME)
  return hash
}

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)

function hashNumber(value: number): number {
  if ((value | 0) === value) return mix(1, value)
  float[0] = value
  return mix(mix(2, words[0] as number), words[1] as number)
}

function hashValue(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return hashNumber(value)
    case 'string':
      return mix(3, hashText(SEED, value))
    case 'boolean':
      return value ? 4 : 5
    case 'object':
      return Array.isArray(value) ? hashItems(value) : hashFields(value as Record<string, unknown> | null)
    default:
      return 6
  }
}

const hashItems = (items: readonly unknown[]): number =>
  items.reduce<number>((hash, item) => mix(hash, hashValue(item)), 7)

/** What is null is as if it were not there, and the order of keys means nothing: a sum does not depend on it. */
function hashFields(fields: Record<string, unknown> | null): number {
  let sum = 8
  for (const name in fields) {
    const value = fields[name]
    if (value != null) sum = (sum + mix(hashText(SEED, name), hashValue(value))) | 0
  }
  return sum
}
