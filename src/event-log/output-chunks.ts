import { type OutputEntry, outputLineOf, type StoredLine } from '../task/output.ts'
import type { Position } from '../task/position.ts'
import { type LogExtent, refusalOf } from './log-extent.ts'
import type { OutputAppend, OutputRead } from './output-log.ts'

/** Consecutive lines, stored together: most appends bring several, and a reader asks for many. */
export interface OutputChunk {
  /** Offset of the first. */
  readonly first: number
  readonly count: number
  /** A JSON list. */
  readonly text: string
}

const MAX_CHUNK_LINES = 128
const MAX_CHUNK_LENGTH = 32_768

/** Lines of one append as chunks, to be stored after `top`. */
export function outputChunks(texts: readonly string[], top: number): OutputChunk[] {
  const chunks: OutputChunk[] = []
  let first = top + 1
  let some: string[] = []
  let length = 0
  const end = () => {
    if (some.length === 0) return
    chunks.push({ first, count: some.length, text: `[${some.join(',')}]` })
    first += some.length
    some = []
    length = 0
  }
  for (const text of texts) {
    if (some.length === MAX_CHUNK_LINES || length + text.length > MAX_CHUNK_LENGTH) end()
    some.push(text)
    length += text.length
  }
  end()
  return chunks
}

/** Lines after an offset. */
function linesIn(chunks: Iterable<{ first: number; text: string }>, after: number): OutputEntry[] {
  const lines: OutputEntry[] = []
  for (const { first, text } of chunks) {
    const stored = JSON.parse(text) as StoredLine[]
    for (const [i, line] of stored.entries())
      if (first + i > after) lines.push({ offset: first + i, line: outputLineOf(line) })
  }
  return lines
}

/** The generation that an append ends, where it begins another, and the last offset that both have in common. */
export const previousOf = (
  { expected, generation }: OutputAppend,
  before: Position | null,
): Position | null => (expected && expected.generation !== generation ? expected : before)

/**
 * What a reader gets of an output that is there.
 *
 * @param chunks those from the one on that has the line after an offset, about so many lines of them
 */
export function readOutput(
  extent: LogExtent,
  after: Position | null,
  chunks: (after: number) => Iterable<{ first: number; text: string }>,
): OutputRead {
  const refusal = after && refusalOf(extent, after)
  if (refusal) return refusal
  const { generation, oldest } = extent
  const from = after?.offset ?? oldest - 1
  const top = { generation, offset: extent.top }
  return { kind: 'lines', lines: from >= top.offset ? [] : linesIn(chunks(from), from), top, oldest }
}
