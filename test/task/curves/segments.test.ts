import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withoutReplaced } from '../../../src/task/curves/attempts.ts'
import { segmentsToMerge } from '../../../src/task/curves/compaction.ts'
import {
  type CurveIndex,
  decodeIndex,
  IndexEncoder,
  type SegmentInfo,
} from '../../../src/task/curves/curve-index.ts'
import { CurveDraft, FIRST_CONTEXT } from '../../../src/task/curves/draft.ts'
import { fairShare, mergeSegments as mergeToBytes } from '../../../src/task/curves/merge.ts'
import type { SeriesKey } from '../../../src/task/curves/point.ts'
import { decodeSegment, encodeSegment, pointsIn, type Segment } from '../../../src/task/curves/segment.ts'
import { seriesOf } from '../../../src/task/curves/series.ts'
import { SeriesNumbers } from '../../../src/task/curves/series-numbers.ts'
import type { TaskEvent } from '../../../src/task/event.ts'
import { byIdentity, CurveModel } from '../../support/curve-model.ts'
import { taskEvent } from '../../support/task-events.ts'
import { NOW, progress, range } from '../../support/tasks.ts'

const numbers = new SeriesNumbers([])

const segmentOf = (from: number, through: number): Segment => {
  const draft = new CurveDraft(from - 1, FIRST_CONTEXT)
  for (const step of range(from, through)) draft.add(progress(step, Math.sin(step)))
  return decodeSegment(draft.encode(numbers))
}

const mergeSegments = (segments: readonly Segment[], maxPoints: number): Segment =>
  decodeSegment(mergeToBytes(segments, maxPoints))

const launched = (attempt: number): TaskEvent => ({
  type: 'StatusChanged',
  status: 'RUNNING',
  message: null,
  attempt,
  stopRequested: false,
  timestamp: new Date(NOW).toISOString(),
  recordedAt: NOW,
})

const losses = ({ series }: Segment) => [...(series[0]?.values ?? [])]

describe('a segment', () => {
  it('stays what it is while others are merged', () => {
    const bytes = mergeToBytes([segmentOf(1, 500), segmentOf(501, 1000)], 100)
    const before = bytes.slice()
    mergeToBytes([segmentOf(2001, 2700), segmentOf(2701, 3500)], 90)
    expect(bytes).toEqual(before)
    expect(decodeSegment(bytes)).toMatchObject({ after: 0, through: 1000 })
  })

  it('is what it was after it has been bytes, wherever those begin', () => {
    const segment = segmentOf(1, 100)
    const bytes = encodeSegment(segment)
    for (const shift of [0, 1, 8]) {
      const shifted = new Uint8Array(bytes.length + shift)
      shifted.set(bytes, shift)
      expect(decodeSegment(shifted.subarray(shift))).toEqual(segment)
    }
  })

  it('of another version is refused', () => {
    const bytes = encodeSegment(segmentOf(1, 2))
    bytes[0] = 99
    expect(() => decodeSegment(bytes)).toThrow('a segment has version 99; expected 2')
  })

  it('is begun again by the draft that it was made of', () => {
    const draft = new CurveDraft(0, FIRST_CONTEXT)
    for (const step of range(1, 40)) draft.add(progress(step))
    draft.encode(numbers)
    draft.restart()
    expect([draft.after, draft.through, draft.points]).toEqual([40, 40, 0])
    draft.add(progress(41))
    expect(losses(decodeSegment(draft.encode(numbers)))).toEqual([1 / 41])
  })
})

describe('segments of any events', () => {
  it('have what series are by their definition, wherever one ends and the next begins', () => {
    fc.assert(
      fc.property(fc.array(taskEvent, { maxLength: 60 }), fc.nat(60), (events, cut) => {
        const model = new CurveModel()
        const keys = new SeriesNumbers([])
        const draft = new CurveDraft(0, FIRST_CONTEXT)
        const segments: Segment[] = []
        for (const [i, event] of events.entries()) {
          if (i === cut) {
            segments.push(decodeSegment(draft.encode(keys)))
            draft.restart()
          }
          draft.add(event)
          model.add(event)
        }
        segments.push(decodeSegment(draft.encode(keys)))
        const all = { names: null, phase: null, member: null, from: null, to: null, maxPoints: 1000 }
        const found = [...seriesOf(segments, keys.keys, events.length, all)].map(({ series }) => series)
        expect(byIdentity(found)).toEqual(byIdentity(model.series.filter(({ points }) => points.length > 0)))
      }),
      { numRuns: 300 },
    )
  })
})

describe('merging', () => {
  it('without a need to thin puts segments one after the other', () => {
    const merged = mergeSegments([segmentOf(1, 30), segmentOf(31, 50)], 1000)
    expect(merged).toEqual(segmentOf(1, 50))
  })

  it('thins to about the bound, and only rows that are used stay', () => {
    const merged = mergeSegments([segmentOf(1, 3000), segmentOf(3001, 6000)], 100)
    expect(pointsIn(merged)).toBeLessThanOrEqual(100)
    expect(pointsIn(merged)).toBeGreaterThan(60)
    expect(merged.rows.length).toBe(pointsIn(merged))
    expect([merged.after, merged.through]).toEqual([0, 6000])
    expect(merged.series[0]?.isThinned).toBe(true)
  })

  it('again and again with what is newer leaves no gap where a task began', () => {
    let merged = segmentOf(1, 200)
    for (const from of range(1, 49).map((i) => 200 * i + 1))
      merged = mergeSegments([merged, segmentOf(from, from + 199)], 200)
    const { steps } = merged.rows
    const gaps = [...steps.subarray(1)].map((step, i) => step - (steps[i] as number))
    expect([steps[0], steps.at(-1)]).toEqual([1, 10_000])
    expect(Math.max(...gaps)).toBeLessThan(500)
  })

  it('lets series with few points keep them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 20 }),
        fc.integer({ min: 200, max: 5000 }),
        (lengths, total) => {
          const share = fairShare(lengths, total)
          const sum = lengths.reduce((all, length) => all + Math.min(length, share), 0)
          expect(sum).toBeLessThanOrEqual(total)
          if (lengths.reduce((a, b) => a + b, 0) <= total) expect(share).toBe(Number.POSITIVE_INFINITY)
          else expect(sum).toBeGreaterThan(total - lengths.length)
        },
      ),
    )
  })
})

describe('attempts', () => {
  it('leave out what a later one reported again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(20), { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 5 }),
        (perAttempt) => {
          const points = perAttempt.flatMap((steps, attempt) => steps.map((step) => ({ step, attempt })))
          const staying = withoutReplaced(
            Float64Array.from(points, ({ step }) => step),
            Uint32Array.from(points, ({ attempt }) => attempt),
          )
          const expected = points.flatMap(({ step, attempt }, i) =>
            points.some((later) => later.attempt > attempt && later.step <= step) ? [] : [i],
          )
          expect([...(staying ?? points.keys())]).toEqual(expected)
        },
      ),
    )
  })
})

describe('attempts that go on where the one before ended', () => {
  const segmentOfAttempts = (attempts: number): Segment => {
    const draft = new CurveDraft(0, FIRST_CONTEXT)
    for (const attempt of range(1, attempts)) {
      if (attempt > 1) draft.add(launched(attempt))
      for (const step of range(2 * attempt, 2 * attempt + 1)) draft.add(progress(step))
    }
    return decodeSegment(draft.encode(numbers))
  }

  it('are thinned, however many there are', () => {
    const merged = mergeSegments([segmentOfAttempts(500)], 100)
    expect(pointsIn(merged)).toBeLessThanOrEqual(102)
  })

  it('and still replace what earlier segments have', () => {
    const draft = new CurveDraft(1000, { attempt: 1, startedEpoch: null })
    for (const step of range(50, 60)) draft.add(progress(step))
    for (const attempt of range(2, 200)) {
      draft.add(launched(attempt))
      for (const step of range(50 + attempt, 55 + attempt)) draft.add(progress(step, step % 7))
    }
    const merged = mergeSegments([decodeSegment(draft.encode(numbers))], 20)
    const { steps, attempts } = merged.rows
    const lowestOf = (wanted: (attempt: number) => boolean) =>
      Math.min(...[...steps].filter((_, row) => wanted(attempts[row] as number)))
    expect(lowestOf(() => true)).toBe(50)
    expect(lowestOf((attempt) => attempt > 1)).toBe(52)
  })
})

describe('which segments to merge', () => {
  const info = (level: number): SegmentInfo => ({
    name: '',
    after: 0,
    through: 0,
    level,
    bytes: 0,
    hasOverview: false,
    minStep: 0,
    maxStep: 0,
  })
  const levels = (all: readonly number[]) => {
    const infos = all.map(info)
    const group = segmentsToMerge(infos)
    return { at: infos.indexOf(group[0] as SegmentInfo), levels: group.map(({ level }) => level) }
  }
  const newest = Array(4).fill(0)

  it('is the oldest of those that were merged least, and not the newest', () => {
    expect(levels([...Array(7).fill(0), ...newest])).toEqual({ at: 0, levels: Array(6).fill(0) })
    expect(levels([2, 1, 1, 0, 0, 0, ...newest])).toEqual({ at: 3, levels: [0, 0, 0] })
    expect(levels([2, 2, 1, 1, 1, 0, ...newest])).toEqual({ at: 2, levels: [1, 1, 1] })
    expect(levels([3, 2, 1, 0, ...newest])).toEqual({ at: 0, levels: [3, 2] })
  })

  it('is rather as many as are merged together, of a level that was merged more often', () => {
    const merged = Array(6).fill(1)
    expect(levels([3, ...merged, 0, 0, ...newest])).toEqual({ at: 1, levels: merged })
    expect(levels([3, ...merged.slice(1), 0, 0, ...newest])).toEqual({ at: 6, levels: [0, 0] })
  })

  it('is, with only the newest left, of those, too; and at last one segment itself', () => {
    expect(levels([0, 0, 0])).toEqual({ at: 0, levels: [0, 0] })
    expect(levels([4, 0])).toEqual({ at: 0, levels: [4, 0] })
    expect(levels([5])).toEqual({ at: 0, levels: [5] })
    expect(segmentsToMerge([])).toEqual([])
  })

  it('an index of them is what it was after it has been text', () => {
    const index = {
      through: 7,
      context: { attempt: 2, startedEpoch: null },
      series: [
        { name: 'a "b"', phase: 'VAL', member: null, axis: 'EPOCH' },
        { name: 'loss', phase: null, member: 'client-1', axis: 'STEP' },
      ],
      segments: [{ ...info(3), name: 'x', hasOverview: true, minStep: 0.5 }, info(1)],
    } as const
    expect(decodeIndex(new IndexEncoder().encode(index))).toEqual(index)
    expect(() => decodeIndex('{"version":9}')).toThrow('curves have version 9; expected 2')
    // As it was written once, with all names in full.
    const segments = index.segments.map((segment) => [
      ...[segment.name, segment.after, segment.through, segment.level, segment.bytes],
      ...[segment.hasOverview, segment.minStep, segment.maxStep],
    ])
    const series = index.series.map(({ name, phase, member, axis }) => [name, phase, member, axis])
    const before = { version: 1, through: 7, context: [2, null], series, segments }
    expect(decodeIndex(JSON.stringify(before))).toEqual(index)
  })

  it('an index has each name once, of however many members', () => {
    const members = range(1, 64).map((i) => `member-${i}`.padEnd(128, '-'))
    const names = range(1, 256).map((i) => `metric-${i}`.padEnd(128, '-'))
    const series = members.flatMap((member) =>
      names.map((name): SeriesKey => ({ name, phase: 'TRAIN', member, axis: 'STEP' })),
    )
    const index = { through: 1, context: { attempt: 1, startedEpoch: null }, series, segments: [] }
    const encoder = new IndexEncoder()
    const text = encoder.encode(index)
    expect(decodeIndex(text)).toEqual(index)
    expect(encoder.bytesOf(series)).toBeLessThan(20 * series.length + 140 * 320)
  })

  it('an index that was written before is written with what has changed since', () => {
    const encoder = new IndexEncoder()
    const keys = new SeriesNumbers([])
    const expectWritten = (through: number, segments: readonly SegmentInfo[]) => {
      const index: CurveIndex = {
        through,
        context: { attempt: 1, startedEpoch: 4 },
        series: keys.keys,
        segments,
      }
      expect(decodeIndex(encoder.encode(index))).toEqual(index)
      const others = { ...index, series: [] }
      expect(encoder.bytesOf(keys.keys) - new IndexEncoder().bytesOf([])).toBe(
        Buffer.byteLength(encoder.encode(index)) - Buffer.byteLength(new IndexEncoder().encode(others)),
      )
    }
    const [a, b, c, d] = [info(0), info(1), info(2), info(3)]
    expectWritten(0, [])
    keys.of({ name: 'é', phase: null, member: null, axis: 'STEP' })
    expectWritten(1, [a])
    expectWritten(2, [a, b, c])
    keys.of({ name: 'loss', phase: 'VAL', member: 'client-1', axis: 'EPOCH' })
    expectWritten(3, [a, b, c, d])
    expectWritten(4, [a, d, c])
    expectWritten(5, [a, d])
    expectWritten(6, [b, d, c])
    expectWritten(7, [])
    expectWritten(8, [c])
  })
})
