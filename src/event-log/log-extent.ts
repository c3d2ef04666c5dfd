import { randomBytes } from 'node:crypto'
import type { Position } from '../task/position.ts'
import type { ReadResult } from './event-log.ts'

/** From where to where a log can be read, as every engine knows it of its own. */
export interface LogExtent {
  readonly generation: string
  /** The generation before, and the last offset that both have in common. */
  readonly previous: Position | null
  /** Offset of the newest event. */
  readonly top: number
  /** Offset of the oldest event that is retained; that after the top where none is. */
  readonly oldest: number
}

export const newGeneration = (): string => randomBytes(6).toString('base64url')

/** What a reader at a position is told instead of entries; null where it can have them. */
export function refusalOf(
  { generation, previous, top, oldest }: LogExtent,
  after: Position,
): Extract<ReadResult, { kind: 'gone' | 'ahead' }> | null {
  const beforeOldest = oldest - 1
  const resumeAt = { generation, offset: beforeOldest }
  if (after.generation !== generation) {
    const gone = { kind: 'gone', reason: 'LOG_RESET' } as const
    if (after.generation !== previous?.generation) return { ...gone, resumeAt, skipped: null }
    // Of what was seen after the common end nothing is left; up to there both generations are one.
    const common = Math.min(after.offset, previous.offset)
    const offset = Math.max(beforeOldest, common)
    const skipped = after.offset - common + (offset - common)
    return { ...gone, resumeAt: { generation, offset }, skipped }
  }
  if (after.offset > top) return { kind: 'ahead', top: { generation, offset: top } }
  if (after.offset >= beforeOldest) return null
  return { kind: 'gone', reason: 'TRIMMED', resumeAt, skipped: beforeOldest - after.offset }
}
