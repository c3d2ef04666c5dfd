import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  CANCELLED_WORDS,
  FAILURE_WORDS,
  PHASE_WORDS,
  relayMessage,
  SUCCESS_WORDS,
} from '../../src/transport/plain/relay-messages.ts'
import { timeOf } from '../../src/transport/plain/relay-time.ts'
import { cpuMsOf } from '../support/cpu-time.ts'

const message = (type: string, data: unknown, more: object = {}) =>
  relayMessage(JSON.stringify({ type, data, ...more }))
const reportsOf = (type: string, data: unknown) => message(type, data).reports

const python = (file: string) =>
  readFileSync(join(import.meta.dirname, '../../clients/python/src/epochcast', file), 'utf8')
const wordsIn = (text: string) => [...text.matchAll(/"(\w+)"/g)].map(([, word]) => word)

describe('a message of a relay', () => {
  it.each([
    ['_SUCCESS', SUCCESS_WORDS],
    ['_FAILURE', FAILURE_WORDS],
    ['_CANCELLED', CANCELLED_WORDS],
  ])('tells an end by the words that the Python sender has in %s', (name, words) => {
    const [, found = ''] = new RegExp(`${name} = frozenset\\(\\{(.*)\\}\\)`).exec(python('relay.py')) ?? []
    expect(words).toEqual(wordsIn(found))
  })

  it('has the phases of the Python sender', () => {
    const [, found = ''] = /^PHASES = \{([^}]*)\}/m.exec(python('encode.py')) ?? []
    const pairs = [...found.matchAll(/"(\w+)": "(\w+)"/g)].map(([, word, phase]) => [word, phase])
    expect(pairs.length).toBeGreaterThan(8)
    expect(Object.entries(PHASE_WORDS)).toEqual(pairs)
  })

  it.each([
    ['epoch_start', { epoch: 1, total_epochs: 5 }, [{ epochStart: { epoch: 1, totalEpochs: 5 } }]],
    ['epoch_start', { epoch: '2', total_epochs: null }, [{ epochStart: { epoch: 2 } }]],
    [
      'epoch_end',
      { epoch: 1.5, phase: 'Validation', metrics: { loss: 0.5, acc: null }, step: 7 },
      [{ epochEnd: { epoch: 1.5, step: 7, phase: 'VAL', metrics: { loss: 0.5 } } }],
    ],
    [
      'epoch_end',
      { epoch: 1, run_id: 5, train_loss: 0.5, val: { loss: '0.6' }, best: true },
      [{ epochEnd: { epoch: 1, phase: 'TRAIN', metrics: { train_loss: 0.5, 'val/loss': 0.6, best: 1 } } }],
    ],
    [
      'round_end',
      { round: 1, total_rounds: 3, fit_metrics: { loss: 1 }, eval_metrics: {} },
      [{ roundEnd: { round: 1, totalRounds: 3, fitMetrics: { loss: 1 }, evalMetrics: {} } }],
    ],
    [
      'round_end',
      { round_num: 2, loss: 1 },
      [{ roundEnd: { round: 2, fitMetrics: { loss: 1 }, evalMetrics: {} } }],
    ],
    ['status', { status: 'running', message: '' }, [{ status: { status: 'RUNNING', message: 'running' } }]],
    ['status', { status: 'x', message: 'loading' }, [{ status: { status: 'RUNNING', message: 'loading' } }]],
    [
      'status',
      { status: 'Completed', message: 'saved', result: { f1: 0.9 } },
      [{ status: { status: 'RUNNING', message: 'saved' } }, { success: { result: { f1: 0.9 } } }],
    ],
    ['status', { status: 'completed' }, [{ success: {} }]],
    ['status', { status: 'failed', message: 'no data' }, [{ failure: { error: 'no data' } }]],
    ['status', { status: 'error' }, [{ failure: { error: 'error' } }]],
    [
      'status',
      { status: 'stopped', message: 'asked' },
      [{ status: { status: 'CANCELLED', message: 'asked' } }],
    ],
    [
      'status',
      { status: 'RUNNING', current: 5, total: 10, stage: 'fit', epoch: 1, loss: 0.5, message: 'half' },
      [
        {
          progress: {
            current: 5,
            total: 10,
            stage: 'fit',
            epoch: 1,
            metrics: { loss: 0.5 },
            message: 'half',
          },
        },
      ],
    ],
    [
      'error',
      { error: 'a client left', error_type: 'E' },
      [{ error: { error: 'a client left', errorType: 'E' } }],
    ],
    ['error', { message: 'boom', status: 'FAILURE' }, [{ failure: { error: 'boom' } }]],
    ['error', { error: { code: 7 }, fatal: true }, [{ failure: { error: '{"code":7}' } }]],
  ])('%s with %j is %j', (type, data, reports) => {
    expect(reportsOf(type, data)).toEqual(reports)
  })

  it('may be as the json module of Python writes it', () => {
    const text =
      '{"type": "epoch_end", "data": {"epoch": 1, "metrics": {"NaN": NaN, "a": -Infinity, "b": "is NaN \\" NaN"}}}'
    const { reports, warnings } = relayMessage(text)
    expect(reports).toEqual([
      { epochEnd: { epoch: 1, phase: 'TRAIN', metrics: { NaN: 'NaN', a: '-Infinity' } } },
    ])
    expect(warnings).toEqual([expect.stringContaining('"b"')])
  })

  it('keeps the metrics that are beside one that is none', () => {
    const metrics = { loss: 0.5, confusion: [[1, 2]], '': 1, ['x'.repeat(129)]: 1, 'a\nb': 1, note: 'good' }
    const { reports, warnings } = message('epoch_end', { epoch: 1, metrics })
    expect(reports).toEqual([{ epochEnd: { epoch: 1, phase: 'TRAIN', metrics: { loss: 0.5 } } }])
    expect(warnings).toHaveLength(5)
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, 'x']))
    expect(message('epoch_end', { epoch: 1, metrics: many }).warnings).toHaveLength(20)
  })

  it.each([
    ['', 'BAD_REQUEST'],
    ['{', 'BAD_REQUEST'],
    ['NaN', 'BAD_INPUT'],
    ['[]', 'BAD_INPUT'],
    ['null', 'BAD_INPUT'],
    ['{}', 'BAD_INPUT'],
    ['{"type":"training_end"}', 'BAD_INPUT'],
    ['{"type":"__proto__"}', 'BAD_INPUT'],
    ['{"type":"epoch_start"}', 'BAD_INPUT'],
    ['{"type":"epoch_start","data":[]}', 'BAD_INPUT'],
    ['{"type":"epoch_start","data":{"epoch":-1}}', 'BAD_INPUT'],
    ['{"type":"epoch_start","data":{"epoch":NaN}}', 'BAD_INPUT'],
    ['{"type":"epoch_end","data":{"epoch":1,"metrics":3}}', 'BAD_INPUT'],
    ['{"type":"round_end","data":{"round":"x"}}', 'BAD_INPUT'],
    ['{"type":"status","data":{}}', 'BAD_INPUT'],
    ['{"type":"error","data":{"error":""}}', 'BAD_INPUT'],
  ])('%s is refused with %s', (text, code) => {
    expect(() => relayMessage(text)).toThrow(expect.objectContaining({ code }))
  })

  it('is refused soon, however it is written', () => {
    // What backtracking would take hours for.
    expect(() => relayMessage('"\\'.repeat(500_000))).toThrow('not JSON')
    expect(() => relayMessage('['.repeat(1_000_000))).toThrow('not JSON')
  })

  it('is not read again for each name within a map, however long the name of the map is', () => {
    const inner = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`m${i}`, 1]))
    const long = 'k'.repeat(500_000)
    const [beside, around] = [
      { [long]: 1, m: inner },
      { [long]: inner, m: 1 },
    ]
    const cpuMs = cpuMsOf(() => message('epoch_end', { epoch: 1, metrics: beside }))
    expect(cpuMsOf(() => message('epoch_end', { epoch: 1, metrics: around }))).toBeLessThan(10 * cpuMs + 200)
    const { reports, warnings } = message('epoch_end', { epoch: 1, metrics: around })
    expect(reports).toEqual([{ epochEnd: { epoch: 1, phase: 'TRAIN', metrics: { m: 1 } } }])
    expect(warnings).toHaveLength(20)
  })

  it('has as many metrics as may count, the first of them', () => {
    const many = Object.fromEntries(Array.from({ length: 10_002 }, (_, i) => [`m${i}`, 1]))
    const { reports, warnings } = message('epoch_end', { epoch: 1, metrics: { ['k'.repeat(100)]: many } })
    const metrics = Object.keys(reports[0]?.epochEnd?.metrics ?? {})
    expect([metrics.length, metrics.at(-1)]).toEqual([10_000, `${'k'.repeat(100)}/m9999`])
    expect(warnings).toEqual(['data.metrics has 2 metrics beyond 10000, which were left out'])
  })

  it('may have values that are too deep to be written', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
    const words = 'a value of very many levels'
    const read = (text: string) => relayMessage(text.replaceAll('DEEP', deep))
    expect(read('{"type":"status","data":{"status":DEEP}}').reports).toEqual([
      { status: { status: 'RUNNING', message: words } },
    ])
    expect(read('{"type":"status","data":{"status":"x","message":DEEP}}').reports).toEqual([
      { status: { status: 'RUNNING', message: words } },
    ])
    expect(read('{"type":"error","data":{"error":DEEP,"error_type":DEEP}}').reports).toEqual([
      { error: { error: words, errorType: words } },
    ])
    expect(read('{"type":"status","data":{"status":"x","current":1,"stage":DEEP}}').reports).toMatchObject([
      { progress: { current: 1, stage: words } },
    ])
    // Refused later, as no id has blanks.
    expect(read('{"type":"status","task_id":DEEP,"data":{"status":"x"}}').taskId).toBe(words)
  })

  it('knows the task that it names', () => {
    expect(message('status', { status: 'x', task_id: 'a' }).taskId).toBe('a')
    expect(message('status', { status: 'x' }, { task_id: 7 }).taskId).toBe('7')
    expect(message('status', { status: 'x' }).taskId).toBeNull()
  })
})

describe('a time of a relay', () => {
  it.each([
    ['2026-11-21T10:30:15.123456+02:00', '2026-11-21T08:30:15.123Z'],
    ['2026-11-21 10:30:15Z', '2026-11-21T10:30:15.000Z'],
    ['2026-11-21T10:30:15+0200', '2026-11-21T08:30:15.000Z'],
    [1_700_000_000, '2023-11-14T22:13:20.000Z'],
    [1_700_000_000.5, '2023-11-14T22:13:20.500Z'],
    [1_700_000_000_000, '2023-11-14T22:13:20.000Z'],
    ['1700000000', '2023-11-14T22:13:20.000Z'],
    // Whose hours these are, nobody knows.
    ['2026-11-21T10:30:15.123456', null],
    ['yesterday', null],
    ['2026-99-99T10:30:15Z', null],
    [-1, null],
    [12_345.6, null],
    [0, null],
    [true, null],
    [[], null],
    [1e300, null],
    [Number.NaN, null],
    [{}, null],
    [null, null],
    [undefined, null],
  ])('%j is %j', (given, time) => {
    expect(timeOf(given)).toBe(time)
  })

  it('that is odd does not take the message with it', () => {
    for (const timestamp of ['yesterday', {}, [], true, '2026-11-21T10:30:15', 1e300]) {
      const { reports, warnings, isDated } = message('status', { status: 'x' }, { timestamp })
      expect(reports).toEqual([{ status: { status: 'RUNNING', message: 'x' } }])
      expect(warnings).toHaveLength(1)
      expect(isDated).toBe(true)
    }
  })
})
