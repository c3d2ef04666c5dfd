import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/task/limits.ts'
import {
  NO_OUTPUT,
  type OutputBatch,
  type OutputLine,
  type OutputState,
  outputLineOf,
  outputText,
  planOutput,
  skippedNote,
} from '../../src/task/output.ts'
import { range } from '../support/tasks.ts'

const NOW = '2026-11-29T10:00:00.000Z'
const line = (text: string): OutputLine => ({
  ...{ timestamp: NOW, stream: 'STDOUT', text, member: null, isCut: false, skipped: null },
})
const batch = (firstSequence: number, texts: string[], more: Partial<OutputBatch> = {}): OutputBatch => ({
  ...{ lines: texts.map(line), producer: 'p', firstSequence, attempt: null },
  ...more,
})
const plan = (state: OutputState, sent: OutputBatch, attempt = 1) => planOutput(state, sent, attempt, NOW)

describe('a batch of lines', () => {
  it('that comes again, longer or from the middle on, adds what is new', () => {
    const first = plan(NO_OUTPUT, batch(1, ['a', 'b', 'c']))
    expect(first).toMatchObject({ duplicates: 0, lines: [line('a'), line('b'), line('c')] })
    expect(plan(first.state, batch(1, ['a', 'b', 'c']))).toEqual({
      lines: [],
      duplicates: 3,
      state: first.state,
    })
    const second = plan(first.state, batch(3, ['c', 'd']))
    expect(second).toMatchObject({ duplicates: 1, lines: [line('d')] })
    expect(plan(second.state, batch(4, ['d', 'e']))).toMatchObject({ duplicates: 1, lines: [line('e')] })
  })

  it('is the same without a time of its own, whenever it comes', () => {
    const untimed = { ...batch(1, []), lines: [{ ...line('a'), timestamp: null }] }
    const first = planOutput(NO_OUTPUT, untimed, 1, NOW)
    expect(first.lines).toEqual([line('a')])
    expect(planOutput(first.state, untimed, 1, '2027-01-01T00:00:00.000Z').duplicates).toBe(1)
  })

  it('of a newer attempt begins that, and one of an older is refused', () => {
    const first = plan(NO_OUTPUT, batch(1, ['a']))
    const next = plan(first.state, batch(1, ['x'], { attempt: 2 }))
    expect(next).toMatchObject({ duplicates: 0, state: { attempt: 2 } })
    expect(() => plan(next.state, batch(2, ['b'], { attempt: 1 }), 2)).toThrow(
      expect.objectContaining({ code: 'STALE_ATTEMPT', details: { attempt: 2 } }),
    )
  })

  it('may come from so many producers of an attempt, and no more', () => {
    let state = NO_OUTPUT
    for (const i of range(1, LIMITS.outputProducers))
      state = plan(state, batch(1, ['a'], { producer: `p-${i}` })).state
    expect(() => plan(state, batch(1, ['a'], { producer: 'one-too-many' }))).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_PRODUCERS' }),
    )
    // Those that are known go on, and who counts nothing is not counted.
    expect(plan(state, batch(2, ['b'], { producer: 'p-1' })).lines).toHaveLength(1)
    expect(plan(state, batch(1, ['b'], { producer: null, firstSequence: null })).lines).toHaveLength(1)
    expect(plan(state, batch(1, ['a'], { producer: 'one-too-many', attempt: 2 })).lines).toHaveLength(1)
  })
})

it('a line is stored as it is', () => {
  for (const stored of [
    line(''),
    { ...line('\u001b[0m"\\\u2028'), stream: 'STDERR' as const, member: 'rank-1', isCut: true },
    skippedNote(3, NOW, 'rank-1'),
  ])
    expect(outputLineOf(JSON.parse(outputText(stored)))).toEqual(stored)
})
