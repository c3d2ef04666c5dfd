import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BridgeMessage, readMessage } from '../../src/bridge/message.ts'
import { LIMITS } from '../../src/task/limits.ts'
import type { Json } from '../../src/task/task.ts'
import { anyJson } from '../support/any-json.ts'

const read = (message: unknown) =>
  readMessage(typeof message === 'string' ? message : JSON.stringify(message))
const reportOf = (message: unknown) => (read(message) as BridgeMessage).report

describe('a published message', () => {
  it('of progress becomes a report of progress', () => {
    const message = {
      ...{ task_id: 't1', timestamp: '2026-11-21T10:30:15.123456', current: 10, total: 50, progress: 20 },
      ...{ status: 'PROGRESS', machine_id: 'motor-1', stage: 'training', epoch: 10, loss: 0.25 },
      message: 'Epoch 10/50',
    }
    expect(read(message)).toEqual({
      report: {
        progress: {
          ...{ timestamp: '2026-11-21T10:30:15.123Z', current: 10, total: 50, stage: 'training', epoch: 10 },
          ...{ step: null, loss: 0.25, metrics: {}, message: 'Epoch 10/50' },
        },
      },
      machineId: 'motor-1',
      leftOut: [],
    })
  })

  it('may have epoch, loss and other numbers in its metadata', () => {
    const metadata = { epoch: 3, loss: 0.5, d_loss: 0.1, g_loss: 0.2, phase: 'warm-up' }
    expect(reportOf({ current: 3, total: 10, metadata })).toEqual({
      progress: expect.objectContaining({ epoch: 3, loss: 0.5, metrics: { d_loss: 0.1, g_loss: 0.2 } }),
    })
  })

  it('has the numbers of `metrics`, whatever they are called', () => {
    expect(reportOf({ current: 1, metrics: { epoch: 1, loss: 2, accuracy: 'NaN' } })).toMatchObject({
      progress: { metrics: { epoch: 1, loss: 2, accuracy: 'NaN' } },
    })
  })

  it('may have NaN and infinities as Python writes them, also beside such words in texts', () => {
    const text =
      '{"current": 1, "loss": NaN, "metadata": {"a": -Infinity, "b": Infinity}, "message": "loss is \\"NaN\\", not Infinity"}'
    expect(reportOf(text)).toMatchObject({
      progress: {
        loss: 'NaN',
        metrics: { a: '-Infinity', b: 'Infinity' },
        message: 'loss is "NaN", not Infinity',
      },
    })
  })

  it.each([
    [{ progress: 45.4 }, { current: 45, total: 100 }],
    [
      { epoch: 2.5, total_epochs: 10 },
      { current: 2, total: 10, epoch: 2.5 },
    ],
    [{ loss: 0.5 }, { current: 0, loss: 0.5 }],
    [{ current: 7.9 }, { current: 7 }],
    [{ current: 0, total: 0 }, { current: 0 }],
    [{ stage: 'loading\n  data' }, { current: 0, stage: 'loading data' }],
  ])('%j is progress', (message, progress) => {
    expect(reportOf(message)).toMatchObject({ progress })
  })

  it('that only has words is a status', () => {
    expect(reportOf({ status: 'STARTED', message: 'loading data' })).toEqual({
      status: { status: 'RUNNING', message: 'loading data' },
    })
    expect(reportOf({ status: 'STARTED' })).toEqual({ status: { status: 'RUNNING', message: null } })
  })

  it('of success has a result of any kind', () => {
    const result = { quality: 0.93, files: ['a', 'b'], nested: { deep: [null, true] } }
    expect(reportOf({ status: 'SUCCESS', progress: 100, result })).toEqual({ success: { result } })
    expect(reportOf({ status: 'success', progress: 100 })).toEqual({ success: { result: null } })
  })

  it('of success is one without a result that is too large or too deep', () => {
    const large = 'x'.repeat(LIMITS.resultBytes - 2)
    expect(read({ status: 'SUCCESS', result: large })).toMatchObject({
      report: { success: { result: large } },
      leftOut: [],
    })
    expect(read({ status: 'SUCCESS', result: `${large}x` })).toMatchObject({
      report: { success: { result: null } },
      leftOut: ['result'],
    })
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    expect(read({ status: 'SUCCESS', result: nested(LIMITS.jsonDepth) })).toMatchObject({ leftOut: [] })
    expect(read({ status: 'SUCCESS', result: nested(LIMITS.jsonDepth + 1) })).toMatchObject({
      leftOut: ['result'],
    })
  })

  it('has whole numbers that a double does not hold as texts in its result', () => {
    expect(reportOf('{"status": "SUCCESS", "result": {"seed": 9007199254740993}}')).toEqual({
      success: { result: { seed: '9007199254740993' } },
    })
  })

  it.each([
    [{ error: 'out of memory', error_type: 'MemoryError' }, 'out of memory', 'MemoryError'],
    [{ error: { type: 'ValueError', message: 'bad rows' } }, 'bad rows', 'ValueError'],
    [{ error: { exc_type: 'KeyError', exc_message: 'x' } }, 'x', 'KeyError'],
    [{ error: { code: 7 } }, '{"code":7}', null],
    [{ error: 42 }, '42', null],
    [{ message: 'it broke' }, 'it broke', null],
    [{}, 'the publisher told FAILURE', null],
  ])('of failure %j tells why', (message, error, errorType) => {
    expect(reportOf({ status: 'FAILURE', ...message })).toEqual({ failure: { error, errorType } })
  })

  it.each(['REVOKED', 'CANCELLED'])('of status %s ends as cancelled', (status) => {
    expect(reportOf({ status, message: 'by hand' })).toEqual({
      status: { status: 'CANCELLED', message: 'by hand' },
    })
  })

  it('keeps what can be used where some of it cannot', () => {
    const message = {
      current: -1,
      progress: 10,
      loss: 'low',
      epoch: 1e300,
      timestamp: 'today',
      machine_id: '../x',
    }
    expect(read(message)).toEqual({
      report: {
        progress: {
          ...{ current: 10, total: 100, epoch: null, step: null, loss: null },
          ...{ metrics: {}, stage: null, message: null },
        },
      },
      machineId: null,
      leftOut: ['timestamp', 'epoch', 'loss', 'current', 'machine_id'],
    })
  })

  it.each([
    ['2026-11-21T10:30:15Z', '2026-11-21T10:30:15.000Z'],
    ['2026-11-21 10:30:15.5+02:00', '2026-11-21T08:30:15.500Z'],
    ['2026-11-21T10:30:15+0200', '2026-11-21T08:30:15.000Z'],
    [1795256000.25, '2026-11-21T10:13:20.250Z'],
    [1795256000250, '2026-11-21T10:13:20.250Z'],
  ])('may tell its time as %j', (timestamp, time) => {
    expect(reportOf({ current: 1, timestamp })).toMatchObject({ progress: { timestamp: time } })
  })

  const NO_TIMES: readonly Json[] = [
    ...['2026-02-30T00:00:00', '26-1-1', '', 1e300, -1e300, {}, true, '2026-11-21T99:00:00'],
    // These have no text, or one that is no publisher's.
    ...[{ toString: 0 }, { toString: null, valueOf: 1 }, ['2026-11-21T10:30:15'], [[{ toString: '' }]]],
  ]

  it.each(NO_TIMES.map((timestamp) => ({ timestamp })))(
    'has the time of the server where its own is $timestamp',
    ({ timestamp }) => {
      expect(reportOf({ current: 1, timestamp })).not.toHaveProperty('progress.timestamp')
    },
  )

  it.each([
    '',
    'hello',
    '[1]',
    '"x"',
    '7',
    'null',
    '{',
    '{"a": NaN',
    '{"loss": nan}',
    '{}',
    '{"task_id": "t"}',
  ])('%j is none', (text) => {
    expect(readMessage(text)).toHaveProperty('unreadable')
  })

  it('is read without harm, however deep it is', () => {
    const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`
    for (const name of ['error', 'result', 'metadata', 'metrics', 'loss', 'current', 'status'])
      readMessage(`{"status": "FAILURE", "${name}": ${deep}}`)
    expect(readMessage(`{"status": "FAILURE", "error": {"a": ${deep}}}`)).toMatchObject({
      report: { failure: { error: 'the publisher told FAILURE' } },
    })
    expect(readMessage(deep)).toHaveProperty('unreadable')
  })

  it('of a mirror is known by its own field, however it is written', () => {
    for (const text of [
      '{"mirrored_by":"epochcast","current":1}',
      '{ "current": 1, "mirrored_by" : "epochcast" }',
    ])
      expect(readMessage(text)).toBe('mirrored')
    for (const message of [
      { current: 1, mirrored_by: 'us' },
      { current: 1, message: '{"mirrored_by":"epochcast"}' },
      { status: 'SUCCESS', result: { mirrored_by: 'epochcast' } },
    ])
      expect(read(message)).toHaveProperty('report')
  })

  it('is read without harm, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.dictionary(fc.constantFrom(...FIELDS), anyJson()),
        (text, fields) => {
          readMessage(text)
          const message = readMessage(JSON.stringify(fields))
          if (message === 'mirrored' || 'unreadable' in message) return
          expect(Object.keys(message.report)).toHaveLength(1)
        },
      ),
    )
  })
})

const FIELDS = [
  ...[
    'task_id',
    'timestamp',
    'current',
    'total',
    'progress',
    'status',
    'machine_id',
    'stage',
    'epoch',
    'loss',
  ],
  ...['message', 'metadata', 'metrics', 'result', 'error', '__proto__', 'constructor'],
]
