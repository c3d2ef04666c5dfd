import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Snapshot, WatchSignal } from '../../src/event-log/event-log.ts'
import type { OutputBounds } from '../../src/event-log/output-log.ts'
import { OutputWriter } from '../../src/event-log/output-writer.ts'
import type { Store } from '../../src/event-log/store.ts'
import { NO_OUTPUT, type OutputLine, outputText } from '../../src/task/output.ts'
import type { Position } from '../../src/task/position.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { append, createTask, progress, range, succeeded, watchCreated } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const AT = '2026-11-29T10:00:00.000Z'
const printed = (text: string, more: Partial<OutputLine> = {}): OutputLine => ({
  ...{ timestamp: AT, stream: 'STDOUT', text, member: null, isCut: false, skipped: null },
  ...more,
})

/** What every engine promises of the lines that trainers print. */
export function outputContract(
  open: (options: { retainEvents: number; output?: OutputBounds }) => Promise<Store>,
): void {
  let store: Store
  beforeEach(async () => {
    store = await open({ retainEvents: 1000, output: { maxLines: 1000, maxBytes: 100_000 } })
  })
  afterEach(() => store.close())

  const print = async (key: TaskKey, ...lines: OutputLine[]) => {
    const plan = () => ({ lines, state: NO_OUTPUT, duplicates: 0 })
    return (await new OutputWriter(store.output).append(key, plan)).top as Position
  }
  const texts = async (key: TaskKey, after: Position | null, limit = 10_000) => {
    const read = await store.output.read(key, after, limit)
    return read.kind === 'lines' ? read.lines.map(({ offset, line }) => `${offset} ${line.text}`) : read.kind
  }
  const bytesOf = async (key: TaskKey) => (await store.snapshot(key))?.bytes ?? 0

  it('has no output before the first line, and none of a task that is not there', async () => {
    const spec = await createTask(store)
    expect(await store.output.find(spec)).toBeNull()
    expect(await store.output.read(spec, null, 10)).toEqual({ kind: 'none' })
    const nobody = { ...spec, id: 'nobody' }
    expect(await store.output.find(nobody)).toBeNull()
    expect(await store.output.read(nobody, null, 10)).toEqual({ kind: 'missing' })
    const request = { expected: null, generation: 'g', state: NO_OUTPUT, texts: [outputText(printed('x'))] }
    expect(await store.output.append(nobody, request)).toEqual({ kind: 'missing' })
  })

  it('gives every line as it came, numbered from 1, from any position', async () => {
    const spec = await createTask(store)
    const lines = [
      printed('out'),
      printed('"\u001b[31m\ud83d\ude00\u0000\\', { stream: 'STDERR', member: 'rank-1', isCut: true }),
      printed('[3 lines were skipped]', { stream: null, skipped: 3 }),
    ]
    const first = await print(spec, ...lines)
    const top = await print(spec, printed('last'))
    expect([first.offset, top.offset]).toEqual([3, 4])
    const read = await store.output.read(spec, null, 10)
    expect(read).toEqual({
      kind: 'lines',
      lines: [...lines, printed('last')].map((line, i) => ({ offset: i + 1, line })),
      top,
      oldest: 1,
    })
    expect(await texts(spec, { ...top, offset: 2 })).toEqual(['3 [3 lines were skipped]', '4 last'])
    expect(await texts(spec, top)).toEqual([])
  })

  it('reads on from any line of thousands, in steps, without a gap', async () => {
    await store.close()
    store = await open({ retainEvents: 1000, output: { maxLines: 100_000, maxBytes: 10_000_000 } })
    const spec = await createTask(store)
    for (const i of range(0, 9)) await print(spec, ...range(1, 1 + i * 37).map((j) => printed(`${i}-${j}`)))
    let after: Position | null = null
    const offsets: number[] = []
    for (;;) {
      const read = await store.output.read(spec, after, 100)
      if (read.kind !== 'lines' || read.lines.length === 0) break
      for (const { offset } of read.lines) offsets.push(offset)
      // A reader may stand anywhere in what it was given.
      const kept = Math.ceil(read.lines.length / 2)
      offsets.length -= read.lines.length - kept
      after = { ...read.top, offset: offsets.at(-1) as number }
    }
    expect(offsets).toEqual(range(1, offsets.length))
    expect(offsets.length).toBe(10 + 37 * 45)
  })

  it('appends only where the output ends where it is expected to', async () => {
    const spec = await createTask(store)
    const top = await print(spec, printed('a'))
    const request = { generation: top.generation, state: NO_OUTPUT, texts: [outputText(printed('b'))] }
    for (const expected of [null, { ...top, offset: 0 }, { ...top, generation: 'other' }])
      expect(await store.output.append(spec, { ...request, expected })).toEqual({ kind: 'conflict' })
    expect(await store.output.append(spec, { ...request, expected: top })).toMatchObject({ kind: 'appended' })
    expect(await texts(spec, null)).toEqual(['1 a', '2 b'])
  })

  it('lets many writers append at once, each line once', async () => {
    const spec = await createTask(store)
    await Promise.all(range(1, 10).map((i) => print(spec, printed(`${i}`))))
    const all = (await texts(spec, null)) as string[]
    expect(all.map((text) => Number(text.split(' ')[1])).sort((a, b) => a - b)).toEqual(range(1, 10))
  })

  it('keeps what is known of producers beside the lines', async () => {
    const spec = await createTask(store)
    const state = { attempt: 2, producers: { 'host-1': '5.x' } }
    await new OutputWriter(store.output).append(spec, () => ({ lines: [printed('a')], state, duplicates: 0 }))
    expect((await store.output.find(spec))?.state).toEqual(state)
  })

  it('drops the oldest lines beyond its bound of lines, and says so to who asks for them', async () => {
    const spec = await createTask(store)
    for (const i of range(0, 29)) await print(spec, ...range(1, 50).map((j) => printed(`${50 * i + j}`)))
    const read = await store.output.read(spec, null, 10_000)
    if (read.kind !== 'lines') throw new Error(read.kind)
    expect(read.lines.length).toBeLessThanOrEqual(1000)
    expect(read.lines.length).toBeGreaterThan(800)
    expect(read.lines.map(({ offset }) => offset)).toEqual(range(read.oldest, 1500))
    expect(read.lines[0]?.line.text).toBe(`${read.oldest}`)
    expect(await store.output.read(spec, { ...read.top, offset: 10 }, 10)).toEqual({
      kind: 'gone',
      reason: 'TRIMMED',
      resumeAt: { ...read.top, offset: read.oldest - 1 },
      skipped: read.oldest - 11,
    })
  })

  it('drops the oldest lines beyond its bound of bytes, and keeps the newest in any case', async () => {
    const spec = await createTask(store)
    const quiet = await bytesOf(spec)
    for (const i of range(1, 60)) await print(spec, printed(`${i} ${'x'.repeat(5000)}`))
    expect((await bytesOf(spec)) - quiet).toBeLessThan(110_000)
    const few = (await texts(spec, null)) as string[]
    expect(few.length).toBeGreaterThan(10)
    expect(few.at(-1)).toMatch(/^60 60 x/)
    await print(spec, printed('y'.repeat(200_000)))
    expect((await texts(spec, null)) as string[]).toEqual([`61 ${'y'.repeat(200_000)}`])
  })

  it('tells who watches the task where the output ends', async () => {
    const spec = await createTask(store)
    const signals: WatchSignal[] = []
    const watch = await watchCreated(store, spec, (signal) => signals.push(signal))
    const top = await print(spec, printed('a'), printed('b'))
    await until('the end to be told', () => signals.length > 0)
    expect(signals).toEqual([{ kind: 'output', top }])
    await watch.close()
  })

  it('leaves the log of events alone, and is counted with its task', async () => {
    await store.close()
    store = await open({ retainEvents: 5 })
    const spec = await createTask(store)
    await append(store, spec, progress(1), progress(2))
    const before = (await store.snapshot(spec)) as Snapshot & { bytes: number }
    await print(spec, ...range(1, 200).map((i) => printed(`line ${i}`)))
    const after = (await store.snapshot(spec)) as Snapshot & { bytes: number }
    expect({ ...after, bytes: 0 }).toEqual({ ...before, bytes: 0 })
    expect(after.bytes).toBeGreaterThan(before.bytes + 200 * 8)
    // What an append of events returns counts it, too.
    const result = await store.append(spec, {
      ...{ expected: after.top, events: [progress(3)], state: after.state, isFinal: false },
    })
    expect(result.kind === 'appended' && result.bytes).toBeGreaterThan(after.bytes)
    expect(((await texts(spec, null)) as string[]).length).toBe(200)
  })

  it('takes lines after the end of a task, and goes with the task', async () => {
    const spec = await createTask(store)
    await print(spec, printed('a'))
    await append(store, spec, succeeded())
    await print(spec, printed('b'))
    expect(await texts(spec, null)).toEqual(['1 a', '2 b'])
    await store.drop(spec, (await store.snapshot(spec)) as Snapshot)
    expect(await texts(spec, null)).toBe('missing')
    const again = await createTask(store, { ...spec, startId: 'another' })
    expect(await texts(again, null)).toBe('none')
    await print(again, printed('c'))
    expect(await texts(again, null)).toEqual(['1 c'])
  })

  describe('where the engine has lost lines', () => {
    it('a new generation goes on from what is left, and tells who has seen more how much is gone', async () => {
      const spec = await createTask(store)
      const seen = await print(spec, ...range(1, 5).map((i) => printed(`${i}`)))
      const left = { ...seen, offset: 5 }
      const request = {
        expected: left,
        generation: 'next',
        state: NO_OUTPUT,
        texts: [outputText(printed('6'))],
      }
      expect(await store.output.append(spec, request)).toMatchObject({
        top: { generation: 'next', offset: 6 },
      })
      expect(await store.output.read(spec, { ...seen, offset: 3 }, 10)).toMatchObject({
        ...{ kind: 'gone', reason: 'LOG_RESET', skipped: 0 },
        resumeAt: { generation: 'next', offset: 3 },
      })
      expect(await store.output.read(spec, { ...seen, offset: 9 }, 10)).toMatchObject({
        ...{ kind: 'gone', reason: 'LOG_RESET', skipped: 4 },
        resumeAt: { generation: 'next', offset: 5 },
      })
      expect(await store.output.read(spec, { generation: 'next', offset: 9 }, 10)).toMatchObject({
        ...{ kind: 'ahead', top: { generation: 'next', offset: 6 } },
      })
    })
  })
}
