import { EpochcastError, quote } from './errors.ts'
import { LIMITS } from './limits.ts'
import { digestOf, heardAfter, isRepeat, lastOf } from './producers.ts'
import type { Heard } from './task.ts'

export const OUTPUT_STREAMS = ['STDOUT', 'STDERR'] as const

export type OutputStreamName = (typeof OUTPUT_STREAMS)[number]

/** A line that a trainer printed, or a note of lines that were left out before they were stored. */
export interface OutputLine {
  readonly timestamp: string
  /** Null for a note. */
  readonly stream: OutputStreamName | null
  /** Without its line end. */
  readonly text: string
  readonly member: string | null
  /** Whether more of the same line follows, or a newer state of it: it was too long, or had no end for a while. */
  readonly isCut: boolean
  /** How many lines were left out here; null for a line that was printed. */
  readonly skipped: number | null
}

/** As a trainer's side sends it: null for the server's time. */
export type SentLine = Omit<OutputLine, 'timestamp'> & { readonly timestamp: string | null }

/** A line at its place in one task's output. */
export interface OutputEntry {
  readonly offset: number
  readonly line: OutputLine
}

/** What is known of those that send output, beside the lines. */
export interface OutputState {
  readonly attempt: number
  readonly producers: Readonly<Record<string, Heard>>
}

export const NO_OUTPUT: OutputState = { attempt: 0, producers: {} }

export interface OutputBatch {
  readonly lines: readonly SentLine[]
  readonly producer: string | null
  /** Position of lines[0] in the producer's own count 1, 2, 3 …; given exactly where `producer` is. */
  readonly firstSequence: number | null
  /** The attempt that printed them; null for the present one. */
  readonly attempt: number | null
}

export interface OutputPlan {
  readonly lines: readonly OutputLine[]
  readonly state: OutputState
  readonly duplicates: number
}

/**
 * Which lines of a batch are new, and what is known of their producer after them.
 *
 * @param attempt that the task is in
 * @param now the server's time
 * @throws EpochcastError BAD_INPUT, STALE_ATTEMPT, SEQUENCE_GAP, SEQUENCE_CONFLICT, TOO_MANY_PRODUCERS
 */
export function planOutput(
  before: OutputState,
  batch: OutputBatch,
  attempt: number,
  now: string,
): OutputPlan {
  const { lines, producer, firstSequence } = batch
  const timed = (some: readonly SentLine[]) =>
    some.map((line): OutputLine => ({ ...line, timestamp: line.timestamp ?? now }))
  if ((producer === null) !== (firstSequence === null)) {
    throw new EpochcastError(
      'BAD_INPUT',
      `${producer === null ? 'firstSequence' : 'producer'} was given alone; expected producer and firstSequence together`,
    )
  }
  if (batch.attempt !== null && batch.attempt < attempt) {
    throw new EpochcastError(
      'STALE_ATTEMPT',
      `the task is at attempt ${attempt}; output of attempt ${batch.attempt} rejected`,
      { details: { attempt } },
    )
  }
  const present = Math.max(attempt, batch.attempt ?? attempt)
  const state = before.attempt < present ? { attempt: present, producers: {} } : before
  if (producer === null || firstSequence === null || lines.length === 0)
    return { lines: timed(lines), state, duplicates: 0 }

  const isKnown = Object.hasOwn(state.producers, producer)
  const heard: Heard = (isKnown && state.producers[producer]) || 0
  const last = lastOf(heard)
  if (firstSequence > last + 1) {
    throw new EpochcastError(
      'SEQUENCE_GAP',
      `firstSequence of producer ${quote(producer)} is ${firstSequence}; expected at most ${last + 1}, or lines would be missing`,
      { details: { expected: last + 1 } },
    )
  }
  if (!isKnown && Object.keys(state.producers).length >= LIMITS.outputProducers) {
    throw new EpochcastError(
      'TOO_MANY_PRODUCERS',
      `${LIMITS.outputProducers} producers have sent output of this attempt; ${quote(producer)} rejected`,
    )
  }
  if (firstSequence <= last && !isRepeat(heard, firstSequence, lines, null)) {
    throw new EpochcastError(
      'SEQUENCE_CONFLICT',
      `producer ${quote(producer)} has already sent other lines from ${firstSequence} on; expected a name of its own for each process`,
      { details: { expected: last + 1 } },
    )
  }
  const duplicates = Math.min(lines.length, last - firstSequence + 1)
  if (duplicates === lines.length) return { lines: [], state, duplicates }
  // As with reports: of the last line, and of those before it.
  let known: Heard = heard
  const end = firstSequence + lines.length - 1
  if (lines.length - duplicates > 1)
    known = heardAfter(known, end - 1, digestOf(lines, duplicates, lines.length - 1, null))
  known = heardAfter(known, end, digestOf(lines, lines.length - 1, lines.length, null))
  const producers = { ...state.producers, [producer]: known }
  return { lines: timed(lines.slice(duplicates)), state: { ...state, producers }, duplicates }
}

/** As it is stored: what is the same for most lines is left out. */
export function outputText({ timestamp, stream, text, member, isCut, skipped }: OutputLine): string {
  const stored: StoredLine = { at: timestamp, text }
  if (stream === 'STDERR') stored.err = 1
  if (member !== null) stored.member = member
  if (isCut) stored.cut = 1
  if (skipped !== null) stored.skipped = skipped
  return JSON.stringify(stored)
}

export function outputLineOf({ at, text, err, member, cut, skipped }: StoredLine): OutputLine {
  return {
    timestamp: at,
    stream: skipped !== undefined ? null : err ? 'STDERR' : 'STDOUT',
    text,
    member: member ?? null,
    isCut: cut === 1,
    skipped: skipped ?? null,
  }
}

export interface StoredLine {
  at: string
  text: string
  err?: 1
  member?: string
  cut?: 1
  skipped?: number
}

/** A note of lines that were left out because there were too many. */
export const skippedNote = (
  skipped: number,
  timestamp: string,
  member: string | null = null,
): OutputLine => ({
  timestamp,
  stream: null,
  text: skippedText(skipped, 'there were too many at once'),
  member,
  isCut: false,
  skipped,
})

export const skippedText = (count: number | null, why: string): string =>
  count === null
    ? `[lines were skipped: ${why}]`
    : `[${count} line${count === 1 ? ' was' : 's were'} skipped: ${why}]`
