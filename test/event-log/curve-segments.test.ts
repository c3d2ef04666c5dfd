import { describe, expect, it } from 'vitest'
import { CurveSegments } from '../../src/event-log/curve-segments.ts'
import { overviewOf, type SegmentInfo } from '../../src/task/curves/curve-index.ts'
import { CurveDraft, FIRST_CONTEXT } from '../../src/task/curves/draft.ts'
import { decodeSegment, pointsIn } from '../../src/task/curves/segment.ts'
import { SeriesNumbers } from '../../src/task/curves/series-numbers.ts'
import { progress, range } from '../support/tasks.ts'

const TASK = { channelPrefix: 'training', id: 'a' }
const EVENTS = 1024
/** More than what `loss` takes in an index. */
const SERIES_BYTES = 64

/** Curves of one task, whose stored bytes are at hand. */
class Curves {
  readonly stored = new Map<string, Uint8Array>()
  readonly read: string[] = []
  segments: readonly SegmentInfo[] = []
  readonly #numbers = new SeriesNumbers([])
  readonly #curves: CurveSegments

  constructor(maxBytes: number) {
    const readSegments = async (_: unknown, names: readonly string[]) => {
      this.read.push(...names)
      return names.map((name) => this.stored.get(name) ?? null)
    }
    const store = { readSegments, readCurves: async () => null }
    this.#curves = new CurveSegments(store, { maxBytes, segmentPoints: 16_384 })
  }

  async grow(from: number): Promise<void> {
    const draft = new CurveDraft(from - 1, FIRST_CONTEXT)
    for (const step of range(from, from + EVENTS - 1)) draft.add(progress(step, Math.sin(step)))
    const fresh = draft.encode(this.#numbers)
    const { segments, put, drop } = await this.#curves.add(TASK, this.segments, [fresh], SERIES_BYTES)
    for (const name of drop) this.stored.delete(name)
    for (const { name, bytes } of put) this.stored.set(name, bytes)
    this.segments = segments
  }

  pointsOf({ name }: SegmentInfo): number {
    return pointsIn(decodeSegment(this.stored.get(name) as Uint8Array))
  }
}

describe('curves of one metric that are longer than there is room for', () => {
  it('use their room, and keep a point in six of each part for each time that it was merged', async () => {
    const maxBytes = 1_000_000
    const curves = new Curves(maxBytes)
    for (const n of range(0, 199)) await curves.grow(1 + n * EVENTS)

    const bytes = [...curves.stored.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(bytes).toBeLessThanOrEqual(maxBytes)
    expect(bytes).toBeGreaterThan(0.7 * maxBytes)
    const levels = new Set(curves.segments.map(({ level }) => level))
    expect(levels).toEqual(new Set([0, 1, 2]))
    for (const segment of curves.segments) {
      const { after, through, level } = segment
      expect((through - after) / curves.pointsOf(segment)).toBeLessThanOrEqual(6.5 ** level)
    }
    expect(curves.segments.at(-1)?.through).toBe(200 * EVENTS)
  })

  it('are merged from overviews alone, where six are at hand', async () => {
    const curves = new Curves(1_000_000)
    let grown = 0
    while (curves.read.length === 0) await curves.grow(1 + EVENTS * grown++)
    const [merged] = curves.segments
    expect(merged).toMatchObject({ after: 0, through: 6 * EVENTS, level: 1 })
    expect(curves.read).toHaveLength(6)
    expect(curves.read.every((name) => name.endsWith(overviewOf('')))).toBe(true)
  })

  it('are merged from the segments themselves where an overview is lost', async () => {
    const curves = new Curves(1_000_000)
    await curves.grow(1)
    const [first] = curves.segments
    curves.stored.delete(overviewOf((first as SegmentInfo).name))
    for (let grown = 1; curves.segments[0]?.level === 0; grown++) await curves.grow(1 + EVENTS * grown)
    const [merged] = curves.segments
    expect(merged).toMatchObject({ after: 0, through: 6 * EVENTS, minStep: 1 })
    expect(curves.pointsOf(merged as SegmentInfo)).toBeGreaterThan(EVENTS)
  })
})
