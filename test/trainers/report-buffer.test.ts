import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Report } from '../../trainers/report.ts'
import { encode, ReportBuffer } from '../../trainers/report-buffer.ts'

const progress = (current: number): Report => ({ progress: { current } })
const epochEnd = (epoch: number): Report => ({ epochEnd: { epoch, phase: 'VAL', metrics: {} } })
const success: Report = { success: {} }

function contents(buffer: ReportBuffer): string[] {
  return buffer.take(Infinity, Infinity).map((json) => {
    const [[kind, body] = []] = Object.entries<Record<string, number>>(JSON.parse(json))
    return `${kind} ${body?.current ?? body?.epoch ?? ''}`.trim()
  })
}

function filled(maxReports: number, reports: Report[]): ReportBuffer {
  const buffer = new ReportBuffer({ maxReports, maxBytes: Infinity })
  for (const report of reports) buffer.push(report)
  return buffer
}

it('a buffer holds exactly its bound and drops nothing', () => {
  const buffer = filled(3, [progress(1), epochEnd(1), progress(2)])
  expect(buffer.dropped).toBe(0)
  expect(contents(buffer)).toEqual(['progress 1', 'epochEnd 1', 'progress 2'])
})

it('one report more drops the oldest progress', () => {
  const buffer = filled(3, [epochEnd(1), progress(1), progress(2), progress(3)])
  expect(buffer.dropped).toBe(1)
  expect(contents(buffer)).toEqual(['epochEnd 1', 'progress 2', 'progress 3'])
})

it('where no progress is left, notices go before measurements, and outcomes last', () => {
  const notice: Report = { epochStart: { epoch: 2 } }
  expect(contents(filled(3, [epochEnd(1), notice, epochEnd(2), success]))).toEqual([
    'epochEnd 1',
    'epochEnd 2',
    'success',
  ])
  expect(contents(filled(2, [success, epochEnd(1), epochEnd(2)]))).toEqual(['success', 'epochEnd 2'])
  expect(contents(filled(2, [epochEnd(1), epochEnd(2), progress(1)]))).toEqual(['epochEnd 1', 'epochEnd 2'])
  const cancelled: Report = { status: { status: 'CANCELLED' } }
  expect(contents(filled(1, [cancelled, epochEnd(1)]))).toEqual(['status'])
})

it('bytes are bounded too, at their edge, but a single large report is kept', () => {
  const bytes = Buffer.byteLength(encode(progress(1)))
  const buffer = new ReportBuffer({ maxReports: 10, maxBytes: 2 * bytes })
  buffer.push(progress(1))
  buffer.push(progress(2))
  expect(buffer.dropped).toBe(0)
  buffer.push(progress(3))
  expect(buffer.dropped).toBe(1)
  buffer.push({ success: { result: 'x'.repeat(3 * bytes) } })
  expect(contents(buffer)).toEqual(['success'])
})

it('keeps the order and its bound whatever is pushed and taken', () => {
  const action = fc.oneof(
    fc.constantFrom('progress', 'epochEnd', 'success').map((kind) => ({ kind })),
    fc.record({ kind: fc.constant('take'), count: fc.integer({ min: 1, max: 5 }) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const buffer = new ReportBuffer({ maxReports: 7, maxBytes: Infinity })
      const taken: number[] = []
      let pushed = 0
      const take = (count: number) => {
        for (const json of buffer.take(count, Infinity)) taken.push(Number(json.match(/"order":(\d+)/)?.[1]))
      }
      for (const step of actions) {
        if ('count' in step) take(step.count)
        else buffer.push({ [step.kind]: { order: pushed++ } } as unknown as Report)
        expect(buffer.size).toBeLessThanOrEqual(7)
      }
      take(Infinity)
      expect(taken).toEqual([...taken].sort((a, b) => a - b))
      expect(taken.length + buffer.dropped).toBe(pushed)
      expect(buffer.bytes).toBe(0)
    }),
  )
})
